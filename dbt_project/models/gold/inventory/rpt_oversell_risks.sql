{{ config(materialized='table') }}

with sold as (
    select
        items.item_id,
        items.last_sale_channel,
        items.last_sale_order_id,
        orders.ordered_at as sold_at
    from {{ ref('dim_item') }} as items
    inner join {{ ref('fct_orders') }} as orders
        on
            orders.channel = items.last_sale_channel
            and orders.order_id = items.last_sale_order_id
            and orders.business_date = items.last_sale_date
    where items.close_reason = 'sale'
),

several as (
    {{ gold_items_with_several() | indent(4) }}
)

select
    listings.channel,
    listings.listing_id,
    listings.item_id,
    listings.title,
    listings.currency,
    listings.price_amount,
    sold.last_sale_channel as sold_channel,
    sold.last_sale_order_id as sold_order_id,
    sold.sold_at,
    cast({{ units_between('minute', 'sold.sold_at', built_at()) }} as int) as minutes_since_sale,
    {{ built_at() }} as built_at
from {{ ref('dim_listing') }} as listings
inner join sold on sold.item_id = listings.item_id
where
    {{ is_true('listings.is_current') }}
    and listings.state = 'active'
    and coalesce(listings.quantity, 1) > 0
    and not exists (select 1 from several where several.item_id = listings.item_id)
