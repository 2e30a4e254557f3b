{{ config(materialized='view') }}
{#- What EasyPost tells of production parcels, by its list and by its webhooks; test trackers are of invented parcels. -#}

{%- set parents = ['record_id', 'tracking_number', 'carrier', 'mode', 'version_at', 'built_at'] -%}
{%- set models = [ref('stg_easypost__trackers'), ref('stg_easypost__events')] %}

with scans as (
    {%- for trackers in models %}
    {{ explode(trackers, 'scans', parents, easypost_scan_fields()) | indent(4) }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
),

summaries as (
    {%- for trackers in models %}
    select
        {{ parents | join(', ') }},
        updated_at as occurred_at,
        status as provider_status,
        status_detail as provider_detail
    from {{ trackers }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- endfor %}
)

select
    'easypost' as provider,
    record_id, tracking_number, carrier, version_at, built_at,
    0 as is_summary,
    occurred_at, provider_status, provider_detail, country, region, postcode_area
from scans
where coalesce(mode, '') <> 'test'
union all
select
    'easypost' as provider,
    record_id, tracking_number, carrier, version_at, built_at,
    1 as is_summary,
    occurred_at, provider_status, provider_detail,
    {{ null_text() }} as country, {{ null_text() }} as region, {{ null_text() }} as postcode_area
from summaries
where coalesce(mode, '') <> 'test'
