{{ config(materialized='incremental', incremental_strategy='append') }}

{# Written once: a calendar does not change, so a later run adds only days that are missing. #}
with digits as (
    {% for digit in range(10) -%}
    select {{ digit }} as digit
    {{ "union all" if not loop.last }}
    {% endfor %}
),

numbers as (
    select
        a.digit + 10 * b.digit + 100 * c.digit + 1000 * d.digit + 10000 * e.digit as day_number
    from digits as a
    cross join digits as b
    cross join digits as c
    cross join digits as d
    cross join digits as e
    where e.digit < 2
),

days as (
    select
        day_number,
        -- 1 January 2000 was a Saturday, ISO day 6.
        (day_number + 5) % 7 + 1 as day_of_week,
        {{ add_days(date_literal(calendar_start()), 'day_number') }} as calendar_date
    from numbers
),

weeks as (
    -- The ISO year of a week is the year of its Thursday.
    select
        days.*,
        {{ add_days('calendar_date', '4 - day_of_week') }} as thursday,
        {{ add_days('calendar_date', '1 - day_of_week') }} as week_start_date
    from days
    where calendar_date <= {{ date_literal(calendar_end()) }}
)

select
    calendar_date,
    cast(year(calendar_date) as int) as calendar_year,
    cast((month(calendar_date) + 2 - (month(calendar_date) + 2) % 3) / 3 as int) as quarter_of_year,
    cast(month(calendar_date) as int) as month_of_year,
    {{ month_start('calendar_date') }} as month_start_date,
    week_start_date,
    cast(year(thursday) as int) as iso_year,
    cast(
        1 + (
            {{ days_between("cast(concat(year(thursday), '-01-01') as date)", 'thursday') }}
            - {{ days_between("cast(concat(year(thursday), '-01-01') as date)", 'thursday') }} % 7
        ) / 7 as int
    ) as iso_week,
    cast(day_of_week as int) as day_of_week,
    {{ flag('day_of_week >= 6') }} as is_weekend,
    {{ built_at() }} as built_at
from weeks
{% if is_incremental() %}
where not exists (select 1 from {{ this }} as known where known.calendar_date = weeks.calendar_date)
{% endif %}
