{{ config(materialized='table') }}

{#
  Kaplan-Meier: of the pieces still there after so many days, the share that is sold on that day thins the survivors.
  A piece withdrawn or still open counts as there until then and as nothing after it, so the unsold are not left out.
#}
with as_of as (
    select max(stock.business_date) as as_of_date
    from {{ ref('agg_daily_stock') }} as stock
),

cells as (
    select
        cells.category,
        as_of.as_of_date,
        cells.kind,
        {{ days_between('cells.opened_date', 'as_of.as_of_date') }} as days_until_now,
        {{ days_between('cells.opened_date', 'cells.effective_date') }} as days_until_closed,
        cells.close_reason,
        cells.items
    from {{ ref('int_stock_cells') }} as cells
    inner join as_of on cells.effective_date <= as_of.as_of_date
    where cells.items > 0
),

-- All that came in count until now; those that had left by now are taken out of that and count until they left.
times as (
    select
        cells.category,
        cells.as_of_date,
        cells.days_until_now as days,
        case cells.kind when 'opened' then cells.items else -cells.items end as left_items,
        0 as sold_items
    from cells
    union all
    select
        cells.category,
        cells.as_of_date,
        cells.days_until_closed as days,
        cells.items as left_items,
        case cells.close_reason when 'sale' then cells.items else 0 end as sold_items
    from cells
    where cells.kind = 'closed'
),

by_days as (
    select
        times.category,
        times.as_of_date,
        times.days,
        sum(times.left_items) as left_items,
        sum(times.sold_items) as sold_items
    from times
    group by times.category, times.as_of_date, times.days
),

with_all as (
    select by_days.category, by_days.as_of_date, by_days.days, by_days.left_items, by_days.sold_items
    from by_days
    union all
    select
        'all' as category,
        by_days.as_of_date,
        by_days.days,
        sum(by_days.left_items) as left_items,
        sum(by_days.sold_items) as sold_items
    from by_days
    group by by_days.as_of_date, by_days.days
),

at_risk as (
    select
        with_all.category,
        with_all.as_of_date,
        with_all.days,
        with_all.sold_items,
        sum(with_all.left_items) over (
            partition by with_all.category order by with_all.days desc rows between unbounded preceding and current row
        ) as items_at_risk
    from with_all
),

survival as (
    select
        at_risk.category,
        at_risk.as_of_date,
        at_risk.days,
        at_risk.sold_items,
        at_risk.items_at_risk,
        -- Nobody survives a day on which all that were left are sold: far below any share that is asked for.
        sum(
            case
                when at_risk.sold_items = 0 then 0.0
                when at_risk.sold_items = at_risk.items_at_risk then -1000.0
                else {{ natural_log('1.0 - cast(at_risk.sold_items as float) / at_risk.items_at_risk') }}
            end
        ) over (
            partition by at_risk.category order by at_risk.days rows between unbounded preceding and current row
        ) as log_survival
    from at_risk
)

select
    survival.as_of_date,
    cast(survival.category as {{ type_text(100) }}) as category,
    cast(max(survival.items_at_risk) as int) as items,
    cast(sum(survival.sold_items) as int) as sold_items,
    {%- for name, share in [('first_quarter', 0.75), ('median', 0.5), ('third_quarter', 0.25)] %}
    {# A share reached to within rounding is reached. -#}
    cast(
        min(case when survival.sold_items > 0 and survival.log_survival <= {{ natural_log(share) }} + 0.000000001
            then survival.days end) as int
    ) as {{ name }}_days,
    {%- endfor %}
    {{ built_at() }} as built_at
from survival
group by survival.as_of_date, survival.category
