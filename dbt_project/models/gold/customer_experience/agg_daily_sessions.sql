{%- set touched = gold_touched_session_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_session_days(), ['business_date']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}visits as (
    select
        sessions.business_date,
        sessions.session_id,
        sessions.duration_seconds,
        sessions.order_count,
        case when {{ is_true('sessions.is_product_view') }} then 1 else 0 end as product_view,
        case when {{ is_true('sessions.is_cart') }} then 1 else 0 end as cart,
        case when {{ is_true('sessions.is_checkout') }} then 1 else 0 end as checkout,
        case when {{ is_true('sessions.is_purchase') }} then 1 else 0 end as purchase,
        case when {{ is_true('sessions.is_bounce') }} then 1 else 0 end as bounce
    from {{ ref('fct_sessions') }} as sessions
    {{- gold_only_touched('sessions', ['business_date']) }}
    where {{ is_false('sessions.is_bot') }}
),

ranked as (
    select
        visits.*,
        row_number() over (
            partition by visits.business_date order by visits.duration_seconds, visits.session_id
        ) as place,
        count(*) over (partition by visits.business_date) as visit_count
    from visits
),

daily as (
    select
        ranked.business_date,
        count(*) as sessions,
        sum(ranked.product_view) as product_view_sessions,
        sum(ranked.cart) as cart_sessions,
        sum(ranked.checkout) as checkout_sessions,
        sum(ranked.purchase) as purchase_sessions,
        sum(ranked.cart * ranked.purchase) as cart_purchase_sessions,
        sum(ranked.bounce) as bounce_sessions,
        sum(ranked.order_count) as orders,
        -- The one in the middle, or the mean of the two.
        sum(case when 2 * ranked.place between ranked.visit_count and ranked.visit_count + 2
            then ranked.duration_seconds else 0 end) as middle_seconds,
        sum(case when 2 * ranked.place between ranked.visit_count and ranked.visit_count + 2
            then 1 else 0 end) as middle_count
    from ranked
    group by ranked.business_date
)

select
    daily.business_date,
    cast(daily.sessions as int) as sessions,
    cast(daily.product_view_sessions as int) as product_view_sessions,
    cast(daily.cart_sessions as int) as cart_sessions,
    cast(daily.checkout_sessions as int) as checkout_sessions,
    cast(daily.purchase_sessions as int) as purchase_sessions,
    cast(daily.cart_purchase_sessions as int) as cart_purchase_sessions,
    cast(daily.bounce_sessions as int) as bounce_sessions,
    cast(daily.orders as int) as orders,
    {{ quotient('daily.middle_seconds', 'daily.middle_count', 1) }} as median_duration_seconds,
    {{ quotient('daily.purchase_sessions', 'daily.sessions', 8) }} as conversion_rate,
    {{ quotient('daily.bounce_sessions', 'daily.sessions', 8) }} as bounce_rate,
    {{ quotient('daily.cart_sessions - daily.cart_purchase_sessions', 'daily.cart_sessions', 8) }} as cart_abandonment_rate,
    {{ built_at() }} as built_at
from daily
