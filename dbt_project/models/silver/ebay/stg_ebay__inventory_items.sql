{{ config(meta={'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}
{#- HEAP because of the list, see stg_ebay__orders. -#}

{{ stage('ebay_inventory_items', [
    ['item_id', 'sku', 'text'],
    ['title', 'product.title', 'text'],
    ['condition', 'condition', 'lower'],
    ['quantity', 'availability.shipToLocationAvailability.quantity', 'int'],
    ['places', 'availability.shipToLocationAvailability.availabilityDistributions', 'list', ebay_place_fields()],
]) }}
