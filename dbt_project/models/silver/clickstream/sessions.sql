{%- set lookback_days = 7 -%}
{{ config(
    unique_key='session_id',
    meta={'bound_by': 'started_at', 'bound_slack_days': lookback_days, 'keep_where': 'event_count > 0'}
) }}
{#-
  A visitor's events without a pause of more than 30 minutes. New events, late ones too, re-open the sessions of their
  visitor that they touch, and no others: those sessions are made anew from all their events, and one that grew at its
  beginning, or became one with another, goes under its old id (a row without events clears it). A session is looked for
  up to 7 days back; one that lasts longer is split there.
-#}
{%- set earliest_new = earliest(ref('events'), 'occurred_at', 'built_at > ' ~ watermark(), slack_days=lookback_days) -%}
{%- set in_order = 'over (partition by visitor_id order by pause_stretch)' -%}
{%- set pause_before = add_minutes('lag(ended_at) ' ~ in_order, session_pause()) -%}
{%- set entry = {
    'page_path': 'entry_path', 'referrer': 'referrer', 'device': 'device', 'country': 'country', 'region': 'region'
} -%}
{%- set campaign = {'utm_source': 'utm_source', 'utm_medium': 'utm_medium', 'utm_campaign': 'utm_campaign'} -%}
{%- set exit = {'page_path': 'exit_path'} -%}
{%- set from_events -%}
from {{ ref('events') }} as events
    {%- if is_incremental() %}
    inner join reach on reach.visitor_id = events.visitor_id
    {%- endif -%}
{%- endset -%}
{%- set at_hand -%}
    {%- if is_incremental() -%}
    events.occurred_at >= reach.first_at
        and events.occurred_at <= reach.last_at
        and events.occurred_at >= {{ earliest_new }}
    {%- else -%}
    events.visitor_id is not null
    {%- endif -%}
{%- endset -%}
{%- set with_session -%}
inner join numbered
        on numbered.visitor_id = events.visitor_id and numbered.pause_stretch = {{ pause_stretch('events.occurred_at') }}
{%- endset -%}

with {% if is_incremental() -%}
fresh as (
    select
        visitor_id,
        min(occurred_at) as first_at,
        max(occurred_at) as last_at
    from {{ ref('events') }}
    where built_at > {{ watermark() }} and visitor_id is not null
    group by visitor_id
),

opened as (
    select known.session_id, known.visitor_id, known.started_at, known.ended_at
    from {{ this }} as known
    inner join fresh on fresh.visitor_id = known.visitor_id
    where known.started_at >= {{ earliest_new }}
        and known.ended_at >= {{ add_minutes('fresh.first_at', '-' ~ session_pause()) }}
        and known.started_at <= {{ add_minutes('fresh.last_at', session_pause()) }}
),

ranges as (
    select visitor_id, first_at, last_at from fresh
    union all
    select visitor_id, started_at as first_at, ended_at as last_at from opened
),

reach as (
    select visitor_id, min(first_at) as first_at, max(last_at) as last_at
    from ranges
    group by visitor_id
),

{% endif -%}
-- A visitor's events within one stretch have no pause between them, so a session is looked for among few rows of few
-- columns. To sort all events by visitor and time took twice as long.
stretches as (
    select
        events.visitor_id,
        {{ pause_stretch('events.occurred_at') }} as pause_stretch,
        min(events.occurred_at) as started_at,
        max(events.occurred_at) as ended_at
    {{ from_events }}
    where {{ at_hand }}
    group by events.visitor_id, {{ pause_stretch('events.occurred_at') }}
),

-- A stretch begins a session where the pause before it is long enough.
paused as (
    select
        visitor_id,
        pause_stretch,
        case when started_at <= {{ pause_before }} then 0 else 1 end as is_first
    from stretches
),

numbered as (
    select
        visitor_id,
        pause_stretch,
        sum(is_first) over (
            partition by visitor_id order by pause_stretch rows between unbounded preceding and current row
        ) as session_number
    from paused
),

orders as (
    select
        numbered.visitor_id,
        numbered.session_number,
        count(distinct events.order_id) as order_count,
        min(events.order_id) as order_id
    {{ from_events }}
    {{ with_session }}
    where {{ at_hand }}
        and {{ is_completion('events') }}
    group by numbered.visitor_id, numbered.session_number
),

placed as (
    select
        events.*,
        numbered.session_number,
        {{ moment_place('events.occurred_at', 'events.event_id') }} as place
    {{ from_events }}
    {{ with_session }}
    where {{ at_hand }}
),

whole as (
    select
        visitor_id,
        session_number,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as event_count,
        sum(case when event_name = 'page_viewed' then 1 else 0 end) as page_views,
        min(page_path) as lowest_path,
        max(page_path) as highest_path,
        {{ of_first_row('entry', entry, 'place') }},
        {{ of_last_row('exit', exit, 'place') }},
        {{ of_first_row('campaign', campaign, 'place', 'utm_source is not null') }},
        max(case when {{ is_true('is_bot') }} then 1 else 0 end) as bot_events,
        max(case when event_name in ('product_viewed', 'product_added_to_cart') then 1 else 0 end) as product_events,
        max(case when event_name in ('product_added_to_cart', 'cart_viewed') then 1 else 0 end) as cart_events,
        max(case when event_name in ('checkout_started', 'checkout_completed') then 1 else 0 end) as checkout_events,
        max(case when event_name = 'checkout_completed' then 1 else 0 end) as purchase_events
    from placed
    group by visitor_id, session_number
),

made as (
    select
        whole.*,
        {{ texts_of_row('entry', entry) }},
        {{ texts_of_row('exit', exit) }},
        {{ texts_of_row('campaign', campaign) }},
        {{ units_between('second', 'whole.started_at', 'whole.ended_at') }} as duration_seconds,
        coalesce(orders.order_count, 0) as order_count,
        orders.order_id
    from whole
    left join orders on orders.visitor_id = whole.visitor_id and orders.session_number = whole.session_number
)

select
    {{ hash_key(['visitor_id', iso_text('started_at')]) }} as session_id,
    visitor_id,
    started_at,
    ended_at,
    {{ business_date('started_at') }} as business_date,
    cast(duration_seconds as int) as duration_seconds,
    cast(event_count as int) as event_count,
    cast(page_views as int) as page_views,
    entry_path,
    exit_path,
    referrer,
    utm_source,
    utm_medium,
    utm_campaign,
    {{ flag('bot_events = 1') }} as is_bot,
    device,
    {{ flag('product_events = 1') }} as is_product_view,
    {{ flag('cart_events = 1') }} as is_cart,
    {{ flag('checkout_events = 1') }} as is_checkout,
    {{ flag('purchase_events = 1') }} as is_purchase,
    {{ flag("coalesce(lowest_path, '') = coalesce(highest_path, '') and duration_seconds < 10") }} as is_bounce,
    cast(order_count as int) as order_count,
    order_id,
    country,
    region,
    {{ built_at() }} as built_at
from made
{%- if is_incremental() %}
union all
select
    session_id, visitor_id, started_at, ended_at, {{ null_date() }} as business_date, 0 as duration_seconds,
    0 as event_count, 0 as page_views, {{ null_text() }} as entry_path, {{ null_text() }} as exit_path,
    {{ null_text() }} as referrer, {{ null_text() }} as utm_source, {{ null_text() }} as utm_medium,
    {{ null_text() }} as utm_campaign, {{ null_flag() }} as is_bot, {{ null_text() }} as device,
    {{ null_flag() }} as is_product_view, {{ null_flag() }} as is_cart,
    {{ null_flag() }} as is_checkout, {{ null_flag() }} as is_purchase, {{ null_flag() }} as is_bounce,
    0 as order_count, {{ null_text() }} as order_id, {{ null_text() }} as country, {{ null_text() }} as region,
    {{ built_at() }} as built_at
from opened
{%- endif %}
