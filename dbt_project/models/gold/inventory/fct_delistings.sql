{%- set touched = gold_rebuilt_sold_items() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_rebuilt_sold_items(), ['item_id']]]) }}"
) }}

{#
  A listing is taken down where its first version that is not on offer begins, after the last one that was. When a listing
  ended that was never seen on offer is not known: it is left out.
#}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}sold as (
    select
        items.item_id,
        items.last_sale_channel as sold_channel,
        items.last_sale_order_id as sold_order_id,
        items.last_sale_date as business_date,
        orders.ordered_at as sold_at
    from {{ ref('dim_item') }} as items
    {{- gold_only_touched('items', ['item_id']) }}
    inner join {{ ref('fct_orders') }} as orders
        on
            orders.channel = items.last_sale_channel
            and orders.order_id = items.last_sale_order_id
            and orders.business_date = items.last_sale_date
    where items.close_reason = 'sale'
),

several as (
    {{ gold_items_with_several() | indent(4) }}
),

versions as (
    select
        listings.channel,
        listings.listing_id,
        listings.item_id,
        listings.valid_from,
        case when listings.state = 'active' and coalesce(listings.quantity, 1) > 0 then 1 else 0 end as is_offered,
        case when {{ is_true('listings.is_current') }} then 1 else 0 end as is_current
    from {{ ref('dim_listing') }} as listings
    inner join sold on sold.item_id = listings.item_id
),

last_offers as (
    select
        versions.channel,
        versions.listing_id,
        max(case when versions.is_offered = 1 then versions.valid_from end) as offered_from,
        max(case when versions.is_offered = 1 and versions.is_current = 1 then 1 else 0 end) as is_active
    from versions
    group by versions.channel, versions.listing_id
),

ends as (
    select
        versions.item_id,
        versions.channel,
        versions.listing_id,
        max(last_offers.is_active) as is_active,
        min(case
            when versions.is_offered = 0 and versions.valid_from > last_offers.offered_from then versions.valid_from
        end) as delisted_at
    from versions
    inner join last_offers
        on last_offers.channel = versions.channel and last_offers.listing_id = versions.listing_id
    group by versions.item_id, versions.channel, versions.listing_id
),

items as (
    select
        ends.item_id,
        count(*) as listings,
        sum(ends.is_active) as active_listings,
        max(ends.delisted_at) as delisted_at
    from ends
    group by ends.item_id
)

select
    sold.item_id,
    sold.sold_channel,
    sold.sold_order_id,
    sold.sold_at,
    sold.business_date,
    cast(items.listings as int) as listings,
    cast(items.active_listings as int) as active_listings,
    case when items.active_listings = 0 then items.delisted_at end as delisted_at,
    cast(
        case
            when items.active_listings > 0 or items.delisted_at is null then null
            when items.delisted_at <= sold.sold_at then 0
            else {{ units_between('minute', 'sold.sold_at', 'items.delisted_at') }}
        end as int
    ) as latency_minutes,
    {{ built_at() }} as built_at
from sold
inner join items on items.item_id = sold.item_id
where not exists (select 1 from several where several.item_id = sold.item_id)
