{{ config(materialized='view') }}
{#- What eBay may still sell of a SKU. It names the place only where the seller does, and no time of change. -#}

select
    'ebay' as channel,
    natural_key as inventory_key,
    {{ first_of('places', 'merchantLocationKey') }} as location_id,
    item_id,
    quantity as available,
    cast(null as integer) as on_hand,
    cast(null as integer) as committed,
    version_at as created_at,
    ingested_at as updated_at,
    built_at
from {{ ref('stg_ebay__inventory_items') }}
