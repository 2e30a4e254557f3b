{%- set touched = gold_touched_journals() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_journals(), ['channel', 'payout_id']]]) }}"
) }}

{#
  Every event is written as a debit and a credit, so every journal balances. What the channel holds is on the clearing
  account from the day of the entry to the day of the payout: a payout over the end of a month has a journal in each
  month, and what stays on clearing in between is unpaid funds.
#}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}payouts as (
    select
        payouts.channel,
        payouts.payout_id,
        payouts.business_date,
        {{ month_start('payouts.business_date') }} as period_month,
        payouts.fx_rate,
        payouts.net_amount,
        payouts.net_base
    from {{ ref('fct_payouts') }} as payouts
    {{- gold_only_touched('payouts', ['channel', 'payout_id']) }}
    -- Money that never left stays on clearing; its entries come again with a later payout.
    where payouts.status not in ('failed', 'canceled', 'cancelled') and payouts.net_base is not null
),

entries as (
    select
        payout_lines.channel,
        payout_lines.payout_id,
        payout_lines.transaction_id,
        lower(payout_lines.transaction_type) as transaction_type,
        payout_lines.order_id,
        payout_lines.transacted_at,
        case
            when {{ month_start(business_date('payout_lines.transacted_at')) }} < payouts.period_month
                then {{ month_start(business_date('payout_lines.transacted_at')) }}
            else payouts.period_month
        end as period_month,
        payouts.fx_rate as payout_rate,
        {{ ledger_line_kind('lower(payout_lines.transaction_type)') }} as line_kind,
        payout_lines.net_amount,
        -- Where no rate of its own day is known, that of the payout stands in.
        coalesce({{ gold_fx_rate('payout_lines.currency', 'fx') }}, payouts.fx_rate) as fx_rate,
        payout_lines.amount,
        payout_lines.fee_amount
    from {{ ref('payout_lines') }} as payout_lines
    inner join payouts
        on payouts.channel = payout_lines.channel and payouts.payout_id = payout_lines.payout_id
    left join {{ ref('fx_daily') }} as fx
        on fx.currency = payout_lines.currency and fx.rate_date = {{ business_date('payout_lines.transacted_at') }}
    where {{ is_false('payout_lines.is_test') }}
        and not {{ is_between_payouts('lower(payout_lines.transaction_type)') }}
),

valued as (
    select
        entries.*,
        {{ gold_base('entries.amount', 'entries.fx_rate') }} as amount_base,
        {{ gold_base(
            "(entries.fee_amount - case when entries.line_kind = 'cost' then entries.amount else 0 end)", 'entries.fx_rate'
        ) }} as cost_base
    from entries
),

given_back as (
    select
        refunds.channel,
        refunds.order_id,
        sum(refunds.refund_amount) as refund_amount,
        sum(refunds.refund_tax_amount) as refund_tax_amount,
        sum(refunds.refund_surcharge_amount) as refund_surcharge_amount
    from {{ ref('fct_refunds') }} as refunds
    inner join (
        select distinct valued.channel, valued.order_id
        from valued
        where valued.line_kind = 'refund'
    ) as wanted on wanted.channel = refunds.channel and wanted.order_id = refunds.order_id
    group by refunds.channel, refunds.order_id
),

-- Tax that the channel itself collects and takes out of the account again: what it took of a sale, what it gave back with
-- a refund.
collected as (
    select
        valued.channel,
        valued.payout_id,
        valued.order_id,
        sum(case when valued.amount_base < 0 then -valued.amount_base else 0 end) as taken_base,
        sum(case when valued.amount_base > 0 then -valued.amount_base else 0 end) as returned_base
    from valued
    where valued.line_kind = 'facilitator_tax' and valued.order_id is not null
    group by valued.channel, valued.payout_id, valued.order_id
),

