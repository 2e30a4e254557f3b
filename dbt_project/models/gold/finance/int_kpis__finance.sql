{%- set touched = gold_touched_finance_kpi_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_finance_kpi_days(), ['business_date']]]) }}"
) }}

{# Everything here is summed from tables of one row a day, never from orders. #}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}channel_flows as (
    select
        sales.business_date,
        sales.channel,
        'all' as category,
        1 as sale_rows,
        sales.orders,
        sales.units,
        sales.gross_base + sales.shipping_base as gmv_base,
        sales.refund_base,
        sales.net_base,
        sales.item_cost_base,
        {{ zero_money() }} as fee_base,
        {{ zero_money() }} as label_base,
        {{ zero_money() }} as ad_base,
        {{ zero_money() }} as spend_base,
        {{ zero_money() }} as margin_vat_base
    from {{ ref('agg_daily_sales') }} as sales
    {{- gold_only_touched('sales', ['business_date']) }}
    union all
    select
        fees.business_date,
        fees.channel,
        'all' as category,
        0 as sale_rows,
        0 as orders,
        0 as units,
        {{ zero_money() }} as gmv_base,
        {{ zero_money() }} as refund_base,
        {{ zero_money() }} as net_base,
        {{ zero_money() }} as item_cost_base,
        fees.fee_base,
        case when {{ fee_group('fees.fee_type') }} = 'outbound_shipping' then fees.fee_base else 0 end as label_base,
        case when {{ fee_group('fees.fee_type') }} = 'advertising' then fees.fee_base else 0 end as ad_base,
        {{ zero_money() }} as spend_base,
        {{ zero_money() }} as margin_vat_base
    from {{ ref('agg_daily_fees') }} as fees
    {{- gold_only_touched('fees', ['business_date']) }}
    union all
    -- Only the VAT: sales are counted above.
    select
        sales.business_date,
        sales.channel,
        'all' as category,
        0 as sale_rows,
        0 as orders,
        0 as units,
        {{ zero_money() }} as gmv_base,
        {{ zero_money() }} as refund_base,
        {{ zero_money() }} as net_base,
        {{ zero_money() }} as item_cost_base,
        {{ zero_money() }} as fee_base,
        {{ zero_money() }} as label_base,
        {{ zero_money() }} as ad_base,
        {{ zero_money() }} as spend_base,
        sales.margin_vat_base
    from {{ ref('agg_daily_category_sales') }} as sales
    {{- gold_only_touched('sales', ['business_date']) }}
    union all
    select
        sales.business_date,
        sales.channel,
        sales.category,
        1 as sale_rows,
        sales.orders,
        sales.units,
        sales.gross_base + sales.shipping_base as gmv_base,
        sales.refund_base,
        sales.net_base,
        sales.item_cost_base,
        {{ zero_money() }} as fee_base,
        {{ zero_money() }} as label_base,
        {{ zero_money() }} as ad_base,
        {{ zero_money() }} as spend_base,
        sales.margin_vat_base
    from {{ ref('agg_daily_category_sales') }} as sales
    {{- gold_only_touched('sales', ['business_date']) }}
    union all
    -- Paid to advertising platforms, for the web shop: what a channel charges for advertising is among its fees.
    select
        spend.business_date,
        spend.channel,
        'all' as category,
        0 as sale_rows,
        0 as orders,
        0 as units,
        {{ zero_money() }} as gmv_base,
        {{ zero_money() }} as refund_base,
        {{ zero_money() }} as net_base,
        {{ zero_money() }} as item_cost_base,
        {{ zero_money() }} as fee_base,
        {{ zero_money() }} as label_base,
        {{ zero_money() }} as ad_base,
        spend.spend_base,
        {{ zero_money() }} as margin_vat_base
    from {{ finance_kpi_ad_spend() }} as spend
    {{- gold_only_touched('spend', ['business_date']) }}
),

all_flows as (
    {{ with_all_channels('channel_flows', [
        'business_date', 'category', 'sale_rows', 'orders', 'units', 'gmv_base', 'refund_base', 'net_base',
        'item_cost_base', 'fee_base', 'label_base', 'ad_base', 'spend_base', 'margin_vat_base',
    ]) }}
),

