{{ config(
    materialized='incremental',
    incremental_strategy='replace',
    unique_key=['category', 'kind', 'effective_date', 'opened_date', 'close_reason']
) }}

{#
  How many pieces of a category came into stock on a day, and how many of those left it on which day and why: what is known
  of their times in stock, without the pieces. Only cells whose number changed are written, with 0 where it was all of them:
  so the earliest changed cell says from which day on the times to sell are other ones.
#}
with spells as (
    select
        coalesce(items.category, 'unknown') as category,
        spells.opened_date,
        spells.closed_date,
        spells.close_reason
    from {{ ref('fct_stock_spells') }} as spells
    left join {{ ref('items') }} as items on items.item_id = spells.item_id
),

cells as (
    select
        spells.category,
        'opened' as kind,
        spells.opened_date as effective_date,
        spells.opened_date,
        '' as close_reason,
        count(*) as items
    from spells
    group by spells.category, spells.opened_date
    union all
    select
        spells.category,
        'closed' as kind,
        spells.closed_date as effective_date,
        spells.opened_date,
        spells.close_reason,
        count(*) as items
    from spells
    where spells.closed_date is not null
    group by spells.category, spells.closed_date, spells.opened_date, spells.close_reason
)
{%- if is_incremental() %},

compared as (
    select
        coalesce(cells.category, known.category) as category,
        coalesce(cells.kind, known.kind) as kind,
        coalesce(cells.effective_date, known.effective_date) as effective_date,
        coalesce(cells.opened_date, known.opened_date) as opened_date,
        coalesce(cells.close_reason, known.close_reason) as close_reason,
        coalesce(cells.items, 0) as items,
        coalesce(known.items, 0) as known_items
    from cells
    full outer join {{ this }} as known
        on
            known.category = cells.category
            and known.kind = cells.kind
            and known.effective_date = cells.effective_date
            and known.opened_date = cells.opened_date
            and known.close_reason = cells.close_reason
)

{%- else %},

compared as (
    select cells.*, 0 as known_items
    from cells
)

{%- endif %}

select
    cast(compared.category as {{ type_text(100) }}) as category,
    cast(compared.kind as {{ type_text(20) }}) as kind,
    compared.effective_date,
    compared.opened_date,
    cast(compared.close_reason as {{ type_text(20) }}) as close_reason,
    cast(compared.items as int) as items,
    {{ built_at() }} as built_at
from compared
where compared.items <> compared.known_items
