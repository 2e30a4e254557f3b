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
        {{ business_date('shipments.delivered_at') }} as delivered_date
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
    first_scan_at,
    promised_date,
    delivered_at,
    delivered_date,
    returned_at,
    cast({{ days_between('shipped_date', 'delivered_date') }} as int) as delivery_days,
    cast(case when delivered_date > promised_date then 1 when delivered_date <= promised_date then 0 end
        as {{ type_flag() }}) as is_late,
    cast({{ dbt.datediff('ordered_at', 'shipped_at', 'hour') }} as int) as hours_to_ship,
    cast({{ dbt.datediff('shipped_at', 'delivered_at', 'hour') }} as int) as hours_in_transit,
    {{ built_at() }} as built_at
from shipments
