{%- set touched = gold_touched_customer_experience_kpi_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_customer_experience_kpi_days(), ['business_date']]]) }}"
) }}

{# Visits are the web shop's alone: over all channels they are the same. #}
with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}visits as (
    {%- for channel in ['shopify', 'all'] %}
    select sessions.*, '{{ channel }}' as channel, 'all' as category
    from {{ ref('agg_daily_sessions') }} as sessions
    {{- gold_only_touched('sessions', ['business_date']) }}
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

kpis as (
    {{ gold_kpi('visits', 'conversion_rate', 'visits.conversion_rate') }}
    union all
    {{ gold_kpi('visits', 'session_duration_median', 'visits.median_duration_seconds') }}
    union all
    {{ gold_kpi('visits', 'bounce_rate', 'visits.bounce_rate') }}
    union all
    {{ gold_kpi('visits', 'cart_abandonment_rate', 'visits.cart_abandonment_rate', 'visits.cart_sessions > 0') }}
)

{{ gold_typed_kpis('kpis') }}
