{{ config(materialized='view') }}
{#- Items that were sold but are in no catalogue. Their sales count; this says what the catalogue lacks. -#}

select
    lines.channel,
    coalesce(lines.item_id, '(none)') as item_id,
    lines.currency,
    count(*) as line_count,
    sum(lines.quantity) as quantity,
    cast(sum(lines.line_total_amount) as {{ type_money() }}) as line_total_amount,
    min(lines.ordered_at) as first_sold_at,
    max(lines.ordered_at) as last_sold_at,
    max(lines.built_at) as built_at
from {{ ref('order_lines') }} as lines
where not exists (select 1 from {{ ref('items') }} as items where items.item_id = lines.item_id)
group by lines.channel, coalesce(lines.item_id, '(none)'), lines.currency
