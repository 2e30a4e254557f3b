{{ config(unique_key=['channel', 'inventory_key'], meta={'bound_by': 'created_at'}) }}
{#- The quantities of an item at a place, as last reported. -#}

with quantities as (
    {{ explode(
        ref('stg_shopify__inventory_levels'), 'quantities',
        ['natural_key', 'location_id', 'item_id', 'created_at', 'updated_at', 'built_at'],
        shopify_quantity_fields()
    ) | indent(4) }}
)

select
    'shopify' as channel,
    natural_key as inventory_key,
    location_id,
    item_id,
    max(case when quantity_name = 'available' then quantity end) as available,
    max(case when quantity_name = 'on_hand' then quantity end) as on_hand,
    max(case when quantity_name = 'committed' then quantity end) as committed,
    created_at,
    coalesce(max(changed_at), updated_at) as updated_at,
    {{ built_at() }} as built_at
from quantities
where built_at > {{ watermark() }}
group by natural_key, location_id, item_id, created_at, updated_at
{{- and_channels('inventory_levels', [
    'channel', 'inventory_key', 'location_id', 'item_id', 'available', 'on_hand', 'committed', 'created_at', 'updated_at', built_at() ~ ' as built_at',
]) }}
