{{ config(unique_key=['channel', 'location_id']) }}
{#- Places that hold stock. -#}

select
    'shopify' as channel,
    location_id,
    name,
    country,
    postcode_area,
    {{ flag(is_true('is_active')) }} as is_active,
    {{ built_at() }} as built_at
from {{ ref('stg_shopify__locations') }}
where built_at > {{ watermark() }}
{{- and_channels('locations', [
    'channel', 'location_id', 'name', 'country', 'postcode_area', 'is_active', built_at() ~ ' as built_at',
]) }}
