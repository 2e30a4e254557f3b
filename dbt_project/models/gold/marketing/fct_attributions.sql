{%- set touched = gold_touched_attributions() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_attributions(), ['order_id']]]) }}"
) }}

{# The order's first completion says whose browser it was; a browser's visits of the 30 days before are its touches. #}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}completions as (
    select
        events.order_id,
        events.visitor_id,
        events.occurred_at,
        row_number() over (partition by events.order_id order by events.occurred_at, events.event_id) as place
    from {{ ref('events') }} as events
    {{- gold_only_touched('events', ['order_id']) }}
    where {{ is_completion('events') }}
        {%- if is_incremental() %}
        and events.occurred_at >= {{ attributions_since() }}
        {%- endif %}
),

touches as (
    select
        completions.order_id,
        sessions.session_id,
        sessions.started_at,
        sessions.marketing_channel,
        sessions.utm_source,
        sessions.utm_medium,
        lower(sessions.utm_campaign) as utm_campaign,
        count(*) over (partition by completions.order_id) as touch_count,
        row_number() over (
            partition by completions.order_id
            order by
                case when sessions.marketing_channel = 'direct' then 1 else 0 end,
                sessions.started_at,
                sessions.session_id
        ) as first_place,
        row_number() over (
            partition by completions.order_id
            order by
                case when sessions.marketing_channel = 'direct' then 1 else 0 end,
                sessions.started_at desc,
                sessions.session_id
        ) as last_place
    from completions
    inner join {{ ref('fct_sessions') }} as sessions on sessions.visitor_id = completions.visitor_id
    where completions.place = 1
        and sessions.started_at <= completions.occurred_at
        and sessions.started_at > {{ add_minutes('completions.occurred_at', '-' ~ 1440 * (attribution_days() | int)) }}
        {%- if is_incremental() %}
        and sessions.started_at >= {{ attributions_since(attribution_days() | int) }}
        {%- endif %}
)

select
    orders.channel,
    orders.order_id,
    orders.ordered_at,
    orders.business_date,
    orders.is_sale,
    orders.net_base,
    completions.visitor_id,
    cast(coalesce(last_touch.touch_count, 0) as int) as touches,
    {%- for touch in ['first', 'last'] %}
    {{ touch }}_touch.session_id as {{ touch }}_session_id,
    {{ touch }}_touch.started_at as {{ touch }}_touch_at,
    coalesce({{ touch }}_touch.marketing_channel, 'direct') as {{ touch }}_marketing_channel,
    {{ touch }}_touch.utm_source as {{ touch }}_source,
    {{ touch }}_touch.utm_medium as {{ touch }}_medium,
    {{ touch }}_touch.utm_campaign as {{ touch }}_campaign,
    {%- endfor %}
    {{ built_at() }} as built_at
from completions
inner join {{ ref('fct_orders') }} as orders on orders.channel = 'shopify' and orders.order_id = completions.order_id
left join touches as first_touch on first_touch.order_id = completions.order_id and first_touch.first_place = 1
left join touches as last_touch on last_touch.order_id = completions.order_id and last_touch.last_place = 1
where completions.place = 1