-- It goes with the first sale, and the first refund, of the order in the payout.
facilitated as (
    select
        valued.channel,
        valued.transaction_id,
        case valued.line_kind when 'charge' then collected.taken_base else collected.returned_base end as facilitator_base,
        row_number() over (
            partition by valued.channel, valued.payout_id, valued.order_id, valued.line_kind
            order by valued.transacted_at, valued.transaction_id
        ) as place
    from valued
    inner join collected
        on
            collected.channel = valued.channel
            and collected.payout_id = valued.payout_id
            and collected.order_id = valued.order_id
    where valued.line_kind in ('charge', 'refund')
),

-- The tax, the delivery and the surcharges in what was taken or given back, in proportion to the order's (the refunds') own.
movements as (
    select
        valued.*,
        coalesce(facilitated.facilitator_base, 0) as facilitator_base,
        coalesce(case valued.line_kind
            when 'charge' then {{ quotient(product('valued.amount_base', 'orders.tax_amount'), 'orders.total_amount', 4, 8) }}
            when 'refund' then
                {{ quotient(product('valued.amount_base', 'given_back.refund_tax_amount'), 'given_back.refund_amount', 4, 8) }}
        end, 0) as tax_base,
        coalesce(case valued.line_kind
            when 'charge' then {{ quotient(product('valued.amount_base', 'orders.shipping_amount'), 'orders.total_amount', 4, 8) }}
        end, 0) as shipping_base,
        coalesce(case valued.line_kind
            when 'charge' then {{ quotient(product('valued.amount_base', 'orders.surcharge_amount'), 'orders.total_amount', 4, 8) }}
            when 'refund' then
                {{ quotient(product('valued.amount_base', 'given_back.refund_surcharge_amount'), 'given_back.refund_amount', 4, 8) }}
        end, 0) as surcharge_base
    from valued
    left join {{ ref('fct_orders') }} as orders
        on orders.channel = valued.channel and orders.order_id = valued.order_id
    left join given_back on given_back.channel = valued.channel and given_back.order_id = valued.order_id
    left join facilitated
        on
            facilitated.channel = valued.channel
            and facilitated.transaction_id = valued.transaction_id
            and facilitated.place = 1
),

named_fees as (
    select
        movements.channel,
        movements.payout_id,
        movements.period_month,
        movements.transaction_id,
        {{ fee_group('fees.fee_type') }} as account,
        {{ gold_base('fees.fee_amount', 'movements.fx_rate') }} as cost_base
    from movements
    inner join {{ ref('fees') }} as fees
        on fees.channel = movements.channel and fees.source_entry_id = movements.transaction_id
),

other_fees as (
    select
        movements.channel,
        movements.payout_id,
        movements.period_month,
        {{ fee_group('movements.transaction_type') }} as account,
        movements.cost_base - coalesce(named.cost_base, 0) as cost_base
    from movements
    left join (
        select named_fees.channel, named_fees.transaction_id, sum(named_fees.cost_base) as cost_base
        from named_fees
        group by named_fees.channel, named_fees.transaction_id
    ) as named on named.channel = movements.channel and named.transaction_id = movements.transaction_id
),

all_fees as (
    select named_fees.channel, named_fees.payout_id, named_fees.period_month, named_fees.account, named_fees.cost_base
    from named_fees
    union all
    select other_fees.channel, other_fees.payout_id, other_fees.period_month, other_fees.account, other_fees.cost_base
    from other_fees
),

-- What goes with a sale once, whatever the number of payments: with the first.
first_charges as (
    select movements.channel, movements.payout_id, movements.period_month, movements.order_id
    from movements
    where
        movements.line_kind = 'charge'
        and movements.order_id is not null
        and not exists (
            select 1
            from {{ ref('payout_lines') }} as earlier
            where
                earlier.channel = movements.channel
                and earlier.order_id = movements.order_id
                and {{ ledger_line_kind('lower(earlier.transaction_type)') }} = 'charge'
                and (
                    earlier.transacted_at < movements.transacted_at
                    or (
                        earlier.transacted_at = movements.transacted_at
                        and earlier.transaction_id < movements.transaction_id
                    )
                )
        )
),

