{{ config(materialized='table') }}

{# Quintiles by rank, so that equal values share one: 5 is the best fifth. #}
with as_of as (
    select max(sales.business_date) as as_of_date
    from {{ ref('agg_daily_sales') }} as sales
),

bought as (
    select
        orders.person_id,
        max(orders.business_date) as last_order_date,
        min(orders.business_date) as first_order_date,
        count(*) as orders,
        {{ gold_sum('orders.net_base') }} as net_revenue_base,
        {{ gold_sum('orders.net_base - orders.item_cost_base - orders.fee_base') }} as margin_base
    from {{ ref('fct_orders') }} as orders
    where orders.person_id is not null and {{ is_true('orders.is_sale') }}
    group by orders.person_id
),

ranked as (
    select
        bought.person_id,
        as_of.as_of_date,
        bought.first_order_date,
        {{ days_between('bought.last_order_date', 'as_of.as_of_date') }} as recency_days,
        bought.orders,
        bought.net_revenue_base,
        bought.margin_base,
        count(*) over () as people,
        rank() over (order by bought.last_order_date) as recency_rank,
        rank() over (order by bought.orders) as frequency_rank,
        rank() over (order by bought.net_revenue_base) as monetary_rank
    from bought
    cross join as_of
),

scored as (
    select
        ranked.person_id,
        ranked.as_of_date,
        ranked.first_order_date,
        ranked.recency_days,
        ranked.orders,
        ranked.net_revenue_base,
        ranked.margin_base,
        {%- for name in ['recency', 'frequency', 'monetary'] %}
        cast(1 + floor(5.0 * (ranked.{{ name }}_rank - 1) / ranked.people) as int) as {{ name }}_score
        {{- ',' if not loop.last }}
        {%- endfor %}
    from ranked
)

select
    scored.person_id,
    scored.as_of_date,
    scored.first_order_date,
    cast(scored.recency_days as int) as recency_days,
    cast(scored.orders as int) as orders,
    scored.net_revenue_base,
    scored.margin_base as lifetime_value_base,
    scored.recency_score,
    scored.frequency_score,
    scored.monetary_score,
    cast(
        case
            when scored.recency_score >= 4 and scored.orders >= 2 and scored.monetary_score >= 4 then 'champion'
            when scored.orders >= 2 and scored.recency_score >= 3 then 'loyal'
            when scored.orders >= 2 then 'at_risk'
            when scored.recency_score >= 4 then 'new'
            when scored.recency_score >= 2 then 'one_time'
            else 'lapsed'
        end as {{ type_text(20) }}
    ) as segment,
    {{ built_at() }} as built_at
from scored
