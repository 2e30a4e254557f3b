{{ config(materialized='view') }}

with exploded as (
    {{ explode(
        ref('stg_square__returns'), 'return_lines',
        ['order_id', 'sale_order_id', 'refund_id', 'state', 'currency', 'created_at', 'built_at'],
        square_return_line_fields()
    ) | indent(4) }}
)

select
    order_id,
    sale_order_id,
    refund_id,
    refund_line_id,
    line_id,
    variation_id,
    item_type,
    state,
    case when quantity = floor(quantity) then {{ to_int('quantity') }} when quantity is not null then 1 end as quantity,
    currency,
    {{ from_minor('total_minor', 'currency') }} as total_amount,
    {{ from_minor('coalesce(tax_minor, 0)', 'currency') }} as tax_amount,
    created_at,
    built_at
from exploded
