{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    unique_key=['category', 'moved_date'],
    meta={'bound_by': 'moved_date', 'bound_slack_days': 0}
) }}

{# By how much a category's stock changed on a day: the days of the new moves are summed anew. #}
select
    moves.category,
    moves.moved_date,
    cast(sum(case when moves.kind = 'opened' then moves.pieces else 0 end) as int) as added_items,
    cast(sum(case when moves.kind = 'closed' and moves.close_reason = 'sale' then moves.pieces else 0 end) as int)
        as sold_items,
    cast(sum(case moves.kind when 'opened' then moves.pieces when 'closed' then -moves.pieces else 0 end) as int)
        as open_items,
    cast(sum(
        case moves.kind when 'opened' then moves.pieces when 'closed' then -moves.pieces else 0 end * moves.cost_base
    ) as {{ type_money() }}) as open_cost_base,
    cast(sum(case when moves.kind = 'aged' then moves.pieces else 0 end * moves.cost_base) as {{ type_money() }})
        as aged_cost_base,
    {{ built_at() }} as built_at
from {{ ref('int_stock_moves') }} as moves
{%- if is_incremental() %}
inner join (
    select distinct fresh.category, fresh.moved_date
    from {{ ref('int_stock_moves') }} as fresh
    where fresh.built_at > {{ watermark() }}
) as touched on touched.category = moves.category and touched.moved_date = moves.moved_date
where moves.moved_date >= {{ gold_first_move() }}
{%- endif %}
group by moves.category, moves.moved_date
