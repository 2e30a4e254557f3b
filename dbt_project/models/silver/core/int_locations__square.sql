{{ config(materialized='view') }}
{#- Square's locations in the conformed form. -#}

select
    'pos' as channel,
    location_id,
    name,
    coalesce(country, address_country) as country,
    postcode as postcode_area,
    {{ flag("status = 'active'") }} as is_active,
    built_at
from {{ ref('stg_square__locations') }}
