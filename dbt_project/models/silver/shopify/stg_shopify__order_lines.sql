{{ config(materialized='view') }}
{#- A view: the list is already parsed in stg_shopify__orders; exploding it costs less than storing it twice. -#}

with exploded as (
    {{ explode(
        ref('stg_shopify__orders'), 'order_lines',
        ['order_id', 'created_at', 'currency', 'taxes_included', 'record_id', 'built_at'],
        shopify_order_line_fields()
    ) | indent(4) }}
)

select
    order_id,
    line_id,
    item_id,
    product_id,
    title,
    quantity,
    currency,
    taxes_included,
    unit_price,
    {{ sum_of('discounts', 'allocatedAmountSet.presentmentMoney.amount') }} as discount_amount,
    {{ sum_of('taxes', 'priceSet.presentmentMoney.amount') }} as tax_amount,
    created_at,
    record_id,
    built_at
from exploded
