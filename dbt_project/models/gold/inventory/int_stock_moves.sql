{{ config(materialized='incremental', incremental_strategy='append') }}

{#
  A journal of stock: a piece came in, grew older than 90 days, left. Rows are added, never changed; where an item's history
  in stock proves to be another one, what was posted is taken back (pieces of the other sign) and posted as it is. So a
  reader learns from the new rows alone which days and cells are other ones, and an increment reads the touched items only.
#}
with {% if is_incremental() %}touched as (
    select spells.item_id
    from {{ ref('fct_stock_spells') }} as spells
    where spells.built_at > {{ watermark() }}
    union
    select items.item_id
    from {{ ref('items') }} as items
    where items.built_at > {{ watermark() }}
),

{% endif %}spells as (
    select
        spells.item_id,
        cast(coalesce(items.category, 'unknown') as {{ type_text(100) }}) as category,
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
    {{- gold_only_touched('spells', ['item_id']) }}
    left join {{ ref('items') }} as items on items.item_id = spells.item_id
),

moves as (
    select
        spells.item_id,
        spells.category,
        'opened' as kind,
        spells.opened_date as moved_date,
        spells.opened_date,
        '' as close_reason,
        spells.cost_base,
        1 as pieces
    from spells
    union all
    select
        spells.item_id,
        spells.category,
        'closed' as kind,
        spells.closed_date as moved_date,
        spells.opened_date,
        spells.close_reason,
        spells.cost_base,
        1 as pieces
    from spells
    where spells.closed_date is not null
    union all
    select
        spells.item_id,
        spells.category,
        'aged' as kind,
        spells.aged_date as moved_date,
        spells.opened_date,
        '' as close_reason,
        spells.cost_base,
        1 as pieces
    from spells
    where spells.closed_date is null or spells.aged_date < spells.closed_date
    union all
    select
        spells.item_id,
        spells.category,
        'aged' as kind,
        spells.closed_date as moved_date,
        spells.opened_date,
        '' as close_reason,
        spells.cost_base,
        -1 as pieces
    from spells
    where spells.aged_date < spells.closed_date
    {%- if is_incremental() %}
    union all
    select
        known.item_id,
        known.category,
        known.kind,
        known.moved_date,
        known.opened_date,
        known.close_reason,
        known.cost_base,
        -known.pieces as pieces
    from {{ this }} as known
    inner join touched on touched.item_id = known.item_id
    {%- endif %}
)

select
    moves.item_id,
    moves.category,
    cast(moves.kind as {{ type_text(20) }}) as kind,
    moves.moved_date,
    moves.opened_date,
    cast(moves.close_reason as {{ type_text(20) }}) as close_reason,
    cast(moves.cost_base as {{ type_money() }}) as cost_base,
    cast(sum(moves.pieces) as int) as pieces,
    {{ built_at() }} as built_at
from moves
group by
    moves.item_id,
    moves.category,
    moves.kind,
    moves.moved_date,
    moves.opened_date,
    moves.close_reason,
    moves.cost_base
having sum(moves.pieces) <> 0
