{{ config(unique_key='user_agent') }}
{#- A user agent is read once, and not with each of its events: some twenty patterns are looked for in it. -#}

select
    told.user_agent,
    {{ flag(is_machine('told.user_agent')) }} as is_bot,
    {{ device_class('told.user_agent') }} as device,
    {{ built_at() }} as built_at
from (
    select distinct user_agent
    from {{ ref('stg_clickstream__events') }}
    where built_at > {{ watermark() }} and user_agent is not null
) as told
