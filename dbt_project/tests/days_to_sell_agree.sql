{# The times to sell as of the last day are those that rpt_days_to_sell draws from the pieces themselves. #}
{{ config(meta={'dagster': {'ref': {'name': 'agg_daily_days_to_sell'}}}) }}
select report.category, report.median_days, daily.median_days as daily_median_days
from {{ ref('rpt_days_to_sell') }} as report
left join {{ ref('agg_daily_days_to_sell') }} as daily
    on daily.business_date = report.as_of_date and daily.category = report.category
where
    daily.category is null
    or coalesce(report.median_days, -1) <> coalesce(daily.median_days, -1)
    or report.items <> daily.items
    or report.sold_items <> daily.sold_items
