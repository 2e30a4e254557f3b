{%- set touched = gold_touched_payouts() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_payouts(), ['channel', 'payout_id']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}payouts as (
    select payouts.*
    from {{ ref('fct_payouts') }} as payouts
    {% if is_incremental() %}
    inner join touched on touched.channel = payouts.channel and touched.payout_id = payouts.payout_id
    {% endif %}
),

-- The transfer to the bank is the payout itself, not a part of it.
ledger as (
    select
        payout_lines.channel,
        payout_lines.payout_id,
        payout_lines.order_id,
        payout_lines.amount,
        payout_lines.fee_amount,
        payout_lines.net_amount,
        payout_lines.transacted_at,
        lower(payout_lines.transaction_type) as transaction_type,
        case
            when lower(payout_lines.transaction_type) like '%reserve%' then 'reserve'
            when lower(payout_lines.transaction_type) in ('charge', 'sale') then 'charge'
            when lower(payout_lines.transaction_type) like 'refund%' then 'refund'
            else 'other'
        end as line_kind
    from {{ ref('payout_lines') }} as payout_lines
    inner join payouts
        on payouts.channel = payout_lines.channel and payouts.payout_id = payout_lines.payout_id
    where lower(payout_lines.transaction_type) not like 'transfer%'
),

sums as (
    select
        ledger.channel,
        ledger.payout_id,
        count(*) as line_count,
        count(distinct ledger.order_id) as order_count,
        sum(case when ledger.line_kind = 'charge' then ledger.amount else 0 end) as charge_amount,
        sum(case when ledger.line_kind = 'refund' then ledger.amount else 0 end) as refund_amount,
        sum(case when ledger.line_kind = 'reserve' then ledger.amount else 0 end) as reserve_amount,
        sum(case when ledger.line_kind = 'other' then ledger.amount else 0 end) as other_amount,
        sum(ledger.fee_amount) as fee_amount,
        sum(ledger.net_amount) as ledger_net_amount
    from ledger
    group by ledger.channel, ledger.payout_id
),

compared as (
    select
        payouts.channel,
        payouts.payout_id,
        payouts.issued_at,
        payouts.business_date,
        payouts.status,
        payouts.currency,
        payouts.fx_rate,
        payouts.fx_rate_date,
        cast(coalesce(sums.line_count, 0) as int) as line_count,
        cast(coalesce(sums.order_count, 0) as int) as order_count,
        cast(coalesce(sums.charge_amount, 0) as {{ type_money() }}) as charge_amount,
        cast(coalesce(sums.refund_amount, 0) as {{ type_money() }}) as refund_amount,
        cast(coalesce(sums.reserve_amount, 0) as {{ type_money() }}) as reserve_amount,
        cast(coalesce(sums.other_amount, 0) as {{ type_money() }}) as other_amount,
        cast(coalesce(sums.fee_amount, 0) as {{ type_money() }}) as fee_amount,
        cast(coalesce(sums.ledger_net_amount, 0) as {{ type_money() }}) as ledger_net_amount,
        payouts.net_amount,
        -- Money that never left is owed by nobody: the channel attaches its transactions to a later payout.
        case
            when payouts.status in ('failed', 'canceled', 'cancelled') then cast(0 as {{ type_money() }})
            else cast(payouts.net_amount - coalesce(sums.ledger_net_amount, 0) as {{ type_money() }})
        end as difference_amount
    from payouts
    left join sums on sums.channel = payouts.channel and sums.payout_id = payouts.payout_id
),

-- A line that is as large as the difference, the other way round: it is in the ledger and was not paid.
unpaid as (
    select
        compared.channel,
        compared.payout_id,
        min(ledger.transaction_type) as transaction_type,
        min(ledger.line_kind) as line_kind,
        max(case when ledger.transacted_at > compared.issued_at then 1 else 0 end) as came_later
    from compared
    inner join ledger
        on ledger.channel = compared.channel
        and ledger.payout_id = compared.payout_id
        and ledger.net_amount = -compared.difference_amount
    where compared.difference_amount <> 0
    group by compared.channel, compared.payout_id
),

caused as (
    select
        compared.*,
        case
            when compared.difference_amount = 0 then null
            when compared.line_count = 0 then 'no entry of the ledger names the payout'
            when unpaid.line_kind = 'refund' and unpaid.came_later = 1 then 'refund after the payout'
            when unpaid.line_kind = 'reserve' then 'reserve booked and not moved'
            when unpaid.transaction_type is not null then concat('booked and not paid: ', unpaid.transaction_type)
            when compared.difference_amount < 0 then 'less paid than booked: a fee or reserve is missing from the ledger'
            else 'more paid than booked: an entry is missing from the ledger'
        end as difference_cause
    from compared
    left join unpaid on unpaid.channel = compared.channel and unpaid.payout_id = compared.payout_id
)

select
    channel,
    payout_id,
    issued_at,
    business_date,
    status,
    cast(
        case
            when status in ('failed', 'canceled', 'cancelled') then 'void'
            when difference_amount = 0 then 'reconciled'
            when line_count = 0 then 'no ledger lines'
            else 'different'
        end as {{ type_text(20) }}
    ) as reconciliation,
    line_count,
    order_count,
    currency,
    fx_rate,
    fx_rate_date,
    charge_amount,
    refund_amount,
    reserve_amount,
    other_amount,
    fee_amount,
    ledger_net_amount,
    net_amount,
    difference_amount,
    {{ gold_base('difference_amount', 'fx_rate') }} as difference_base,
    cast(difference_cause as {{ type_text(200) }}) as difference_cause,
    {{ built_at() }} as built_at
from caused
