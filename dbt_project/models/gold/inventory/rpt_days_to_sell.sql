{{ config(materialized='table') }}

{#
  Kaplan-Meier: of the pieces still there after so many days, the share that is sold on that day thins the survivors.
  A piece withdrawn or still open counts as there until then and as nothing after it, so the unsold are not left out.
#}
with as_of as (
    select max(stock.business_date) as as_of_date
    from {{ ref('agg_daily_stock') }} as stock
),

spells as (
    select
        coalesce(items.category, 'unknown') as category,
        as_of.as_of_date,
        {{ days_between('spells.opened_date', 'as_of.as_of_date') }} as days_until_now,
        case
            when spells.closed_date <= as_of.as_of_date then
                {{ days_between('spells.opened_date', 'spells.closed_date') }}
        end as days_until_closed,
        case when spells.close_reason = 'sale' and spells.closed_date <= as_of.as_of_date then 1 else 0 end as is_sold
    from {{ ref('fct_stock_spells') }} as spells
    inner join {{ ref('dim_item') }} as items on items.item_id = spells.item_id
    inner join as_of on spells.opened_date <= as_of.as_of_date
),

durations as (
    select
        spells.category,
        spells.as_of_date,
        coalesce(spells.days_until_closed, spells.days_until_now) as days,
        spells.is_sold
    from spells
    union all
    select
        'all' as category,
        spells.as_of_date,
        coalesce(spells.days_until_closed, spells.days_until_now) as days,
        spells.is_sold
    from spells
),

by_days as (
    select
        durations.category,
        durations.as_of_date,
        durations.days,
        count(*) as left_items,
        sum(durations.is_sold) as sold_items
    from durations
    group by durations.category, durations.as_of_date, durations.days
),

at_risk as (
    select
        by_days.category,
        by_days.as_of_date,
        by_days.days,
        by_days.sold_items,
        sum(by_days.left_items) over (
            partition by by_days.category order by by_days.days desc rows between unbounded preceding and current row
        ) as items_at_risk
    from by_days
),

survival as (
    select
        at_risk.category,
        at_risk.as_of_date,
        at_risk.days,
        at_risk.sold_items,
        -- Nobody survives a day on which all that were left are sold: far below any share that is asked for.
        sum(
            case
                when at_risk.sold_items = at_risk.items_at_risk then -1000.0
                else {{ natural_log('1.0 - cast(at_risk.sold_items as float) / at_risk.items_at_risk') }}
            end
        ) over (
            partition by at_risk.category order by at_risk.days rows between unbounded preceding and current row
        ) as log_survival
    from at_risk
),

totals as (
    select
        durations.category,
        count(*) as items,
        sum(durations.is_sold) as sold_items
    from durations
    group by durations.category
)

select
    survival.as_of_date,
    cast(survival.category as {{ type_text(100) }}) as category,
    cast(max(totals.items) as int) as items,
    cast(max(totals.sold_items) as int) as sold_items,
    {%- for name, share in [('first_quarter', 0.75), ('median', 0.5), ('third_quarter', 0.25)] %}
    {# A share reached to within rounding is reached. -#}
    cast(
        min(case when survival.sold_items > 0 and survival.log_survival <= {{ natural_log(share) }} + 0.000000001
            then survival.days end) as int
    ) as {{ name }}_days,
    {%- endfor %}
    {{ built_at() }} as built_at
from survival
inner join totals on totals.category = survival.category
group by survival.as_of_date, survival.category
