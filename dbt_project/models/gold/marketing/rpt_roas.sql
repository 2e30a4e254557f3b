{{ config(materialized='table') }}

{# From a table of one row a campaign and day, so that it costs little however long the history is. #}
with months as (
    select
        {{ month_start('days.business_date') }} as month_start_date,
        days.campaign,
        max(case when {{ is_true('days.is_paid') }} then 1 else 0 end) as paid_days,
        {{ gold_sum('days.spend_base') }} as spend_base,
        sum(days.impressions) as impressions,
        sum(days.clicks) as clicks,
        sum(days.orders) as orders,
        {{ gold_sum('days.net_base') }} as net_base
    from {{ ref('agg_daily_campaigns') }} as days
    group by {{ month_start('days.business_date') }}, days.campaign
)

select
    months.month_start_date,
    months.campaign,
    {{ flag('months.paid_days = 1') }} as is_paid,
    months.spend_base,
    cast(months.impressions as bigint) as impressions,
    cast(months.clicks as bigint) as clicks,
    cast(months.orders as int) as orders,
    months.net_base,
    {{ quotient('months.net_base', 'months.spend_base', 8) }} as roas,
    {{ quotient('months.spend_base', 'months.orders', 4) }} as cost_per_order_base,
    {{ built_at() }} as built_at
from months
