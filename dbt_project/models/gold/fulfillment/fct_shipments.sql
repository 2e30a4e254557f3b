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
        shipments.delivered_at,
        {{ business_date('shipments.shipped_at') }} as shipped_date
    from {{ ref('shipments') }} as shipments
    {% if is_incremental() %}
    inner join touched on touched.channel = shipments.channel and touched.shipment_id = shipments.shipment_id
    {% endif %}
    left join {{ ref('orders') }} as orders
        on orders.channel = shipments.channel and orders.order_id = shipments.order_id
)

select
    channel,
    shipment_id,
    order_id,
    carrier,
    tracking_number,
    status,
    ordered_at,
    shipped_at,
    shipped_date,
    delivered_at,
    cast({{ dbt.datediff('ordered_at', 'shipped_at', 'hour') }} as int) as hours_to_ship,
    cast({{ dbt.datediff('shipped_at', 'delivered_at', 'hour') }} as int) as hours_in_transit,
    {{ built_at() }} as built_at
from shipments
