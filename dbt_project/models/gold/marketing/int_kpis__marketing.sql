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

paid_campaigns as (
    select
        campaigns.business_date,
        {{ gold_sum('campaigns.net_base') }} as net_base,
        {{ gold_sum('campaigns.spend_base') }} as spend_base
    from {{ ref('agg_daily_campaigns') }} as campaigns
    {{- gold_only_touched('campaigns', ['business_date']) }}
    where {{ is_true('campaigns.is_paid') }}
    group by campaigns.business_date
),

-- Campaigns lead to the web shop alone: over all channels they are the same.
advertising as (
    {%- for channel in ['shopify', 'all'] %}
    select paid_campaigns.*, '{{ channel }}' as channel, 'all' as category
    from paid_campaigns
    {{ 'union all' if not loop.last }}
    {%- endfor %}
),

kpis as (
    {{ gold_kpi(
        'customers', 'repeat_rate_365d',
        quotient('customers.repeat_customers_365d', 'customers.customers_365d', 8),
        'customers.customers_365d > 0') }}
    union all
    {{ gold_kpi(
        'advertising', 'roas', quotient('advertising.net_base', 'advertising.spend_base', 8),
        'advertising.spend_base > 0') }}
)

{{ gold_typed_kpis('kpis') }}
