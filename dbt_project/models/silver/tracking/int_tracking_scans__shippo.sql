{{ config(materialized='view') }}
{#- What Shippo tells: its history, and its present status where the history lacks it. -#}

{%- set trackings = ref('stg_shippo__trackings') %}

with scans as (
    {{ explode(
        trackings, 'scans', ['record_id', 'tracking_number', 'carrier', 'version_at', 'built_at'],
        shippo_history_fields()
    ) | indent(4) }}
)

select
    'shippo' as provider,
    record_id, tracking_number, carrier, version_at, built_at,
    0 as is_summary,
    occurred_at, provider_status, provider_detail, country, region, postcode_area
from scans
union all
select
    'shippo' as provider,
    record_id, tracking_number, carrier, version_at, built_at,
    1 as is_summary,
    status_at as occurred_at,
    status as provider_status,
    status_detail as provider_detail,
    country, region, postcode_area
from {{ trackings }}
where status is not null
