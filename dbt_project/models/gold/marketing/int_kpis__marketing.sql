{%- set touched = gold_touched_marketing_kpi_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_marketing_kpi_days(), ['business_date']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}customers as (
    select
        customers.business_date,
        customers.channel,
        'all' as category,
        customers.customers_365d,
        customers.repeat_customers_365d
    from {{ ref('agg_daily_customers') }} as customers
    {{- gold_only_touched('customers', ['business_date']) }}
),

kpis as (
    {{ gold_kpi(
        'customers', 'repeat_rate_365d',
        quotient('customers.repeat_customers_365d', 'customers.customers_365d', 8),
        'customers.customers_365d > 0') }}
)

{{ gold_typed_kpis('kpis') }}
