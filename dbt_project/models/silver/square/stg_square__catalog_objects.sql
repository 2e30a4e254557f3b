{{ config(
    unique_key='record_id',
    meta={'bound_by': 'version_at'},
    index='HEAP'
) }}
{#- Every version: listings are a history. -#}

{{ stage('square_catalog_objects', [
    ['object_id', 'id', 'text'],
    ['object_type', 'type', 'lower'],
    ['is_deleted', 'is_deleted', 'flag'],
    ['updated_at', 'updated_at', 'time'],
    ['title', 'item_data.name', 'text'],
    ['is_archived', 'item_data.is_archived', 'flag'],
    ['reporting_category_id', 'item_data.reporting_category.id', 'text'],
    ['categories', 'item_data.categories', 'list', square_category_fields()],
    ['variations', 'item_data.variations', 'list', square_variation_fields()],
    ['category_name', 'category_data.name', 'text'],
    ['era', 'custom_attribute_values.era.string_value', 'text'],
    ['maker', 'custom_attribute_values.maker.string_value', 'text'],
    ['material', 'custom_attribute_values.material.string_value', 'text'],
    ['condition', 'custom_attribute_values.condition.string_value', 'text'],
    ['acquired_at', 'custom_attribute_values.acquired_at.string_value', 'date'],
    ['acquisition_cost', 'custom_attribute_values.acquisition_cost.number_value', 'money'],
], keep='every') }}
