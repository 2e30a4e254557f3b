{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget_days_to_sell() }}"
) }}

{#
  Kaplan-Meier as of each day: a piece that was sold later, or never, counts as there until the day. Days before the first
  changed cell stay as they are.
#}
with days as (
    select stock.business_date
    from {{ ref('agg_daily_stock') }} as stock
    {%- if is_incremental() %}
    where
        stock.business_date >= {{ gold_first_changed_cell() }}
        or not exists (select 1 from {{ this }} as known where known.business_date = stock.business_date)
    {%- endif %}
),

cells as (
    select cells.category, cells.kind, cells.effective_date, cells.opened_date, cells.close_reason, cells.items
    from {{ ref('int_stock_cells') }} as cells
    where cells.items > 0
    union all
    select 'all' as category, cells.kind, cells.effective_date, cells.opened_date, cells.close_reason, cells.items
    from {{ ref('int_stock_cells') }} as cells
    where cells.items > 0
),

-- All that came in count until the day; those that had left by then are taken out of that and count until they left.
times as (
    select
        days.business_date,
        cells.category,
        {{ days_between('cells.opened_date', 'days.business_date') }} as days_in_stock,
        case cells.kind when 'opened' then cells.items else -cells.items end as left_items,
        0 as sold_items
    from days
    inner join cells on cells.effective_date <= days.business_date
    union all
    select
        days.business_date,
        cells.category,
        {{ days_between('cells.opened_date', 'cells.effective_date') }} as days_in_stock,
        cells.items as left_items,
        case cells.close_reason when 'sale' then cells.items else 0 end as sold_items
    from days
    inner join cells on cells.effective_date <= days.business_date
    where cells.kind = 'closed'
),

by_days as (
    select
        times.business_date,
        times.category,
        times.days_in_stock,
        sum(times.left_items) as left_items,
        sum(times.sold_items) as sold_items
    from times
    group by times.business_date, times.category, times.days_in_stock
),

at_risk as (
    select
        by_days.business_date,
        by_days.category,
        by_days.days_in_stock,
        by_days.sold_items,
        sum(by_days.left_items) over (
            partition by by_days.business_date, by_days.category
            order by by_days.days_in_stock desc rows between unbounded preceding and current row
        ) as items_at_risk
    from by_days
),

survival as (
    select
        at_risk.business_date,
        at_risk.category,
        at_risk.days_in_stock,
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
            partition by at_risk.business_date, at_risk.category
            order by at_risk.days_in_stock rows between unbounded preceding and current row
        ) as log_survival
    from at_risk
)

select
    survival.business_date,
    cast(survival.category as {{ type_text(100) }}) as category,
    cast(max(survival.items_at_risk) as int) as items,
    cast(sum(survival.sold_items) as int) as sold_items,
    {%- for name, share in [('first_quarter', 0.75), ('median', 0.5), ('third_quarter', 0.25)] %}
    {# A share reached to within rounding is reached. -#}
    cast(
        min(case when survival.sold_items > 0 and survival.log_survival <= {{ natural_log(share) }} + 0.000000001
            then survival.days_in_stock end) as int
    ) as {{ name }}_days,
    {%- endfor %}
    {{ built_at() }} as built_at
from survival
group by survival.business_date, survival.category
