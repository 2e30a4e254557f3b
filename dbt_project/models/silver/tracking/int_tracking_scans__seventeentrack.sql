{{ config(materialized='view') }}
{#- What 17TRACK tells: the events of every carrier that had the parcel, and its present status where they lack it. -#}

{%- set trackings = ref('stg_seventeentrack__trackings') %}

with providers as (
    {{ explode(
        trackings, 'providers', ['record_id', 'tracking_number', 'carrier', 'version_at', 'built_at'],
        seventeentrack_provider_fields()
    ) | indent(4) }}
),

scans as (
    {{ explode(
        'providers', 'scans', ['record_id', 'tracking_number', 'carrier', 'version_at', 'built_at'],
        seventeentrack_event_fields()
    ) | indent(4) }}
)

select
    'seventeentrack' as provider,
    record_id, tracking_number, carrier, version_at, built_at,
    0 as is_summary,
    occurred_at,
    {{ text_before('provider_detail', '_') }} as provider_status,
    provider_detail, country, region, postcode_area
from scans
where provider_detail is not null
union all
select
    'seventeentrack' as provider,
    record_id, tracking_number, carrier, version_at, built_at,
    1 as is_summary,
    coalesce(status_at, version_at) as occurred_at,
    status as provider_status,
    status_detail as provider_detail,
    {{ null_text() }} as country, {{ null_text() }} as region, {{ null_text() }} as postcode_area
from {{ trackings }}
where status is not null
