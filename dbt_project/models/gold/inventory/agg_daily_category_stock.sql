{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    unique_key=['business_date', 'category'],
    pre_hook=["{{ gold_forget_stock_days() }}", "{{ gold_forget_stock_categories() }}"]
) }}

{#
  One pass over the spells, whatever the number of days; only days whose figures differ from what is stored are
  written, so that readers see just the change.
#}
with limits as (
    select
        min(sales.business_date) as first_date,
        max(sales.business_date) as last_date
    from {{ ref('agg_daily_sales') }} as sales
),

spells as (
    select
        coalesce(items.category, 'unknown') as category,
        spells.opened_date,
        spells.closed_date,
        spells.close_reason,
        coalesce(spells.item_cost_base, 0) as cost_base,
        -- The first day on which it is older than 90 days, if it is still there.
        case
            when {{ add_days('spells.in_stock_date', 91) }} > spells.opened_date
                then {{ add_days('spells.in_stock_date', 91) }}
            else spells.opened_date
        end as aged_date
    from {{ ref('fct_stock_spells') }} as spells
    left join {{ ref('items') }} as items on items.item_id = spells.item_id
),

categories as (
    select distinct spells.category
    from spells
),

changes as (
    select
        spells.category,
        spells.opened_date as changed_date,
        1 as added_items,
        0 as sold_items,
        1 as open_items,
        spells.cost_base as open_cost,
        0 as aged_cost
    from spells
    union all
    select
        spells.category,
        spells.closed_date as changed_date,
        0 as added_items,
        case when spells.close_reason = 'sale' then 1 else 0 end as sold_items,
        -1 as open_items,
        -spells.cost_base as open_cost,
        0 as aged_cost
    from spells
    where spells.closed_date is not null
    union all
    select
        spells.category,
        spells.aged_date as changed_date,
        0 as added_items,
        0 as sold_items,
        0 as open_items,
        0 as open_cost,
        spells.cost_base as aged_cost
    from spells
    where spells.closed_date is null or spells.aged_date < spells.closed_date
    union all
    select
        spells.category,
        spells.closed_date as changed_date,
        0 as added_items,
        0 as sold_items,
        0 as open_items,
        0 as open_cost,
        -spells.cost_base as aged_cost
    from spells
    where spells.aged_date < spells.closed_date
),

-- What happened before the first day of sales makes that day's opening stock.
dated_changes as (
    select
        changes.category,
        case
            when changes.changed_date < limits.first_date then {{ add_days('limits.first_date', -1) }}
            else changes.changed_date
        end as changed_date,
        changes.added_items,
        changes.sold_items,
        changes.open_items,
        changes.open_cost,
        changes.aged_cost
    from changes
    cross join limits
),

days as (
    select
        dates.calendar_date as business_date,
        categories.category,
        coalesce(sum(dated_changes.added_items), 0) as added_items,
        coalesce(sum(dated_changes.sold_items), 0) as sold_items,
        coalesce(sum(dated_changes.open_items), 0) as open_items,
        coalesce(sum(dated_changes.open_cost), 0) as open_cost,
        coalesce(sum(dated_changes.aged_cost), 0) as aged_cost
    from {{ ref('dim_date') }} as dates
    inner join limits
        on dates.calendar_date >= {{ add_days('limits.first_date', -1) }} and dates.calendar_date <= limits.last_date
    cross join categories
    left join dated_changes
        on dated_changes.changed_date = dates.calendar_date and dated_changes.category = categories.category
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
{% if is_incremental() %}
left join {{ this }} as known
    on
        known.business_date = stock.business_date
        and known.category = stock.category
        and known.opening_items = stock.opening_items
        and known.added_items = stock.added_items
        and known.sold_items = stock.sold_items
        and known.open_items = stock.open_items
        and known.open_cost_base = stock.open_cost_base
        and known.aged_cost_base = stock.aged_cost_base
where known.business_date is null
{% endif %}