flows as (
    select
        all_flows.business_date,
        all_flows.channel,
        all_flows.category,
        sum(all_flows.sale_rows) as sale_rows,
        sum(all_flows.orders) as orders,
        sum(all_flows.units) as units,
        {{ gold_sum('all_flows.gmv_base') }} as gmv_base,
        {{ gold_sum('all_flows.refund_base') }} as refund_base,
        {{ gold_sum('all_flows.net_base') }} as net_base,
        {{ gold_sum('all_flows.item_cost_base') }} as item_cost_base,
        {{ gold_sum('all_flows.fee_base') }} as fee_base,
        {{ gold_sum('all_flows.label_base') }} as label_base,
        {{ gold_sum('all_flows.ad_base') }} as ad_base,
        {{ gold_sum('all_flows.spend_base') }} as spend_base,
        {{ gold_sum('all_flows.margin_vat_base') }} as margin_vat_base
    from all_flows
    group by all_flows.business_date, all_flows.channel, all_flows.category
),

-- What concerns no single category: fees are charged on orders and accounts.
whole_flows as (
    select flows.*
    from flows
    where flows.category = 'all'
),

channel_payouts as (
    select payouts.business_date, payouts.channel, payouts.difference_base
    from {{ ref('rpt_payout_reconciliation') }} as payouts
    {{- gold_only_touched('payouts', ['business_date']) }}
),

all_payouts as (
    {{ with_all_channels('channel_payouts', ['business_date', 'difference_base']) }}
),

payouts as (
    select
        all_payouts.business_date,
        all_payouts.channel,
        'all' as category,
        {{ gold_sum('all_payouts.difference_base') }} as difference_base
    from all_payouts
    group by all_payouts.business_date, all_payouts.channel
),

channel_exchanges as (
    select results.business_date, results.channel, results.gain_base
    from {{ ref('rpt_fx_results') }} as results
    {{- gold_only_touched('results', ['business_date']) }}
),

all_exchanges as (
    {{ with_all_channels('channel_exchanges', ['business_date', 'gain_base']) }}
),

exchanges as (
    select
        all_exchanges.business_date,
        all_exchanges.channel,
        'all' as category,
        {{ gold_sum('all_exchanges.gain_base') }} as gain_base
    from all_exchanges
    group by all_exchanges.business_date, all_exchanges.channel
),

kpis as (
    {{ gold_kpi('flows', 'orders', 'flows.orders', 'flows.orders > 0') }}
    union all
    {{ gold_kpi('flows', 'units', 'flows.units', 'flows.orders > 0') }}
    union all
    {{ gold_kpi('flows', 'gmv', 'flows.gmv_base', 'flows.orders > 0') }}
    union all
    {{ gold_kpi('flows', 'net_revenue', 'flows.net_base', 'flows.sale_rows > 0') }}
    union all
    {{ gold_kpi(
        'whole_flows', 'contribution_margin',
        'whole_flows.net_base - whole_flows.item_cost_base - whole_flows.fee_base - whole_flows.spend_base'
        ~ ' - whole_flows.margin_vat_base') }}
    union all
    {{ gold_kpi(
        'whole_flows', 'fee_ratio', quotient('whole_flows.fee_base', 'whole_flows.gmv_base', 8),
        'whole_flows.gmv_base <> 0') }}
    union all
    {{ gold_kpi('whole_flows', 'outbound_shipping', 'whole_flows.label_base', 'whole_flows.label_base <> 0') }}
    union all
    {{ gold_kpi('whole_flows', 'advertising', 'whole_flows.ad_base', 'whole_flows.ad_base <> 0') }}
    union all
    {{ gold_kpi('whole_flows', 'ad_spend', 'whole_flows.spend_base', 'whole_flows.spend_base <> 0') }}
    union all
    {{ gold_kpi('flows', 'margin_scheme_vat', 'flows.margin_vat_base', 'flows.margin_vat_base <> 0') }}
    union all
    {{ gold_kpi('flows', 'refund_rate', quotient('flows.refund_base', 'flows.gmv_base', 8), 'flows.gmv_base <> 0') }}
    union all
    {{ gold_kpi('flows', 'aov', quotient('flows.gmv_base', 'flows.orders', 8), 'flows.orders > 0') }}
    union all
    {{ gold_kpi('exchanges', 'fx_gain_loss', 'exchanges.gain_base') }}
    union all
    {{ gold_kpi('payouts', 'payout_difference', 'payouts.difference_base') }}
)

{{ gold_typed_kpis('kpis') }}
