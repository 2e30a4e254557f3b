{%- set touched = gold_touched_order_fulfilments() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_order_fulfilments(), ['channel', 'order_id']]]) }}"
) }}

{# What is bought in the shop is carried home; an order that is no sale is kept, so that its days forget it. #}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}orders as (
    select
        orders.*,
        coalesce(
            promises.ship_by_at, {{ add_minutes('orders.ordered_at', 1440 * var('ship_within_days')) }}
        ) as ship_by_at,
        {{ flag('promises.ship_by_at is not null') }} as is_promised
    from {{ ref('fct_orders') }} as orders
    {% if is_incremental() %}
    inner join touched on touched.channel = orders.channel and touched.order_id = orders.order_id
    {% endif %}
    left join {{ ref('ship_promises') }} as promises
        on promises.channel = orders.channel and promises.order_id = orders.order_id
    where orders.channel <> 'pos'
),

parcels as (
    select
        shipments.channel,
        shipments.order_id,
        count(*) as parcels,
        count(shipments.tracking_number) as tracked,
        count(shipments.shipped_at) as timed,
        max(shipments.shipped_at) as shipped_at,
        count(shipments.first_scan_at) as scanned,
        max(shipments.first_scan_at) as first_scan_at,
        count(coalesce(shipments.delivered_at, shipments.returned_at)) as arrived,
        max(shipments.delivered_at) as delivered_at,
        min(case when coalesce(shipments.delivered_at, shipments.returned_at) is null then shipments.promised_at end)
            as promised_at,
        min(case when coalesce(shipments.delivered_at, shipments.returned_at) is null then shipments.last_event_at end)
            as last_event_at
    from {{ ref('shipments') }} as shipments
    inner join orders on orders.channel = shipments.channel and orders.order_id = shipments.order_id
    group by shipments.channel, shipments.order_id
),

states as (
    select
        orders.channel,
        orders.order_id,
        orders.ordered_at,
        orders.business_date,
        orders.is_sale,
        orders.ship_by_at,
        orders.is_promised,
        orders.ship_country,
        orders.units,
        orders.total_base,
        coalesce(parcels.parcels, 0) as parcels,
        case
            when orders.fulfilment_status = 'fulfilled' and parcels.timed = parcels.parcels then parcels.shipped_at
            when orders.fulfilment_status = 'fulfilled' and parcels.scanned = parcels.parcels then parcels.first_scan_at
        end as shipped_at,
        case when parcels.scanned = parcels.parcels then parcels.first_scan_at end as first_scan_at,
        case when parcels.arrived = parcels.parcels then parcels.delivered_at end as delivered_at,
        parcels.promised_at,
        parcels.last_event_at,
        case
            when {{ is_false('orders.is_sale') }} or orders.cancelled_at is not null
                or (orders.fulfilment_status <> 'fulfilled' and orders.payment_status = 'refunded') then 'cancelled'
            when orders.fulfilment_status <> 'fulfilled' then 'to_ship'
            when parcels.arrived = parcels.parcels then 'arrived'
            when coalesce(parcels.tracked, 0) = 0 then 'untracked'
            when parcels.scanned < parcels.tracked then 'to_scan'
            else 'under_way'
        end as stage
    from orders
    left join parcels on parcels.channel = orders.channel and parcels.order_id = orders.order_id
)

select
    states.channel,
    states.order_id,
    states.ordered_at,
    states.business_date,
    states.is_sale,
    states.ship_country,
    cast(states.units as int) as units,
    states.total_base,
    cast(states.parcels as int) as parcels,
    cast(states.stage as {{ type_text(20) }}) as stage,
    states.ship_by_at,
    {{ business_date('states.ship_by_at') }} as ship_by_date,
    states.is_promised,
    states.shipped_at,
    cast(case when states.shipped_at > states.ship_by_at then 0 when states.shipped_at <= states.ship_by_at then 1 end
        as {{ type_flag() }}) as is_on_time,
    states.first_scan_at,
    states.promised_at,
    states.last_event_at,
    states.delivered_at,
    {{ built_at() }} as built_at
from states
