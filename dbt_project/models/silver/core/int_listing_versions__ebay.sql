{{ config(materialized='view') }}
{#-
  Every state of eBay's offers that was seen. eBay says neither when an offer was made nor when it changed: a state counts
  from the moment it was seen. The title is that of the SKU, and may be told or changed after the offer.
-#}

select
    'ebay' as channel,
    coalesce(offers.listing_id, offers.offer_id) as product_id,
    offers.offer_id as variant_id,
    offers.item_id,
    items.title,
    case
        when offers.listing_state is null and offers.offer_state = 'unpublished' then 'draft'
        when offers.listing_state = 'ended' then 'archived'
        when offers.listing_state = 'out_of_stock' then 'sold_out'
        else coalesce(offers.listing_state, offers.offer_state)
    end as status,
    offers.price,
    offers.quantity,
    offers.currency,
    {{ version_at('offers.source_updated_at') }} as created_at,
    {{ null_time() }} as state_since,
    offers.ingested_at as version_at,
    offers.ingested_at,
    offers.record_id,
    case when items.built_at > offers.built_at then items.built_at else offers.built_at end as built_at
from {{ ref('stg_ebay__offers') }} as offers
left join {{ ref('stg_ebay__inventory_items') }} as items on items.item_id = offers.item_id
