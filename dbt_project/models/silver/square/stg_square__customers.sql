{{ config(meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('square_customers', [
    ['customer_id', 'id', 'text'],
    ['created_at', 'created_at', 'time'],
    ['creation_source', 'creation_source', 'lower'],
    ['country', 'address.country', 'text'],
    ['postcode_area', 'address.postal_code', 'text'],
    ['is_email_unsubscribed', 'preferences.email_unsubscribed', 'flag'],
]) }}
