{{ config(materialized='table') }}

with months as (
    select
        {{ month_start('stock.business_date') }} as stock_month,
        stock.category,
        stock.business_date,
        stock.opening_items,
        stock.added_items,
        stock.sold_items,
        stock.open_cost_base,
        row_number() over (
            partition by stock.category, {{ month_start('stock.business_date') }} order by stock.business_date
        ) as day_number
    from {{ ref('agg_daily_category_stock') }} as stock
),

summed as (
    select
        months.stock_month,
        months.category,
        max(case when months.day_number = 1 then months.opening_items end) as opening_items,
        sum(months.added_items) as added_items,
        sum(months.sold_items) as sold_items,
        sum(months.open_cost_base) as cost_base,
        count(*) as days
    from months
    group by months.stock_month, months.category
)

select
    summed.stock_month,
    summed.category,
    cast(summed.days as int) as days,
    cast(summed.opening_items as int) as opening_items,
    cast(summed.added_items as int) as added_items,
    cast(summed.sold_items as int) as sold_items,
    {{ quotient('summed.sold_items', '(summed.opening_items + summed.added_items)', 8) }} as sell_through,
    cast({{ quotient('summed.cost_base', 'summed.days', 4) }} as {{ type_money() }}) as average_cost_base,
    {{ built_at() }} as built_at
from summed
