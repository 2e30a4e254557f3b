{{ config(materialized='table') }}

{# The last of the curves that agg_daily_days_to_sell draws. #}
with as_of as (
    select max(times.business_date) as as_of_date
    from {{ ref('agg_daily_days_to_sell') }} as times
)

select
    times.business_date as as_of_date,
    times.category,
    times.items,
    times.sold_items,
    times.first_quarter_days,
    times.median_days,
    times.third_quarter_days,
    {{ built_at() }} as built_at
from {{ ref('agg_daily_days_to_sell') }} as times
inner join as_of on as_of.as_of_date = times.business_date
