{{ config(materialized='view') }}
{#- What happened to parcels: the good rows; quarantine.silver_tracking_events has the others. -#}

select
    event_id,
    tracking_number,
    carrier,
    occurred_at,
    status,
    status_rank,
    is_scan,
    provider,
    provider_status,
    provider_detail,
    country,
    region,
    postcode_area,
    built_at
from {{ ref('int_tracking_events') }}
where reject_reason is null
