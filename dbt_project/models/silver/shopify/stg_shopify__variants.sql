{{ config(materialized='view') }}

{{ explode(
    ref('stg_shopify__products'), 'variants',
    ['product_id', 'title', 'product_type', 'vendor', 'status', 'created_at', 'metafields', 'record_id',
     'version_at', 'ingested_at', 'built_at'],
    shopify_variant_fields()
) }}
