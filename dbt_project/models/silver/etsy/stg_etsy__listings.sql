{{ config(unique_key='record_id', meta={'bound_by': 'version_at'}, index='HEAP') }}
{#- Every version: listings are a history. Its creation time begins anew when a listing is renewed, the original does not. -#}

{{ stage('etsy_listings', [
    ['listing_id', 'listing_id', 'text'],
    ['title', 'title', 'text'],
    ['status', 'state', 'lower'],
    ['created_at', 'original_creation_timestamp', 'epoch'],
    ['state_since', 'state_timestamp', 'epoch'],
    ['currency', 'price.currency_code', 'text'],
    ['price', 'price', 'divided'],
    ['quantity', 'quantity', 'int'],
    ['products', 'inventory.products', 'list', etsy_product_fields()],
], keep='every') }}
