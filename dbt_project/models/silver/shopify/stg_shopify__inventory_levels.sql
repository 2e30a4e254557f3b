{{ config(
    meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']},
    index='HEAP'
) }}

{{ stage('shopify_inventory_levels', [
    ['location_id', 'location.id', 'gid'],
    ['item_id', 'item.sku', 'text'],
    ['is_active', 'isActive', 'flag'],
    ['created_at', 'createdAt', 'time'],
    ['updated_at', 'updatedAt', 'time'],
    ['quantities', 'quantities', 'list', shopify_quantity_fields()],
]) }}
