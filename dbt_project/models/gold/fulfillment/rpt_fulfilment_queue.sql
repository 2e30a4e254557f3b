{{ config(materialized='table') }}

with as_of as (
    {{ known_until() }}
),

clocks as (
    select
        orders.*,
        as_of.as_of_at,
        case when orders.stage = 'to_ship' then orders.ship_by_at end as ship_due_at,
        case when orders.stage = 'to_scan'
            then {{ add_minutes('orders.shipped_at', 1440 * var('first_scan_within_days')) }} end as scan_due_at,
        case when orders.stage in ('to_scan', 'under_way') then orders.promised_at end as delivery_due_at,
        case when orders.stage = 'under_way'
            then {{ add_minutes('orders.last_event_at', 1440 * var('scan_every_days')) }} end as silent_from_at
    from {{ ref('fct_order_fulfilments') }} as orders
    cross join as_of
    where orders.stage in ('to_ship', 'to_scan', 'under_way')
),

{#- The clocks, one row each: T-SQL has no least(). #}
running as (
    {%- for clock, column in [
        ('ship', 'ship_due_at'), ('first_scan', 'scan_due_at'), ('delivery', 'delivery_due_at'), ('silence', 'silent_from_at')
    ] %}
    select clocks.channel, clocks.order_id, '{{ clock }}' as clock, {{ loop.index }} as clock_order, clocks.{{ column }} as due_at
    from clocks
    where clocks.{{ column }} is not null
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

next_clocks as (
    select
        running.channel,
        running.order_id,
        running.clock,
        running.due_at,
        row_number() over (
            partition by running.channel, running.order_id order by running.due_at, running.clock_order
        ) as place
    from running
)

select
    cast(row_number() over (
        order by
            case when next_clocks.due_at is null then 1 else 0 end,
            next_clocks.due_at, clocks.ordered_at, clocks.channel, clocks.order_id
    ) as int) as urgency,
    clocks.channel,
    clocks.order_id,
    clocks.as_of_at,
    clocks.ordered_at,
    clocks.ship_country,
    clocks.units,
    clocks.total_base,
    clocks.stage,
    cast(next_clocks.clock as {{ type_text(20) }}) as next_clock,
    next_clocks.due_at,
    cast({{ units_between('hour', 'clocks.as_of_at', 'next_clocks.due_at') }} as int) as hours_left,
    clocks.ship_due_at,
    clocks.is_promised,
    clocks.scan_due_at,
    clocks.delivery_due_at,
    clocks.silent_from_at,
    {{ flag('clocks.ship_due_at < clocks.as_of_at') }} as is_ship_overdue,
    {{ flag('clocks.scan_due_at < clocks.as_of_at') }} as is_scan_overdue,
    {{ flag('clocks.delivery_due_at < clocks.as_of_at') }} as is_delivery_overdue,
    {{ flag('clocks.silent_from_at < clocks.as_of_at') }} as is_silent,
    {{ built_at() }} as built_at
from clocks
left join next_clocks
    on next_clocks.channel = clocks.channel and next_clocks.order_id = clocks.order_id and next_clocks.place = 1
