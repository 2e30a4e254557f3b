{%- set touched = gold_touched_fulfillment_kpi_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_fulfillment_kpi_days(), ['business_date']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}shipping as (
    select shipping.*, 'all' as category
    from {{ ref('agg_daily_shipping') }} as shipping
    {{- gold_only_touched('shipping', ['business_date']) }}
),

deliveries as (
    select deliveries.*, 'all' as category
    from {{ ref('agg_daily_deliveries') }} as deliveries
    {{- gold_only_touched('deliveries', ['business_date']) }}
    where deliveries.zone = 'all'
),

returns as (
    select returns.*, 'all' as category
    from {{ ref('agg_daily_returns') }} as returns
    {{- gold_only_touched('returns', ['business_date']) }}
),

kpis as (
    {{ gold_kpi(
        'shipping', 'on_time_ship_rate', 'shipping.on_time_ship_rate', 'shipping.on_time_ship_rate is not null') }}
    union all
    {{ gold_kpi('deliveries', 'delivery_days_p50', 'deliveries.delivery_days_p50') }}
    union all
    {{ gold_kpi('deliveries', 'delivery_days_p90', 'deliveries.delivery_days_p90') }}
    union all
    {{ gold_kpi('returns', 'return_rate', 'returns.return_rate', 'returns.units_sold > 0') }}
)

{{ gold_typed_kpis('kpis') }}
