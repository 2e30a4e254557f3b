{{ config(materialized='table') }}

with as_of as (
    select max(stock.business_date) as as_of_date
    from {{ ref('agg_daily_stock') }} as stock
),

open_items as (
    select
        as_of.as_of_date,
        items.category,
        spells.in_stock_date,
        spells.item_cost_base,
        {{ days_between('spells.in_stock_date', 'as_of.as_of_date') }} as age_days
    from {{ ref('fct_stock_spells') }} as spells
    inner join {{ ref('dim_item') }} as items on items.item_id = spells.item_id
    inner join as_of on spells.opened_date <= as_of.as_of_date
    where spells.closed_date is null or spells.closed_date > as_of.as_of_date
),

banded as (
    select
        open_items.as_of_date,
        coalesce(open_items.category, 'unknown') as category,
        case
            when open_items.age_days <= 30 then '0-30'
            when open_items.age_days <= 60 then '31-60'
            when open_items.age_days <= 90 then '61-90'
            when open_items.age_days <= 180 then '91-180'
            when open_items.age_days <= 365 then '181-365'
            else 'over 365'
        end as age_band,
        open_items.age_days,
        open_items.in_stock_date,
        open_items.item_cost_base
    from open_items
)

select
    banded.as_of_date,
    cast(banded.age_band as {{ type_text(20) }}) as age_band,
    banded.category,
    cast(min(
        case banded.age_band
            when '0-30' then 1 when '31-60' then 2 when '61-90' then 3 when '91-180' then 4 when '181-365' then 5
            else 6
        end
    ) as int) as age_band_order,
    cast(count(*) as int) as items,
    cast(count(*) - count(banded.item_cost_base) as int) as items_without_cost,
    {{ gold_sum('banded.item_cost_base') }} as cost_base,
    min(banded.in_stock_date) as oldest_in_stock_date,
    {{ built_at() }} as built_at
from banded
group by banded.as_of_date, banded.age_band, banded.category
