{%- set touched = gold_touched_sessions() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_sessions(), ['session_id']]]) }}"
) }}

{% if is_incremental() %}with touched as (
    {{ touched }}
)

{% endif %}select
    sessions.session_id,
    sessions.visitor_id,
    sessions.started_at,
    sessions.ended_at,
    sessions.business_date,
    sessions.duration_seconds,
    sessions.event_count,
    sessions.page_views,
    sessions.entry_path,
    sessions.exit_path,
    sessions.referrer,
    sessions.utm_source,
    sessions.utm_medium,
    sessions.utm_campaign,
    {{ marketing_channel('sessions') }} as marketing_channel,
    sessions.device,
    sessions.is_bot,
    sessions.is_product_view,
    sessions.is_cart,
    sessions.is_checkout,
    sessions.is_purchase,
    sessions.is_bounce,
    sessions.order_count,
    sessions.order_id,
    sessions.country,
    sessions.region,
    {{ built_at() }} as built_at
from {{ ref('sessions') }} as sessions
{%- if is_incremental() %}
inner join touched on touched.session_id = sessions.session_id
{%- endif %}
