{{ config(materialized='view') }}
{#- What is sold by weight or length comes as a fraction: it counts as one piece. -#}

with exploded as (
    {{ explode(
        ref('stg_square__orders'), 'order_lines',
        ['order_id', 'created_at', 'state', 'currency', 'record_id', 'built_at'],
        square_order_line_fields()
    ) | indent(4) }}
)

select
    order_id,
    line_id,
    variation_id,
    title,
    item_type,
    state,
    case when quantity = floor(quantity) then {{ to_int('quantity') }} when quantity is not null then 1 end as quantity,
    currency,
    {{ from_minor('total_minor', 'currency') }} as total_amount,
    {{ from_minor('coalesce(discount_minor, 0)', 'currency') }} as discount_amount,
    {{ from_minor('coalesce(tax_minor, 0)', 'currency') }} as tax_amount,
    created_at,
    record_id,
    built_at
from exploded
