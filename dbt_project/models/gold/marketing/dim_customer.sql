{%- set touched = gold_touched_people() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_people(), ['person_id']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}sales as (
    select
        orders.person_id,
        orders.channel,
        orders.order_id,
        orders.ordered_at,
        orders.business_date,
        orders.units,
        orders.net_base,
        orders.ship_country,
        orders.ship_postcode_area
    from {{ ref('fct_orders') }} as orders
    {% if is_incremental() %}
    inner join touched on touched.person_id = orders.person_id
    {% endif %}
    where orders.person_id is not null and {{ is_true('orders.is_sale') }}
),

customers as (
    select customers.*
    from {{ ref('customers') }} as customers
    {% if is_incremental() %}
    inner join touched on touched.person_id = customers.person_id
    {% endif %}
),

people as (
    select sales.person_id
    from sales
    union
    select customers.person_id
    from customers
),

totals as (
    select
        sales.person_id,
        count(*) as orders,
        sum(sales.units) as units,
        min(sales.ordered_at) as first_ordered_at,
        max(sales.ordered_at) as last_ordered_at,
        min(sales.business_date) as first_order_date,
        max(sales.business_date) as last_order_date,
        {{ gold_sum('sales.net_base') }} as net_revenue_base
    from sales
    group by sales.person_id
),

ranked as (
    select
        sales.person_id,
        sales.ship_country,
        sales.ship_postcode_area,
        row_number() over (
            partition by sales.person_id order by sales.ordered_at desc, sales.channel, sales.order_id
        ) as recency
    from sales
),

person_channels as (
    select distinct
        sales.person_id,
        sales.channel
    from sales
),

channel_lists as (
    select
        person_channels.person_id,
        {{ comma_list('person_channels.channel') }} as channels
    from person_channels
    group by person_channels.person_id
)

select
    people.person_id,
    customers.first_seen_at,
    totals.first_ordered_at,
    totals.last_ordered_at,
    totals.first_order_date,
    totals.last_order_date,
    cast(coalesce(totals.orders, 0) as int) as orders,
    cast(coalesce(totals.units, 0) as int) as units,
    cast(coalesce(totals.net_revenue_base, 0) as {{ type_money() }}) as net_revenue_base,
    channel_lists.channels,
    coalesce(customers.country, ranked.ship_country) as country,
    coalesce(customers.postcode_area, ranked.ship_postcode_area) as postcode_area,
    {{ flag('totals.orders >= 2') }} as is_repeat,
    {{ flag(is_true('customers.email_consent')) }} as has_email_consent,
    {{ built_at() }} as built_at
from people
left join customers on customers.person_id = people.person_id
left join totals on totals.person_id = people.person_id
left join channel_lists on channel_lists.person_id = people.person_id
left join ranked on ranked.person_id = people.person_id and ranked.recency = 1
