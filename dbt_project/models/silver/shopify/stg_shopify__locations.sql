{{ config(meta={'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('shopify_locations', [
    ['location_id', 'legacyResourceId', 'text'],
    ['name', 'name', 'text'],
    ['is_active', 'isActive', 'flag'],
    ['is_primary', 'isPrimary', 'flag'],
    ['created_at', 'createdAt', 'time'],
    ['country', 'address.countryCode', 'text'],
    ['postcode_area', 'address.zip', 'text'],
]) }}
