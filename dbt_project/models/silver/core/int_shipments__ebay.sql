{{ config(unique_key='order_id', meta={'bound_by': 'ordered_at'}) }}
{#-
  Parcels of eBay's orders; a row of nulls for an order without any. Each link of an order's fulfilments ends in the parcel's
  id; what else there is to a parcel comes apart from the order, before or after it. Until then the id is taken for the
  tracking number, which it is where the parcel has one.
-#}
{%- set earliest_order = earliest_fresh('int_orders__ebay') %}
{%- set earliest_parcel = earliest_fresh('stg_ebay__fulfillments') %}

with sent as (
    select
        fulfillments.order_id,
        fulfillments.fulfillment_id,
        fulfillments.carrier,
        fulfillments.tracking_number,
        fulfillments.shipped_at,
        fulfillments.built_at
    from {{ ref('stg_ebay__fulfillments') }} as fulfillments
    {%- if is_incremental() %}
    where fulfillments.ordered_at >= {{ earliest_order }} or fulfillments.ordered_at >= {{ earliest_parcel }}
    {%- endif %}
),

touched as (
    select orders.channel, orders.order_id, orders.ordered_at, orders.fulfilment_links
    from {{ ref('int_orders__ebay') }} as orders
    where orders.reject_reason is null
    {%- if is_incremental() %}
        and (orders.ordered_at >= {{ earliest_order }} or orders.ordered_at >= {{ earliest_parcel }})
        and (
            orders.built_at > {{ watermark() }}
            or exists (
                select 1
                from sent
                where sent.order_id = orders.order_id and sent.built_at > {{ watermark() }}
            )
        )
    {%- endif %}
),

parcels as (
    {{ explode_values('touched', 'fulfilment_links', ['channel', 'order_id', 'ordered_at'], 'link') | indent(4) }}
)

select
    parcels.channel,
    {{ gid_tail('parcels.link') }} as shipment_id,
    parcels.order_id,
    sent.carrier,
    case when sent.order_id is null then {{ gid_tail('parcels.link') }} else sent.tracking_number end as tracking_number,
    'fulfilled' as status,
    sent.shipped_at,
    {{ null_time() }} as delivered_at,
    parcels.ordered_at,
    {{ built_at() }} as built_at
from parcels
left join sent on sent.order_id = parcels.order_id and sent.fulfillment_id = {{ gid_tail('parcels.link') }}
union all
select
    touched.channel,
    {{ null_text() }} as shipment_id,
    touched.order_id,
    {{ null_text() }} as carrier,
    {{ null_text() }} as tracking_number,
    {{ null_text() }} as status,
    {{ null_time() }} as shipped_at,
    {{ null_time() }} as delivered_at,
    touched.ordered_at,
    {{ built_at() }} as built_at
from touched
