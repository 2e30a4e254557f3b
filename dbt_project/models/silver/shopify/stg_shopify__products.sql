{{ config(
    unique_key='record_id',
    meta={'bound_by': 'version_at'},
    index='HEAP'
) }}
{#- Every version: listings are a history. HEAP because of the lists, see stg_shopify__orders. -#}

{{ stage('shopify_products', [
    ['product_id', 'legacyResourceId', 'text'],
    ['title', 'title', 'text'],
    ['product_type', 'productType', 'text'],
    ['vendor', 'vendor', 'text'],
    ['status', 'status', 'lower'],
    ['created_at', 'createdAt', 'time'],
    ['updated_at', 'updatedAt', 'time'],
    ['published_at', 'publishedAt', 'time'],
    ['variants', 'variants.nodes', 'list', shopify_variant_fields()],
    ['metafields', 'metafields.nodes', 'list', shopify_metafield_fields()],
], keep='every') }}
