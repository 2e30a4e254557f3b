{{ config(unique_key='order_id', meta={'bound_by': 'ordered_at'}) }}
{#- Parcels that Etsy was told of; a row of nulls for a receipt without any. -#}

with orders as (
    {{ fresh_orders('int_orders__etsy') | indent(4) }}
),

parcels as (
    select
        shipments.order_id,
        shipments.carrier,
        shipments.tracking_number,
        shipments.shipped_at,
        coalesce(shipments.shipment_id, concat(shipments.order_id, ':', row_number() over (
            partition by shipments.order_id order by shipments.shipped_at, shipments.tracking_number
        ))) as shipment_id
    from {{ ref('stg_etsy__shipments') }} as shipments
    {%- if is_incremental() %}
    where shipments.ordered_at >= {{ earliest_fresh('int_orders__etsy') }}
    {%- endif %}
)

select
    orders.channel,
    parcels.shipment_id,
    orders.order_id,
    parcels.carrier,
    parcels.tracking_number,
    case when parcels.shipment_id is not null then 'shipped' end as status,
    parcels.shipped_at,
    {{ null_time() }} as delivered_at,
    orders.ordered_at,
    {{ built_at() }} as built_at
from orders
left join parcels on parcels.order_id = orders.order_id