consignments as (
    select costs.item_id, {{ gold_sum('costs.cost_base') }} as cost_base
    from {{ ref('fct_item_costs') }} as costs
    where costs.kind = 'consignment'
    group by costs.item_id
),

goods as (
    select
        first_charges.channel,
        first_charges.payout_id,
        first_charges.period_month,
        coalesce(lines.item_cost_base, 0) - coalesce(consignments.cost_base * lines.quantity, 0) as cost_base,
        coalesce(consignments.cost_base * lines.quantity, 0) as consignment_base,
        coalesce(book.vat_base, 0) as vat_base
    from first_charges
    inner join {{ ref('fct_order_lines') }} as lines
        on lines.channel = first_charges.channel and lines.order_id = first_charges.order_id
    left join consignments on consignments.item_id = lines.item_id
    left join {{ ref('rpt_vat_stock_book') }} as book
        on
            book.sale_channel = lines.channel
            and book.sale_order_id = lines.order_id
            and book.sale_line_id = lines.line_id
),

settlements as (
    select
        movements.channel,
        movements.payout_id,
        max(payouts.period_month) as period_month,
        -- What the entries were worth on their own days, less what the same sum is worth on the day of the payout.
        {{ gold_sum(
            "case when movements.line_kind = 'cost' then 0 else movements.amount_base end - movements.cost_base"
        ) }} - {{ as_money('sum(movements.net_amount) * max(payouts.fx_rate)') }} as difference_base
    from movements
    inner join payouts on payouts.channel = movements.channel and payouts.payout_id = movements.payout_id
    group by movements.channel, movements.payout_id
),

-- Added up before they are posted: a payout has thousands of entries, and each would be read once for every posting.
moved as (
    select
        movements.channel,
        movements.payout_id,
        movements.period_month,
        movements.line_kind,
        sum(movements.amount_base) as amount_base,
        sum(movements.tax_base) as tax_base,
        sum(movements.shipping_base) as shipping_base,
        sum(movements.surcharge_base) as surcharge_base,
        sum(movements.facilitator_base) as facilitator_base
    from movements
    group by movements.channel, movements.payout_id, movements.period_month, movements.line_kind
),

charged as (
    select
        all_fees.channel,
        all_fees.payout_id,
        all_fees.period_month,
        all_fees.account,
        sum(all_fees.cost_base) as cost_base
    from all_fees
    group by all_fees.channel, all_fees.payout_id, all_fees.period_month, all_fees.account
),

handed_over as (
    select
        goods.channel,
        goods.payout_id,
        goods.period_month,
        sum(goods.cost_base) as cost_base,
        sum(goods.consignment_base) as consignment_base,
        sum(goods.vat_base) as vat_base
    from goods
    group by goods.channel, goods.payout_id, goods.period_month
),

