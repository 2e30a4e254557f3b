{%- set touched = gold_touched_fx_results() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_fx_results(), ['channel', 'order_id']]]) }}"
) }}

{# What a channel settled for a sale or a refund in another currency, against what was booked at the reference rate. #}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}entries as (
    select
        payout_lines.channel,
        payout_lines.order_id,
        {{ ledger_line_kind('lower(payout_lines.transaction_type)') }} as event,
        payout_lines.currency as settlement_currency,
        {{ business_date('payout_lines.transacted_at') }} as business_date,
        payout_lines.amount,
        {{ gold_fx_rate('payout_lines.currency', 'fx') }} as fx_rate
    from {{ ref('payout_lines') }} as payout_lines
    {{- gold_only_touched('payout_lines', ['channel', 'order_id']) }}
    left join {{ ref('fx_daily') }} as fx
        on fx.currency = payout_lines.currency and fx.rate_date = {{ business_date('payout_lines.transacted_at') }}
    where payout_lines.order_id is not null and {{ is_false('payout_lines.is_test') }}
),

settled as (
    select
        entries.channel,
        entries.order_id,
        entries.event,
        entries.settlement_currency,
        max(entries.business_date) as business_date,
        count(*) as entry_count,
        {{ gold_sum_known(gold_base('entries.amount', 'entries.fx_rate')) }} as settled_base
    from entries
    where entries.event in ('charge', 'refund')
    group by entries.channel, entries.order_id, entries.event, entries.settlement_currency
),

given_back as (
    select
        refunds.channel,
        refunds.order_id,
        count(*) as refund_count,
        {{ gold_sum_known('refunds.refund_base') }} as refund_base
    from {{ ref('fct_refunds') }} as refunds
    {{- gold_only_touched('refunds', ['channel', 'order_id']) }}
    where refunds.order_id is not null
    group by refunds.channel, refunds.order_id
),

compared as (
    select
        settled.channel,
        settled.order_id,
        settled.event,
        settled.business_date,
        orders.currency,
        settled.settlement_currency,
        case settled.event when 'charge' then orders.total_base else -given_back.refund_base end as booked_base,
        settled.settled_base
    from settled
    inner join {{ ref('fct_orders') }} as orders
        on orders.channel = settled.channel and orders.order_id = settled.order_id
    left join given_back on given_back.channel = settled.channel and given_back.order_id = settled.order_id
    where
        orders.currency <> settled.settlement_currency
        -- A refund that only one of the two knows yet is no result.
        and (settled.event = 'charge' or settled.entry_count = given_back.refund_count)
)

select
    compared.channel,
    compared.order_id,
    cast(compared.event as {{ type_text(20) }}) as event,
    compared.business_date,
    compared.currency,
    compared.settlement_currency,
    cast(compared.booked_base as {{ type_money() }}) as booked_base,
    cast(compared.settled_base as {{ type_money() }}) as settled_base,
    cast(compared.settled_base - compared.booked_base as {{ type_money() }}) as gain_base,
    {{ built_at() }} as built_at
from compared
