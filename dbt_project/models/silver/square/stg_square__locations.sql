{{ config(meta={'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('square_locations', [
    ['location_id', 'id', 'text'],
    ['name', 'name', 'text'],
    ['status', 'status', 'lower'],
    ['created_at', 'created_at', 'time'],
    ['timezone', 'timezone', 'text'],
    ['currency', 'currency', 'text'],
    ['country', 'country', 'text'],
    ['address_country', 'address.country', 'text'],
    ['postcode', 'address.postal_code', 'text'],
]) }}
