{{ config(unique_key='source_order_id', meta={'bound_by': 'ordered_at'}) }}
{#- The lines that Square's orders take back. An order that takes nothing back has a row of nulls. -#}

with touched as (
    {{ square_touched_orders() | indent(4) }}
),

fresh as (
    {{ square_touched(ref('stg_square__orders')) | indent(4) }}
),

lines as (
    {{ square_touched(ref('stg_square__return_lines')) | indent(4) }}
)

select
    'pos' as channel,
    lines.refund_id,
    lines.refund_line_id,
    lines.sale_order_id as order_id,
    fresh.order_id as source_order_id,
    lines.line_id,
    skus.item_id,
    lines.quantity,
    cast(lines.total_amount - lines.tax_amount as {{ type_money() }}) as refund_amount,
    lines.tax_amount,
    {{ flag("lines.item_type = 'item' and lines.variation_id is not null") }} as is_restocked,
    fresh.created_at as ordered_at,
    {{ built_at() }} as built_at
from fresh
left join lines on lines.order_id = fresh.order_id and coalesce(fresh.state, '') in ('completed', 'open')
left join {{ ref('int_square_skus') }} as skus on skus.variation_id = lines.variation_id
