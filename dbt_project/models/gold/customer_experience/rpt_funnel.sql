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
        sessions.marketing_channel,
        coalesce(sessions.device, 'unknown') as device,
        sessions.order_count,
        case when {{ is_true('sessions.is_product_view') }} then 1 else 0 end as product_view,
        case when {{ is_true('sessions.is_cart') }} then 1 else 0 end as cart,
        case when {{ is_true('sessions.is_checkout') }} then 1 else 0 end as checkout,
        case when {{ is_true('sessions.is_purchase') }} then 1 else 0 end as purchase
    from {{ ref('fct_sessions') }} as sessions
    {{- gold_only_touched('sessions', ['business_date']) }}
    where {{ is_false('sessions.is_bot') }}
),

steps as (
    select
        visits.business_date,
        visits.marketing_channel,
        visits.device,
        count(*) as sessions,
        sum(visits.product_view) as product_view_sessions,
        sum(visits.cart) as cart_sessions,
        sum(visits.checkout) as checkout_sessions,
        sum(visits.purchase) as purchase_sessions,
        sum(visits.cart * (1 - visits.purchase)) as abandoned_carts,
        sum(visits.checkout * (1 - visits.purchase)) as abandoned_checkouts,
        sum(visits.order_count) as orders
    from visits
    group by visits.business_date, visits.marketing_channel, visits.device
)

select
    steps.business_date,
    steps.marketing_channel,
    cast(steps.device as {{ type_text(20) }}) as device,
    cast(steps.sessions as int) as sessions,
    cast(steps.product_view_sessions as int) as product_view_sessions,
    cast(steps.cart_sessions as int) as cart_sessions,
    cast(steps.checkout_sessions as int) as checkout_sessions,
    cast(steps.purchase_sessions as int) as purchase_sessions,
    cast(steps.abandoned_carts as int) as abandoned_carts,
    cast(steps.abandoned_checkouts as int) as abandoned_checkouts,
    cast(steps.orders as int) as orders,
    {{ quotient('steps.purchase_sessions', 'steps.sessions', 8) }} as conversion_rate,
    {{ quotient('steps.abandoned_carts', 'steps.cart_sessions', 8) }} as cart_abandonment_rate,
    {{ quotient('steps.abandoned_checkouts', 'steps.checkout_sessions', 8) }} as checkout_abandonment_rate,
    {{ built_at() }} as built_at
from steps
