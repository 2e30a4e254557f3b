{{ config(materialized='table') }}

{# From a table of one row a series and week. A week counts when it is over: the last one with sales may still grow. #}
with as_of as (
    select max(sales.business_date) as as_of_date
    from {{ ref('agg_daily_sales') }} as sales
),

series as (
    select
        demand.category,
        demand.price_band,
        demand.channel,
        min(demand.week_start_date) as first_week
    from {{ ref('agg_weekly_demand') }} as demand
    group by demand.category, demand.price_band, demand.channel
),

weeks as (
    select days.calendar_date as week_start_date, days.iso_week, days.month_of_year
    from {{ ref('dim_date') }} as days
    inner join as_of on {{ add_days('days.calendar_date', 6) }} <= as_of.as_of_date
    where days.day_of_week = 1
),

filled as (
    select
        weeks.week_start_date,
        weeks.iso_week,
        weeks.month_of_year,
        series.category,
        series.price_band,
        series.channel,
        series.first_week,
        coalesce(demand.units, 0) as units,
        coalesce(demand.sale_base, 0) as sale_base
    from series
    inner join weeks on weeks.week_start_date >= series.first_week
    left join {{ ref('agg_weekly_demand') }} as demand
        on
            demand.week_start_date = weeks.week_start_date
            and demand.category = series.category
            and demand.price_band = series.price_band
            and demand.channel = series.channel
),

lagged as (
    select
        filled.*,
        {%- for weeks in [1, 2, 4] %}
        lag(filled.units, {{ weeks }}) over (
            partition by filled.category, filled.price_band, filled.channel order by filled.week_start_date
        ) as units_lag_{{ weeks }},
        {%- endfor %}
        sum(filled.units) over (
            partition by filled.category, filled.price_band, filled.channel
            order by filled.week_start_date rows between 4 preceding and 1 preceding
        ) as units_before
    from filled
)

select
    lagged.week_start_date,
    lagged.category,
    lagged.price_band,
    lagged.channel,
    cast(lagged.units as int) as units,
    cast(lagged.sale_base as {{ type_money() }}) as sale_base,
    cast({{ days_between('lagged.first_week', 'lagged.week_start_date') }} / 7 as int) as weeks_known,
    cast(lagged.iso_week as int) as iso_week,
    cast(lagged.month_of_year as int) as month_of_year,
    cast(lagged.units_lag_1 as int) as units_lag_1,
    cast(lagged.units_lag_2 as int) as units_lag_2,
    cast(lagged.units_lag_4 as int) as units_lag_4,
    case when lagged.units_lag_4 is not null then cast({{ quotient('lagged.units_before', '4', 4) }} as decimal(18, 4)) end
        as units_mean_4,
    {{ built_at() }} as built_at
from lagged
