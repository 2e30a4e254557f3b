{{ config(materialized='view') }}

with exploded as (
    {{ explode(
        ref('stg_square__orders'), 'refunds',
        ['order_id', 'created_at as ordered_at', 'currency', 'built_at'],
        square_order_refund_fields()
    ) | indent(4) }}
)

select
    order_id,
    refund_id,
    sale_order_id,
    status,
    currency,
    {{ from_minor('amount_minor', 'currency') }} as refund_amount,
    created_at,
    ordered_at,
    built_at
from exploded
