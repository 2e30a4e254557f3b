{{ config(
    unique_key=['channel', 'order_id'],
    meta={'bound_by': 'ordered_at', 'keep_where': 'shipment_id is not null'}
) }}
{#- Parcels sent. An export knows at most one an order. -#}

with shopify_orders as (
    {{ fresh_orders('int_orders__shopify') | indent(4) }}
),

export_orders as (
    {{ fresh_orders('int_orders__exports') | indent(4) }}
),

parcels as (
    select fulfillments.*
    from {{ ref('stg_shopify__fulfillments') }} as fulfillments
    {%- if is_incremental() %}
    where fulfillments.ordered_at >= {{ earliest_fresh('int_orders__shopify') }}
    {%- endif %}
),

sent as (
    select
        orders.channel,
        parcels.shipment_id,
        orders.order_id,
        {{ first_of('parcels.tracking', 'company') }} as carrier,
        {{ first_of('parcels.tracking', 'number') }} as tracking_number,
        coalesce(parcels.display_status, parcels.status) as status,
        parcels.created_at as shipped_at,
        parcels.delivered_at,
        orders.ordered_at
    from shopify_orders as orders
    left join parcels on parcels.order_id = orders.order_id
    union all
    select
        channel,
        case when shipped_at is not null then concat('export:', order_id) end as shipment_id,
        order_id,
        {{ null_text() }} as carrier,
        tracking_number,
        'fulfilled' as status,
        shipped_at,
        {{ null_time() }} as delivered_at,
        ordered_at
    from export_orders
    {{- and_channels('shipments', [
        'channel', 'shipment_id', 'order_id', 'carrier', 'tracking_number', 'status', 'shipped_at', 'delivered_at',
        'ordered_at',
    ]) }}
)

select
    sent.*,
    {{ built_at() }} as built_at
from sent
{%- if not is_incremental() %}
where sent.shipment_id is not null
{%- endif %}
