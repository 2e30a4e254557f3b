{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    unique_key=['business_date', 'category'],
    pre_hook="{{ gold_forget_stockless() }}"
) }}

{# One pass over tables of one row a day and category; only rows whose figures differ from what is stored are written. #}
with margins as (
    select
        sales.business_date,
        sales.category,
        {{ gold_sum('sales.net_base - sales.item_cost_base') }} as margin_base
    from {{ ref('agg_daily_category_sales') }} as sales
    group by sales.business_date, sales.category
),

daily as (
    select
        stock.business_date,
        stock.category,
        stock.open_cost_base,
        coalesce(margins.margin_base, 0) as margin_base
    from {{ ref('agg_daily_category_stock') }} as stock
    left join margins on margins.business_date = stock.business_date and margins.category = stock.category
    union all
    select
        stock.business_date,
        'all' as category,
        stock.open_cost_base,
        coalesce(whole.margin_base, 0) as margin_base
    from {{ ref('agg_daily_stock') }} as stock
    left join (
        select margins.business_date, sum(margins.margin_base) as margin_base
        from margins
        group by margins.business_date
    ) as whole on whole.business_date = stock.business_date
),

windows as (
    select
        daily.business_date,
        daily.category,
        count(*) over (
            partition by daily.category order by daily.business_date rows between 364 preceding and current row
        ) as days,
        sum(daily.margin_base) over (
            partition by daily.category order by daily.business_date rows between 364 preceding and current row
        ) as margin_base,
        sum(daily.open_cost_base) over (
            partition by daily.category order by daily.business_date rows between 364 preceding and current row
        ) as cost_base
    from daily
),

returns as (
    select
        windows.business_date,
        cast(windows.category as {{ type_text(100) }}) as category,
        cast(windows.days as int) as days,
        cast(windows.margin_base as {{ type_money() }}) as gross_margin_base,
        cast({{ quotient('windows.cost_base', 'windows.days', 4) }} as {{ type_money() }}) as average_cost_base,
        case
            when windows.cost_base > 0 then {{ quotient('windows.margin_base * windows.days', 'windows.cost_base', 8) }}
        end as gmroi
    from windows
)

select
    fresh.business_date,
    fresh.category,
    fresh.days,
    fresh.gross_margin_base,
    fresh.average_cost_base,
    fresh.gmroi,
    {{ built_at() }} as built_at
from returns as fresh
{{ gold_unlike_known('fresh', ['business_date', 'category'], ['days', 'gross_margin_base', 'average_cost_base', 'gmroi']) }}
