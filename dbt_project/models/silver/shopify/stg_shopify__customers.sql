{{ config(meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('shopify_customers', [
    ['customer_id', 'legacyResourceId', 'text'],
    ['created_at', 'createdAt', 'time'],
    ['updated_at', 'updatedAt', 'time'],
    ['locale', 'locale', 'text'],
    ['state', 'state', 'lower'],
    ['orders_count', 'numberOfOrders', 'int'],
    ['email_marketing_state', 'defaultEmailAddress.marketingState', 'lower'],
    ['country', 'defaultAddress.countryCodeV2', 'text'],
    ['postcode_area', 'defaultAddress.zip', 'text'],
]) }}
