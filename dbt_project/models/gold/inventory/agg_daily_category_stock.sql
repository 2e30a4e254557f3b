{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    unique_key=['business_date', 'category'],
    pre_hook=["{{ gold_forget_stock_days() }}", "{{ gold_forget_stock_categories() }}"]
) }}

{#
  One pass over the changes by day, whatever the number of pieces; only days whose figures differ from what is stored are
  written, so that readers see just the change.
#}
with limits as (
    select
        min(sales.business_date) as first_date,
        max(sales.business_date) as last_date
    from {{ ref('agg_daily_sales') }} as sales
),

categories as (
    select distinct stock_days.category
    from {{ ref('int_stock_days') }} as stock_days
    where stock_days.added_items > 0
),

-- What happened before the first day of sales makes that day's opening stock.
changes as (
    select
        stock_days.category,
        case
            when stock_days.moved_date < limits.first_date then {{ add_days('limits.first_date', -1) }}
            else stock_days.moved_date
        end as moved_date,
        stock_days.added_items,
        stock_days.sold_items,
        stock_days.open_items,
        stock_days.open_cost_base,
        stock_days.aged_cost_base
    from {{ ref('int_stock_days') }} as stock_days
    cross join limits
),

days as (
    select
        dates.calendar_date as business_date,
        categories.category,
        coalesce(sum(changes.added_items), 0) as added_items,
        coalesce(sum(changes.sold_items), 0) as sold_items,
        coalesce(sum(changes.open_items), 0) as open_items,
        coalesce(sum(changes.open_cost_base), 0) as open_cost,
        coalesce(sum(changes.aged_cost_base), 0) as aged_cost
    from {{ ref('dim_date') }} as dates
    inner join limits
        on dates.calendar_date >= {{ add_days('limits.first_date', -1) }} and dates.calendar_date <= limits.last_date
    cross join categories
    left join changes
        on changes.moved_date = dates.calendar_date and changes.category = categories.category
    group by dates.calendar_date, categories.category
),

running as (
    select
        days.business_date,
        days.category,
        days.added_items,
        days.sold_items,
        sum(days.open_items) over (
            partition by days.category order by days.business_date rows between unbounded preceding and current row
        ) as open_items,
        days.open_items as net_change,
        sum(days.open_cost) over (
            partition by days.category order by days.business_date rows between unbounded preceding and current row
        ) as open_cost,
        sum(days.aged_cost) over (
            partition by days.category order by days.business_date rows between unbounded preceding and current row
        ) as aged_cost
    from days
),

stock as (
    select
        running.business_date,
        running.category,
        cast(running.open_items - running.net_change as int) as opening_items,
        cast(running.added_items as int) as added_items,
        cast(running.sold_items as int) as sold_items,
        cast(running.open_items as int) as open_items,
        cast(running.open_cost as {{ type_money() }}) as open_cost_base,
        cast(running.aged_cost as {{ type_money() }}) as aged_cost_base
    from running
    inner join limits on running.business_date >= limits.first_date
)

select
    stock.business_date,
    cast(stock.category as {{ type_text(100) }}) as category,
    stock.opening_items,
    stock.added_items,
    stock.sold_items,
    stock.open_items,
    stock.open_cost_base,
    stock.aged_cost_base,
    {{ built_at() }} as built_at
from stock
{{ gold_unlike_known('stock', ['business_date', 'category'], gold_stock_figures()) }}
