{{ config(
    unique_key='natural_key',
    meta={'bound_by': 'stated_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}
) }}
{#-
  Clicks are many and are written once: what `events` shows is worked out here, and its table is this one. A column costs as
  much to write as to parse, so that what only goes into another one is not kept.
-#}

with {{ staging_steps('clickstream_events', clickstream_fields()) }},

staged as (
    select
        {{- staged_columns(clickstream_fields()) }}
    from parsed
)

select
    staged.provider,
    staged.provider_event,
    {{ canonical_event('staged.provider_event', 'staged.event_type') }} as event_name,
    staged.visitor_id,
    staged.user_id,
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
    staged.user_agent,
    {{ event_time('staged') }} as occurred_at,
    staged.stated_at,
    staged.received_at,
    staged.natural_key,
    staged.record_id,
    staged.person_id,
    staged.version_at,
    staged.ingested_at,
    staged.built_at
from staged
