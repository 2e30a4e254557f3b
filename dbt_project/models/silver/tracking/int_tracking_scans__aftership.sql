{{ config(materialized='view') }}
{#- What AfterShip tells. Newer versions of its API name the country and postcode otherwise than older ones. -#}

{%- set trackings = ref('stg_aftership__trackings') %}

with scans as (
    {{ explode(
        trackings, 'scans', ['record_id', 'tracking_number', 'carrier', 'version_at', 'built_at'],
        aftership_checkpoint_fields()
    ) | indent(4) }}
)

select
    'aftership' as provider,
    record_id, tracking_number, carrier, version_at, built_at,
    0 as is_summary,
    occurred_at, provider_status, provider_detail,
    coalesce(country, country_iso3) as country,
    region,
    coalesce(postcode, zip) as postcode_area
from scans
union all
select
    'aftership' as provider,
    record_id, tracking_number, carrier, version_at, built_at,
    1 as is_summary,
    updated_at as occurred_at,
    status as provider_status,
    status_detail as provider_detail,
    {{ null_text() }} as country, {{ null_text() }} as region, {{ null_text() }} as postcode_area
from {{ trackings }}
