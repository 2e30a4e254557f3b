{{ config(unique_key=['record_id', 'ingested_at'], meta={'bound_by': 'ingested_at'}) }}
{#- Every state seen: listings are a history. -#}

{{ stage('ebay_offers', [
    ['offer_id', 'offerId', 'text'],
    ['item_id', 'sku', 'text'],
    ['listing_id', 'listing.listingId', 'text'],
    ['marketplace', 'marketplaceId', 'text'],
    ['offer_state', 'status', 'lower'],
    ['listing_state', 'listing.listingStatus', 'lower'],
    ['quantity', 'availableQuantity', 'int'],
    ['currency', 'pricingSummary.price.currency', 'text'],
    ['price', 'pricingSummary.price.value', 'money'],
], keep='states') }}
