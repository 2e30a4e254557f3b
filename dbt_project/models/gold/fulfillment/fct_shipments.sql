{%- set touched = gold_touched_shipments() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_shipments(), ['channel', 'shipment_id']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}shipments as (
    select
        shipments.channel,
        shipments.shipment_id,
        shipments.order_id,
        shipments.carrier,
        shipments.tracking_number,
        shipments.status,
        orders.ordered_at,
        shipments.shipped_at,
        shipments.first_scan_at,
        shipments.promised_at,
        shipments.delivered_at,
        shipments.returned_at,
        {{ business_date('shipments.shipped_at') }} as shipped_date,
        {{ business_date('shipments.promised_at') }} as promised_date,
        {{ business_date('shipments.delivered_at') }} as delivered_date,
        destinations.country as ship_country,
        destinations.region as ship_region,
        nullif(destinations.postcode_area, '') as ship_postcode_area,
        destinations.distance_km
    from {{ ref('shipments') }} as shipments
    {% if is_incremental() %}
    inner join touched on touched.channel = shipments.channel and touched.shipment_id = shipments.shipment_id
    {% endif %}
    left join {{ ref('orders') }} as orders
        on orders.channel = shipments.channel and orders.order_id = shipments.order_id
    left join {{ ref('destinations') }} as destinations
        on destinations.stated_country = orders.ship_country
        and destinations.postcode_area = coalesce(orders.ship_postcode_area, '')
),

zoned as (
    {{ zones_of('shipments', ['channel', 'shipment_id'], 'shipped_date', 'carrier') | indent(4) }}
)

select
    shipments.channel,
    shipments.shipment_id,
    shipments.order_id,
    shipments.carrier,
    shipments.tracking_number,
    shipments.status,
    shipments.ordered_at,
    shipments.shipped_at,
    shipments.shipped_date,
    shipments.first_scan_at,
    shipments.promised_date,
    shipments.delivered_at,
    shipments.delivered_date,
    shipments.returned_at,
    cast({{ days_between('shipped_date', 'delivered_date') }} as int) as delivery_days,
    cast(case when delivered_date > promised_date then 1 when delivered_date <= promised_date then 0 end
        as {{ type_flag() }}) as is_late,
    shipments.ship_country,
    shipments.ship_region,
    shipments.ship_postcode_area,
    shipments.distance_km,
    zoned.zone,
    cast({{ units_between('hour', 'ordered_at', 'shipped_at') }} as int) as hours_to_ship,
    cast({{ units_between('hour', 'shipped_at', 'delivered_at') }} as int) as hours_in_transit,
    {{ built_at() }} as built_at
from shipments
left join zoned
    on zoned.channel = shipments.channel and zoned.shipment_id = shipments.shipment_id
