{%- set touched = gold_touched_kpi_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_kpi_days(), ['business_date']]]) }}"
) }}

{# Everything here is summed from tables of one row a day, never from orders. #}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}channel_flows as (
    select
        sales.business_date,
        sales.channel,
        1 as sale_rows,
        sales.orders,
        sales.units,
        sales.gross_base + sales.shipping_base as gmv_base,
        sales.refund_base,
        sales.net_base,
        sales.item_cost_base,
        {{ zero_money() }} as fee_base
    from {{ ref('agg_daily_sales') }} as sales
    {{- gold_only_touched('sales', ['business_date']) }}
    union all
    select
        fees.business_date,
        fees.channel,
        0 as sale_rows,
        0 as orders,
        0 as units,
        {{ zero_money() }} as gmv_base,
        {{ zero_money() }} as refund_base,
        {{ zero_money() }} as net_base,
        {{ zero_money() }} as item_cost_base,
        fees.fee_base
    from {{ ref('agg_daily_fees') }} as fees
    {{- gold_only_touched('fees', ['business_date']) }}
),

all_flows as (
    select channel_flows.*
    from channel_flows
    union all
    select
        channel_flows.business_date,
        'all' as channel,
        channel_flows.sale_rows,
        channel_flows.orders,
        channel_flows.units,
        channel_flows.gmv_base,
        channel_flows.refund_base,
        channel_flows.net_base,
        channel_flows.item_cost_base,
        channel_flows.fee_base
    from channel_flows
),

flows as (
    select
        all_flows.business_date,
        all_flows.channel,
        sum(all_flows.sale_rows) as sale_rows,
        sum(all_flows.orders) as orders,
        sum(all_flows.units) as units,
        {{ gold_sum('all_flows.gmv_base') }} as gmv_base,
        {{ gold_sum('all_flows.refund_base') }} as refund_base,
        {{ gold_sum('all_flows.net_base') }} as net_base,
        {{ gold_sum('all_flows.item_cost_base') }} as item_cost_base,
        {{ gold_sum('all_flows.fee_base') }} as fee_base
    from all_flows
    group by all_flows.business_date, all_flows.channel
),

customers as (
    select customers.business_date, customers.channel, customers.customers_365d, customers.repeat_customers_365d
    from {{ ref('agg_daily_customers') }} as customers
    {{- gold_only_touched('customers', ['business_date']) }}
),

stock as (
    select
        stock.business_date,
        'all' as channel,
        stock.sold_items,
        stock.opening_items + stock.added_items as available_items,
        stock.open_cost_base,
        stock.aged_cost_base
    from {{ ref('agg_daily_stock') }} as stock
    {{- gold_only_touched('stock', ['business_date']) }}
),

channel_payouts as (
    select payouts.business_date, payouts.channel, payouts.difference_base
    from {{ ref('rpt_payout_reconciliation') }} as payouts
    {{- gold_only_touched('payouts', ['business_date']) }}
    union all
    select payouts.business_date, 'all' as channel, payouts.difference_base
    from {{ ref('rpt_payout_reconciliation') }} as payouts
    {{- gold_only_touched('payouts', ['business_date']) }}
),

payouts as (
    select
        channel_payouts.business_date,
        channel_payouts.channel,
        {{ gold_sum('channel_payouts.difference_base') }} as difference_base
    from channel_payouts
    group by channel_payouts.business_date, channel_payouts.channel
),

channel_oversells as (
    select oversells.business_date, oversells.channel, count(*) as oversells
    from {{ ref('rpt_oversells') }} as oversells
    {{- gold_only_touched('oversells', ['business_date']) }}
    group by oversells.business_date, oversells.channel
),

oversells as (
    select channel_oversells.business_date, channel_oversells.channel, channel_oversells.oversells
    from channel_oversells
    union all
    select channel_oversells.business_date, 'all' as channel, sum(channel_oversells.oversells) as oversells
    from channel_oversells
    group by channel_oversells.business_date
),

kpis as (
    select
        flows.business_date,
        flows.channel,
        'orders' as kpi,
        cast(flows.orders as decimal(28, 8)) as value
    from flows
    where flows.sale_rows > 0
    union all
    select
        flows.business_date,
        flows.channel,
        'units' as kpi,
        cast(flows.units as decimal(28, 8)) as value
    from flows
    where flows.sale_rows > 0
    union all
    select
        flows.business_date,
        flows.channel,
        'gmv' as kpi,
        cast(flows.gmv_base as decimal(28, 8)) as value
    from flows
    union all
    select
        flows.business_date,
        flows.channel,
        'net_revenue' as kpi,
        cast(flows.net_base as decimal(28, 8)) as value
    from flows
    union all
    select
        flows.business_date,
        flows.channel,
        'contribution_margin' as kpi,
        cast(flows.net_base - flows.item_cost_base - flows.fee_base as decimal(28, 8)) as value
    from flows
    union all
    select
        flows.business_date,
        flows.channel,
        'fee_ratio' as kpi,
        {{ quotient('flows.fee_base', 'flows.gmv_base', 8) }} as value
    from flows
    where flows.gmv_base <> 0
    union all
    select
        flows.business_date,
        flows.channel,
        'refund_rate' as kpi,
        {{ quotient('flows.refund_base', 'flows.gmv_base', 8) }} as value
    from flows
    where flows.gmv_base <> 0
    union all
    select
        flows.business_date,
        flows.channel,
        'aov' as kpi,
        {{ quotient('flows.gmv_base', 'flows.orders', 8) }} as value
    from flows
    where flows.orders > 0
    union all
    select
        customers.business_date,
        customers.channel,
        'repeat_rate_365d' as kpi,
        {{ quotient('customers.repeat_customers_365d', 'customers.customers_365d', 8) }} as value
    from customers
    where customers.customers_365d > 0
    union all
    select
        stock.business_date,
        stock.channel,
        'sell_through' as kpi,
        {{ quotient('stock.sold_items', 'stock.available_items', 8) }} as value
    from stock
    where stock.available_items > 0
    union all
    select
        stock.business_date,
        stock.channel,
        'aged_inventory_pct' as kpi,
        {{ quotient('stock.aged_cost_base', 'stock.open_cost_base', 8) }} as value
    from stock
    where stock.open_cost_base > 0
    union all
    select
        payouts.business_date,
        payouts.channel,
        'payout_difference' as kpi,
        cast(payouts.difference_base as decimal(28, 8)) as value
    from payouts
    union all
    select
        oversells.business_date,
        oversells.channel,
        'oversells' as kpi,
        cast(oversells.oversells as decimal(28, 8)) as value
    from oversells
    union all
    select
        flows.business_date,
        flows.channel,
        'oversells_per_1000_orders' as kpi,
        {{ quotient('coalesce(oversells.oversells, 0) * 1000', 'flows.orders', 8) }} as value
    from flows
    left join oversells
        on oversells.business_date = flows.business_date and oversells.channel = flows.channel
    where flows.orders > 0
)

select
    kpis.business_date,
    cast(kpis.channel as {{ type_text(20) }}) as channel,
    cast(kpis.kpi as {{ type_text(50) }}) as kpi,
    cast(kpis.value as decimal(28, 8)) as value,
    {{ built_at() }} as built_at
from kpis
