{%- set touched = gold_touched_inventory_kpi_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_inventory_kpi_days(), ['business_date']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}stock as (
    select
        stock.business_date,
        'all' as channel,
        'all' as category,
        stock.sold_items,
        stock.opening_items + stock.added_items as available_items,
        stock.open_cost_base,
        stock.aged_cost_base
    from {{ ref('agg_daily_stock') }} as stock
    {{- gold_only_touched('stock', ['business_date']) }}
    union all
    select
        stock.business_date,
        'all' as channel,
        stock.category,
        stock.sold_items,
        stock.opening_items + stock.added_items as available_items,
        stock.open_cost_base,
        stock.aged_cost_base
    from {{ ref('agg_daily_category_stock') }} as stock
    {{- gold_only_touched('stock', ['business_date']) }}
),

investments as (
    select
        investments.business_date,
        'all' as channel,
        investments.category,
        investments.gmroi
    from {{ ref('rpt_gmroi') }} as investments
    {{- gold_only_touched('investments', ['business_date']) }}
),

times as (
    select
        times.business_date,
        'all' as channel,
        times.category,
        times.median_days
    from {{ ref('agg_daily_days_to_sell') }} as times
    {{- gold_only_touched('times', ['business_date']) }}
),

delistings as (
    select
        delistings.business_date,
        delistings.sold_channel as channel,
        coalesce(items.category, 'unknown') as category,
        delistings.latency_minutes
    from {{ ref('fct_delistings') }} as delistings
    {{- gold_only_touched('delistings', ['business_date']) }}
    inner join {{ ref('dim_item') }} as items on items.item_id = delistings.item_id
    where delistings.latency_minutes is not null
),

all_delistings as (
    {%- for channel in ['delistings.channel', "'all'"] %}
    {%- set outer = loop %}
    {%- for category in ['delistings.category', "'all'"] %}
    select
        delistings.business_date,
        {{ channel }} as channel,
        {{ category }} as category,
        delistings.latency_minutes
    from delistings
    {{ "union all" if not (outer.last and loop.last) }}
    {%- endfor %}
    {%- endfor %}
),

ranked_delistings as (
    select
        all_delistings.*,
        row_number() over (
            partition by all_delistings.business_date, all_delistings.channel, all_delistings.category
            order by all_delistings.latency_minutes
        ) as place,
        count(*) over (
            partition by all_delistings.business_date, all_delistings.channel, all_delistings.category
        ) as items
    from all_delistings
),

-- The least time within which 95 % were taken down.
latencies as (
    select
        ranked_delistings.business_date,
        ranked_delistings.channel,
        ranked_delistings.category,
        min(ranked_delistings.latency_minutes) as latency_minutes
    from ranked_delistings
    where ranked_delistings.place * 100 >= ranked_delistings.items * 95
    group by ranked_delistings.business_date, ranked_delistings.channel, ranked_delistings.category
),

channel_oversells as (
    select oversells.business_date, oversells.channel, count(*) as oversells
    from {{ ref('rpt_oversells') }} as oversells
    {{- gold_only_touched('oversells', ['business_date']) }}
    group by oversells.business_date, oversells.channel
),

oversells as (
    select channel_oversells.business_date, channel_oversells.channel, 'all' as category, channel_oversells.oversells
    from channel_oversells
    union all
    select
        channel_oversells.business_date,
        'all' as channel,
        'all' as category,
        sum(channel_oversells.oversells) as oversells
    from channel_oversells
    group by channel_oversells.business_date
),

channel_orders as (
    select sales.business_date, sales.channel, sales.orders
    from {{ ref('agg_daily_sales') }} as sales
    {{- gold_only_touched('sales', ['business_date']) }}
),

all_orders as (
    {{ with_all_channels('channel_orders', ['business_date', 'orders']) }}
),

orders as (
    select all_orders.business_date, all_orders.channel, sum(all_orders.orders) as orders
    from all_orders
    group by all_orders.business_date, all_orders.channel
),

oversold_orders as (
    select
        orders.business_date,
        orders.channel,
        'all' as category,
        orders.orders,
        coalesce(oversells.oversells, 0) as oversells
    from orders
    left join oversells on oversells.business_date = orders.business_date and oversells.channel = orders.channel
),

kpis as (
    {{ gold_kpi(
        'stock', 'sell_through', quotient('stock.sold_items', 'stock.available_items', 8), 'stock.available_items > 0') }}
    union all
    {{ gold_kpi(
        'stock', 'aged_inventory_pct', quotient('stock.aged_cost_base', 'stock.open_cost_base', 8),
        'stock.open_cost_base > 0') }}
    union all
    {{ gold_kpi('investments', 'gmroi', 'investments.gmroi', 'investments.gmroi is not null') }}
    union all
    {{ gold_kpi('times', 'days_to_sell', 'times.median_days', 'times.median_days is not null') }}
    union all
    {{ gold_kpi('latencies', 'delist_latency_p95', 'latencies.latency_minutes') }}
    union all
    {{ gold_kpi('oversells', 'oversells', 'oversells.oversells') }}
    union all
    {{ gold_kpi(
        'oversold_orders', 'oversells_per_1000_orders',
        quotient('oversold_orders.oversells * 1000', 'oversold_orders.orders', 8), 'oversold_orders.orders > 0') }}
)

{{ gold_typed_kpis('kpis') }}
