{{ config(materialized='view') }}
{#-
  Parcels of eBay's orders: each link of an order's fulfilments ends in the parcel's id, which is its tracking number where
  it has one. The order does not say when it left.
-#}

with parcels as (
    {{ explode_values(
        ref('int_orders__ebay'), 'fulfilment_links',
        ['channel', 'order_id', 'ordered_at', 'reject_reason', 'built_at'],
        'link'
    ) | indent(4) }}
)

select
    channel,
    {{ gid_tail('link') }} as shipment_id,
    order_id,
    {{ null_text() }} as carrier,
    {{ gid_tail('link') }} as tracking_number,
    'fulfilled' as status,
    {{ null_time() }} as shipped_at,
    {{ null_time() }} as delivered_at,
    ordered_at,
    built_at
from parcels
where reject_reason is null
union all
select
    channel,
    {{ null_text() }} as shipment_id,
    order_id,
    {{ null_text() }} as carrier,
    {{ null_text() }} as tracking_number,
    {{ null_text() }} as status,
    {{ null_time() }} as shipped_at,
    {{ null_time() }} as delivered_at,
    ordered_at,
    built_at
from {{ ref('int_orders__ebay') }}
where reject_reason is null
