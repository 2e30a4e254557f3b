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

-- The carrier's own rule before everybody's, the longest prefix before a shorter one, a table before the distance.
zoned as (
    select
        shipments.channel,
        shipments.shipment_id,
        zones.zone,
        row_number() over (
            partition by shipments.channel, shipments.shipment_id
            order by
                case when zones.carrier = '' then 0 else 1 end desc,
                case when zones.country = '' then 0 else 1 end desc,
                {{ text_length('zones.postcode_prefix') }} desc,
                {{ text_length('zones.ship_from_prefix') }} desc,
                case when zones.ship_from_country = '' then 0 else 1 end desc,
                zones.valid_from desc,
                zones.rule_id
        ) as place
    from shipments
    inner join {{ ref('delivery_zones') }} as zones
        on zones.carrier in ('', lower(shipments.carrier))
        and zones.country in ('', shipments.ship_country)
        and (zones.postcode_prefix = '' or shipments.ship_postcode_area like concat(zones.postcode_prefix, '%'))
        and zones.ship_from_country in ('', '{{ ship_from()[0] }}')
        and '{{ ship_from()[1] }}' like concat(zones.ship_from_prefix, '%')
        and zones.valid_from <= shipments.shipped_date
        and (zones.valid_to is null or zones.valid_to > shipments.shipped_date)
        and (zones.min_km is null or (shipments.distance_km >= zones.min_km and shipments.distance_km < zones.max_km))
    where shipments.carrier is not null
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
    cast({{ dbt.datediff('ordered_at', 'shipped_at', 'hour') }} as int) as hours_to_ship,
    cast({{ dbt.datediff('shipped_at', 'delivered_at', 'hour') }} as int) as hours_in_transit,
    {{ built_at() }} as built_at
from shipments
left join zoned
    on zoned.channel = shipments.channel and zoned.shipment_id = shipments.shipment_id and zoned.place = 1
