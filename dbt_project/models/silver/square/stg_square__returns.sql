{{ config(materialized='view') }}
{#- An order that takes goods back has a return for each sale that they came from; none is named for an unlinked return. -#}

with exploded as (
    {{ explode(
        ref('stg_square__orders'), 'returns',
        ['order_id', 'created_at', 'closed_at', 'state', 'currency', 'built_at'],
        square_return_fields()
    ) | indent(4) }}
)

select
    order_id,
    sale_order_id,
    case when sale_order_id is null then order_id else concat(order_id, ':', sale_order_id) end as refund_id,
    state,
    currency,
    return_lines,
    {{ from_minor(sum_of('return_service_charges', 'total_money.amount'), 'currency') }} as charge_amount,
    {{ from_minor(sum_of('return_service_charges', 'total_tax_money.amount'), 'currency') }} as charge_tax_amount,
    created_at,
    closed_at,
    built_at
from exploded
