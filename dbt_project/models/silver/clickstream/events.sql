{{ config(unique_key='event_id', meta={'bound_by': 'occurred_at'}) }}
{#-
  What visitors of the web shop did, once each: an event that is told twice has the same id. A user agent is read once, and
  not with each of its events: some twenty patterns are looked for in it.
-#}

with agents as (
    select
        told.user_agent,
        {{ flag(is_machine('told.user_agent')) }} as is_bot,
        {{ device_class('told.user_agent') }} as device
    from (
        select distinct user_agent
        from {{ ref('stg_clickstream__events') }}
        where built_at > {{ watermark() }}
    ) as told
)

select
    staged.event_id,
    staged.visitor_id,
    staged.person_id,
    staged.user_id,
    {{ event_time('staged') }} as occurred_at,
    {{ canonical_event('staged.provider_event', 'staged.event_type') }} as event_name,
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
    staged.ip_country as country,
    case when staged.ip_region is not null then concat(staged.ip_country, '-', staged.ip_region) end as region,
    {{ flag(is_true('agents.is_bot')) }} as is_bot,
    coalesce(agents.device, 'unknown') as device,
    staged.provider,
    staged.provider_event,
    staged.received_at,
    staged.record_id,
    {{ built_at() }} as built_at
from {{ ref('stg_clickstream__events') }} as staged
left join agents on agents.user_agent = staged.user_agent
where staged.built_at > {{ watermark() }}
    and {{ event_time('staged') }} is not null
