{{ config(materialized='view') }}
{#-
  What visitors of the web shop did, once each: an event that is told twice has the same id. A view, because clicks are many
  and staging has all of it but the devices. User agents are grouped, though each has one row: so an engine sees that the
  join changes no event, and leaves it out where no device is asked for.
-#}

with agents as (
    select
        user_agent,
        max(case when {{ is_true('is_bot') }} then 1 else 0 end) as is_bot,
        max(device) as device
    from {{ ref('int_user_agents') }}
    group by user_agent
)

select
    staged.natural_key as event_id,
    staged.visitor_id,
    staged.person_id,
    staged.user_id,
    staged.occurred_at,
    staged.event_name,
    staged.page_path,
    staged.referrer,
    staged.utm_source,
    staged.utm_medium,
    staged.utm_campaign,
    staged.item_id,
    staged.order_id,
    staged.amount,
    staged.currency,
    staged.ip_network,
    staged.country,
    staged.region,
    {{ flag('agents.is_bot = 1') }} as is_bot,
    coalesce(agents.device, 'unknown') as device,
    staged.provider,
    staged.provider_event,
    staged.received_at,
    staged.record_id,
    staged.built_at
from {{ ref('stg_clickstream__events') }} as staged
left join agents on agents.user_agent = staged.user_agent
where staged.occurred_at is not null
