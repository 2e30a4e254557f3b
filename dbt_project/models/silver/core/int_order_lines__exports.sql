{{ config(materialized='view') }}
{#-
  Order lines of the export files in the conformed form. The files state tax, and some discounts, for the whole order: each
  line carries its share by price, so that lines and order add up.
-#}

with shares as (
    select
        exported.*,
        orders.taxes_included,
        cast(exported.line_discount + coalesce({{ quotient(
            product('orders.discount_amount - orders.line_discount_amount', 'exported.goods_amount'), 'orders.goods_amount'
        ) }}, 0) as {{ type_money() }}) as discount_amount,
        cast(coalesce({{ quotient(
            product('orders.goods_tax_amount', 'exported.goods_amount'), 'orders.goods_amount'
        ) }}, 0) as {{ type_money() }}) as tax_amount
    from {{ ref('int_export_rows') }} as exported
    inner join {{ ref('int_orders__exports') }} as orders
        on orders.channel = exported.channel and orders.order_id = exported.order_id
    where exported.is_line = 1
),

amounts as (
    select
        shares.*,
        cast(
            goods_amount - case when {{ is_true('taxes_included') }} then tax_amount else 0 end as {{ type_money() }}
        ) as gross_amount
    from shares
)

select
    channel,
    source_table,
    order_id,
    line_id,
    item_id,
    listing_id as product_id,
    title,
    'sale' as line_type,
    quantity,
    currency,
    gross_amount,
    coalesce({{ quotient('gross_amount', 'quantity') }}, gross_amount) as price_amount,
    discount_amount,
    tax_amount,
    cast(gross_amount - discount_amount + tax_amount as {{ type_money() }}) as line_total_amount,
    ordered_at,
    record_id,
    built_at
from amounts
