{#- What was told of parcels but cannot be used, with the reasons: no number, no time, or a status nobody knows. -#}

select
    event_id,
    tracking_number,
    carrier,
    occurred_at,
    provider,
    provider_status,
    provider_detail,
    reject_reason,
    built_at
from {{ ref('int_tracking_events') }}
where reject_reason is not null
