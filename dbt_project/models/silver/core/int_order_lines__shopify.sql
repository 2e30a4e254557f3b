{{ config(materialized='view') }}
{#- Order lines of Shopify's API in the conformed form. Tax that the price includes is taken out of it, per line. -#}

with amounts as (
    select
        lines.*,
        cast(
            lines.unit_price * lines.quantity
            - case when {{ is_true('lines.taxes_included') }} then lines.tax_amount else 0 end
            as {{ type_money() }}
        ) as gross_amount
    from {{ ref('stg_shopify__order_lines') }} as lines
)

select
    'shopify' as channel,
    'shopify_orders' as source_table,
    order_id,
    line_id,
    item_id,
    product_id,
    title,
    'sale' as line_type,
    quantity,
    currency,
    gross_amount,
    coalesce({{ quotient('gross_amount', 'quantity') }}, gross_amount) as price_amount,
    discount_amount,
    tax_amount,
    cast(gross_amount - discount_amount + tax_amount as {{ type_money() }}) as line_total_amount,
    created_at as ordered_at,
    record_id,
    built_at
from amounts
