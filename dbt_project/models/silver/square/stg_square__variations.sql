{{ config(materialized='view') }}

with exploded as (
    {{ explode(
        ref('stg_square__catalog_objects'), 'variations',
        ['object_id', 'title', 'is_archived', 'is_deleted as is_item_deleted', 'reporting_category_id', 'categories', 'era',
         'maker', 'material', 'condition', 'acquired_at', 'acquisition_cost', 'record_id', 'version_at', 'ingested_at',
         'built_at'],
        square_variation_fields()
    ) | indent(4) }}
)

select
    object_id,
    variation_id,
    nullif(item_id, '') as item_id,
    title,
    case
        when {{ is_true('is_item_deleted') }} or {{ is_true('is_deleted') }} or {{ is_true('is_archived') }} then 'archived'
        else 'active'
    end as state,
    coalesce(reporting_category_id, {{ first_of('categories', 'id') }}) as category_id,
    era,
    maker,
    material,
    condition,
    acquired_at,
    acquisition_cost,
    currency,
    {{ from_minor('price_minor', 'currency') }} as price,
    record_id,
    version_at,
    ingested_at,
    built_at
from exploded