postings as (
    {{ journal_event('moved', 'sale', "'clearing'", "'sales'",
        'moved.amount_base - moved.tax_base - moved.shipping_base - moved.surcharge_base',
        "moved.line_kind = 'charge'") }}
    union all
    {{ journal_event('moved', 'sale', "'clearing'", "'shipping_income'",
        'moved.shipping_base', "moved.line_kind = 'charge'") }}
    union all
    {{ journal_event('moved', 'sale', "'clearing'", "'surcharges'",
        'moved.surcharge_base', "moved.line_kind = 'charge'") }}
    union all
    {{ journal_event('moved', 'sale', "'clearing'", "'sales_tax_payable'",
        'moved.tax_base - moved.facilitator_base', "moved.line_kind = 'charge'") }}
    union all
    {{ journal_event('moved', 'sale', "'clearing'", "'facilitator_tax'",
        'moved.facilitator_base', "moved.line_kind = 'charge'") }}
    union all
    {{ journal_event('moved', 'refund', "'clearing'", "'sales_returns'",
        'moved.amount_base - moved.tax_base - moved.surcharge_base', "moved.line_kind = 'refund'") }}
    union all
    {{ journal_event('moved', 'refund', "'clearing'", "'surcharges'",
        'moved.surcharge_base', "moved.line_kind = 'refund'") }}
    union all
    {{ journal_event('moved', 'refund', "'clearing'", "'sales_tax_payable'",
        'moved.tax_base - moved.facilitator_base', "moved.line_kind = 'refund'") }}
    union all
    {{ journal_event('moved', 'refund', "'clearing'", "'facilitator_tax'",
        'moved.facilitator_base', "moved.line_kind = 'refund'") }}
    union all
    {{ journal_event('moved', 'facilitator tax', "'clearing'", "'facilitator_tax'",
        'moved.amount_base', "moved.line_kind = 'facilitator_tax'") }}
    union all
    {{ journal_event('moved', 'reserve', "'clearing'", "'reserve'",
        'moved.amount_base', "moved.line_kind = 'reserve'") }}
    union all
    {{ journal_event('moved', 'debt settled', "'clearing'", "'owed_to_channel'",
        'moved.amount_base', "moved.line_kind = 'debt'") }}
    union all
    {{ journal_event('moved', 'adjustment', "'clearing'", "'adjustments'",
        'moved.amount_base', "moved.line_kind = 'adjustment'") }}
    union all
    {{ journal_event('charged', 'fee', 'charged.account', "'clearing'", 'charged.cost_base', 'charged.cost_base <> 0') }}
    union all
    {{ journal_event('handed_over', 'cost of goods', "'cost_of_goods'", "'inventory'",
        'handed_over.cost_base', 'handed_over.cost_base <> 0') }}
    union all
    {{ journal_event('handed_over', 'consignment', "'consignor_cost'", "'consignor_payable'",
        'handed_over.consignment_base', 'handed_over.consignment_base <> 0') }}
    union all
    {{ journal_event('handed_over', 'margin-scheme vat', "'sales'", "'vat_output'",
        'handed_over.vat_base', 'handed_over.vat_base <> 0') }}
    union all
    {{ journal_event('payouts', 'payout', "'bank'", "'clearing'", 'payouts.net_base', 'payouts.net_base <> 0') }}
    union all
    {{ journal_event('settlements', 'fx', "'realised_fx'", "'clearing'",
        'settlements.difference_base', 'settlements.difference_base <> 0') }}
),

summed as (
    select
        postings.channel,
        postings.payout_id,
        postings.period_month,
        postings.event,
        postings.account,
        cast(sum(postings.amount_base) as {{ type_money() }}) as amount_base
    from postings
    group by postings.channel, postings.payout_id, postings.period_month, postings.event, postings.account
)

select
    concat(summed.channel, '-', summed.payout_id, '-', year(summed.period_month) * 100 + month(summed.period_month))
        as journal_id,
    summed.channel,
    summed.payout_id,
    -- In the payout's own month its day, in a month before it the last day.
    case
        when summed.period_month = payouts.period_month then payouts.business_date
        else {{ add_days(month_start(add_days('summed.period_month', 31)), -1) }}
    end as business_date,
    cast(summed.event as {{ type_text(50) }}) as event,
    cast(summed.account as {{ type_text(50) }}) as account,
    cast(case when summed.amount_base > 0 then summed.amount_base else 0 end as {{ type_money() }}) as debit_base,
    cast(case when summed.amount_base < 0 then -summed.amount_base else 0 end as {{ type_money() }}) as credit_base,
    {{ built_at() }} as built_at
from summed
inner join payouts on payouts.channel = summed.channel and payouts.payout_id = summed.payout_id
where summed.amount_base <> 0
