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
{%- set in_order = 'over (partition by pieces.visitor_id order by pieces.pause_stretch)' -%}
{%- set pause_before = add_minutes('lag(pieces.ended_at) ' ~ in_order, session_pause()) -%}
{%- set pause_after = add_minutes('pieces.ended_at', session_pause()) -%}
{%- set events_at_hand -%}
from {{ ref('events') }} as events
    {%- if is_incremental() %}
    inner join reach on reach.visitor_id = events.visitor_id
    where events.occurred_at >= reach.first_at
        and events.occurred_at <= reach.last_at
        and events.occurred_at >= {{ earliest_new }}
    {%- else %}
    where events.visitor_id is not null
    {%- endif -%}
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
placed as (
    select
        events.*,
        {{ pause_stretch('events.occurred_at') }} as pause_stretch,
        {{ moment_place('events.occurred_at', 'events.event_id') }} as place
    {{ events_at_hand }}
),

-- A visitor's events within one stretch have no pause between them: they are put together first, so that a session is
-- looked for among few rows. To sort all events by visitor and time took twice as long.
pieces as (
    select
        visitor_id,
        pause_stretch,
        min(place) as place,
        min(occurred_at) as started_at,
        max(occurred_at) as ended_at,
        count(*) as event_count,
        sum(case when event_name = 'page_viewed' then 1 else 0 end) as page_views,
        min(page_path) as lowest_path,
        max(page_path) as highest_path,
        {{ first_in_group('page_path', 'place') }} as entry_path,
        {{ last_in_group('page_path', 'place') }} as exit_path,
        {{ first_in_group('referrer', 'place') }} as referrer,
        {{ first_in_group('utm_source', 'place', 'utm_source is not null') }} as utm_source,
        {{ first_in_group('utm_medium', 'place', 'utm_source is not null') }} as utm_medium,
        {{ first_in_group('utm_campaign', 'place', 'utm_source is not null') }} as utm_campaign,
        max(case when {{ is_true('is_bot') }} then 1 else 0 end) as bot_events,
        {{ first_in_group('device', 'place') }} as device,
        max(case when event_name in ('product_viewed', 'product_added_to_cart') then 1 else 0 end) as product_events,
        max(case when event_name in ('product_added_to_cart', 'cart_viewed') then 1 else 0 end) as cart_events,
        max(case when event_name in ('checkout_started', 'checkout_completed') then 1 else 0 end) as checkout_events,
        max(case when event_name = 'checkout_completed' then 1 else 0 end) as purchase_events,
        {{ first_in_group('country', 'place') }} as country,
        {{ first_in_group('region', 'place') }} as region
    from placed
    group by visitor_id, pause_stretch
),

-- A piece begins a session where the pause before it is long enough, and ends one where the pause after it is.
paused as (
    select
        pieces.*,
        case when pieces.started_at <= {{ pause_before }} then 0 else 1 end as is_first,
        case when lead(pieces.started_at) {{ in_order }} <= {{ pause_after }} then 0 else 1 end as is_last
    from pieces
),

numbered as (
    select
        paused.*,
        sum(is_first) over (
            partition by visitor_id order by pause_stretch rows between unbounded preceding and current row
        ) as session_number
    from paused
),

completions as (
    select distinct
        events.visitor_id,
        events.order_id,
        {{ pause_stretch('events.occurred_at') }} as pause_stretch
    {{ events_at_hand }}
        and {{ is_completion('events') }}
),

orders as (
    select
        numbered.visitor_id,
        numbered.session_number,
        count(distinct completions.order_id) as order_count,
        min(completions.order_id) as order_id
    from completions
    inner join numbered
        on numbered.visitor_id = completions.visitor_id and numbered.pause_stretch = completions.pause_stretch
    group by numbered.visitor_id, numbered.session_number
),

whole as (
    select
        visitor_id,
        session_number,
        min(started_at) as started_at,
        max(ended_at) as ended_at,
        sum(event_count) as event_count,
        sum(page_views) as page_views,
        min(lowest_path) as lowest_path,
        max(highest_path) as highest_path,
        max(case when is_first = 1 then entry_path end) as entry_path,
        max(case when is_last = 1 then exit_path end) as exit_path,
        max(case when is_first = 1 then referrer end) as referrer,
        {{ first_in_group('utm_source', 'place', 'utm_source is not null') }} as utm_source,
        {{ first_in_group('utm_medium', 'place', 'utm_source is not null') }} as utm_medium,
        {{ first_in_group('utm_campaign', 'place', 'utm_source is not null') }} as utm_campaign,
        max(bot_events) as bot_events,
        max(case when is_first = 1 then device end) as device,
        max(product_events) as product_events,
        max(cart_events) as cart_events,
        max(checkout_events) as checkout_events,
        max(purchase_events) as purchase_events,
        max(case when is_first = 1 then country end) as country,
        max(case when is_first = 1 then region end) as region
    from numbered
    group by visitor_id, session_number
),

made as (
    select
        whole.*,
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
    cast({{ dbt.datediff('started_at', 'ended_at', 'second') }} as int) as duration_seconds,
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
    {{ flag("coalesce(lowest_path, '') = coalesce(highest_path, '') and " ~ dbt.datediff('started_at', 'ended_at', 'second') ~ ' < 10') }} as is_bounce,
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
