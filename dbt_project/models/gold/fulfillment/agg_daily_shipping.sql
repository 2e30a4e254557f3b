{{ config(materialized='table') }}

{# Made anew: an order that waits becomes overdue although nothing is heard of it. #}
with as_of as (
    {{ known_until() }}
),

due as (
    select
        orders.ship_by_date as business_date,
        orders.channel,
        case when {{ is_true('orders.is_on_time') }} then 1 else 0 end as on_time,
        case when {{ is_false('orders.is_on_time') }} then 1 else 0 end as late,
        case when orders.stage = 'to_ship' and orders.ship_by_at < as_of.as_of_at then 1 else 0 end as overdue,
        case when orders.stage = 'to_ship' and orders.ship_by_at >= as_of.as_of_at then 1 else 0 end as waiting
    from {{ ref('fct_order_fulfilments') }} as orders
    cross join as_of
    where orders.stage <> 'cancelled'
),

scoped as (
    {{ with_all_channels('due', ['business_date', 'on_time', 'late', 'overdue', 'waiting']) }}
),

daily as (
    select
        scoped.business_date,
        scoped.channel,
        sum(scoped.on_time) as on_time_orders,
        sum(scoped.late) as late_orders,
        sum(scoped.overdue) as overdue_orders,
        sum(scoped.waiting) as waiting_orders
    from scoped
    group by scoped.business_date, scoped.channel
)

select
    daily.business_date,
    cast(daily.channel as {{ type_text(20) }}) as channel,
    cast(daily.on_time_orders as int) as on_time_orders,
    cast(daily.late_orders as int) as late_orders,
    cast(daily.overdue_orders as int) as overdue_orders,
    cast(daily.waiting_orders as int) as waiting_orders,
    {{ quotient(
        'daily.on_time_orders', 'daily.on_time_orders + daily.late_orders + daily.overdue_orders', 8
    ) }} as on_time_ship_rate,
    {{ built_at() }} as built_at
from daily
