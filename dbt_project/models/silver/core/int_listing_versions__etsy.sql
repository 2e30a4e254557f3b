{{ config(materialized='view') }}
{#- Versions of Etsy's listings as seen. A listing with variations is one listing: its first product's SKU stands for it. -#}

select
    'etsy' as channel,
    listing_id as product_id,
    listing_id as variant_id,
    nullif({{ first_of('products', 'sku') }}, '') as item_id,
    title,
    status,
    price,
    quantity,
    currency,
    created_at,
    version_at,
    ingested_at,
    record_id,
    built_at
from {{ ref('stg_etsy__listings') }}
