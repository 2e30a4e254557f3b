{#- Events of the web shop that say no time and so belong to no session. -#}

select
    staged.natural_key as event_id,
    staged.provider,
    staged.provider_event,
    staged.received_at,
    staged.record_id,
    'no time; ' as reject_reason,
    staged.built_at
from {{ ref('stg_clickstream__events') }} as staged
where staged.occurred_at is null
