{{ config(materialized='view') }}
{#-
  Lines of Square's orders in the conformed form. What was paid for a line is its total, with tax whether prices include it
  or not, modifiers and apportioned charges among it.
-#}

select
    'pos' as channel,
    'square_orders' as source_table,
    lines.order_id,
    lines.line_id,
    skus.item_id,
    lines.variation_id as product_id,
    lines.title,
    'sale' as line_type,
    lines.quantity,
    lines.currency,
    cast(lines.total_amount + lines.discount_amount - lines.tax_amount as {{ type_money() }}) as gross_amount,
    coalesce(
        {{ quotient('(lines.total_amount + lines.discount_amount - lines.tax_amount)', 'lines.quantity') }},
        lines.total_amount + lines.discount_amount - lines.tax_amount
    ) as price_amount,
    lines.discount_amount,
    lines.tax_amount,
    lines.total_amount as line_total_amount,
    lines.created_at as ordered_at,
    lines.record_id,
    lines.built_at
from {{ ref('stg_square__order_lines') }} as lines
left join {{ ref('int_square_skus') }} as skus on skus.variation_id = lines.variation_id
where coalesce(lines.state, '') <> 'draft'
