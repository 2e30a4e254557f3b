{{ config(materialized='table') }}

with orders as (
    select
        orders.person_id,
        {{ month_start('orders.business_date') }} as order_month,
        min({{ month_start('orders.business_date') }}) over (partition by orders.person_id) as cohort_month,
        orders.net_base
    from {{ ref('fct_orders') }} as orders
    where orders.person_id is not null and {{ is_true('orders.is_sale') }}
),

active as (
    select
        orders.cohort_month,
        orders.order_month,
        count(distinct orders.person_id) as active_customers,
        count(*) as orders,
        {{ gold_sum('orders.net_base') }} as net_revenue_base
    from orders
    group by orders.cohort_month, orders.order_month
),

sizes as (
    select active.cohort_month, active.active_customers as customers
    from active
    where active.order_month = active.cohort_month
)

select
    active.cohort_month,
    cast({{ dbt.datediff('active.cohort_month', 'active.order_month', 'month') }} as int) as months_since,
    active.order_month,
    cast(sizes.customers as int) as customers,
    cast(active.active_customers as int) as active_customers,
    {{ quotient('active.active_customers', 'sizes.customers', 8) }} as retention,
    cast(active.orders as int) as orders,
    active.net_revenue_base,
    {{ built_at() }} as built_at
from active
inner join sizes on sizes.cohort_month = active.cohort_month
