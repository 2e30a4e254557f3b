{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    unique_key=['category', 'kind', 'effective_date', 'opened_date', 'close_reason'],
    meta={'bound_by': 'effective_date', 'bound_slack_days': 0}
) }}

{#
  How many pieces of a category came into stock on a day, and how many of those left it on which day and why: what is known
  of their times in stock, without the pieces. Only cells whose number changed are written, with 0 where it was all of them:
  so the earliest changed cell says from which day on the times to sell are other ones.
#}
with cells as (
    select
        moves.category,
        moves.kind,
        moves.moved_date as effective_date,
        moves.opened_date,
        moves.close_reason,
        cast(sum(moves.pieces) as int) as items
    from {{ ref('int_stock_moves') }} as moves
    {%- if is_incremental() %}
    inner join (
        select distinct fresh.category, fresh.kind, fresh.moved_date, fresh.opened_date, fresh.close_reason
        from {{ ref('int_stock_moves') }} as fresh
        where fresh.built_at > {{ watermark() }}
    ) as touched
        on
            touched.category = moves.category
            and touched.kind = moves.kind
            and touched.moved_date = moves.moved_date
            and touched.opened_date = moves.opened_date
            and touched.close_reason = moves.close_reason
    {%- endif %}
    where moves.kind <> 'aged'
    {%- if is_incremental() %}
        and moves.moved_date >= {{ gold_first_move() }}
    {%- endif %}
    group by moves.category, moves.kind, moves.moved_date, moves.opened_date, moves.close_reason
)

select
    cells.category,
    cells.kind,
    cells.effective_date,
    cells.opened_date,
    cells.close_reason,
    cells.items,
    {{ built_at() }} as built_at
from cells
{%- if is_incremental() %}
{{ gold_unlike_known(
    'cells', ['category', 'kind', 'effective_date', 'opened_date', 'close_reason'], ['items'],
    'known.effective_date >= ' ~ gold_first_move()
) }}
{%- endif %}
