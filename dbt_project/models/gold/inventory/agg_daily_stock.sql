{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    unique_key='business_date',
    pre_hook="{{ gold_forget_stock_days() }}"
) }}

{# The stock of all categories; only days whose figures differ from what is stored are written. #}
with stock as (
    select
        categories.business_date,
        cast(sum(categories.opening_items) as int) as opening_items,
        cast(sum(categories.added_items) as int) as added_items,
        cast(sum(categories.sold_items) as int) as sold_items,
        cast(sum(categories.open_items) as int) as open_items,
        cast(sum(categories.open_cost_base) as {{ type_money() }}) as open_cost_base,
        cast(sum(categories.aged_cost_base) as {{ type_money() }}) as aged_cost_base
    from {{ ref('agg_daily_category_stock') }} as categories
    group by categories.business_date
)

select
    stock.business_date,
    stock.opening_items,
    stock.added_items,
    stock.sold_items,
    stock.open_items,
    stock.open_cost_base,
    stock.aged_cost_base,
    {{ built_at() }} as built_at
from stock
{{ gold_unlike_known('stock', ['business_date'], gold_stock_figures()) }}
