{{ config(meta={'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('square_inventory_counts', [
    ['variation_id', 'catalog_object_id', 'text'],
    ['object_type', 'catalog_object_type', 'lower'],
    ['location_id', 'location_id', 'text'],
    ['state', 'state', 'lower'],
    ['quantity', 'quantity', 'money'],
    ['calculated_at', 'calculated_at', 'time'],
]) }}
