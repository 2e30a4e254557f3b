{{ config(materialized='view') }}
{#-
  Order lines of eBay's API in the conformed form. What of the order's discount no line states (a price adjusted later) is
  shared among the lines by price, so that lines and order add up.
-#}

with lines as (
    {{ explode(
        ref('int_orders__ebay'), 'order_lines',
        ['channel', 'source_table', 'order_id', 'ordered_at', 'currency', 'record_id', 'built_at',
         'gross_amount as order_gross_amount', 'discount_amount as order_discount_amount',
         'line_discount_amount as order_line_discount_amount'],
        ebay_order_line_fields()
    ) | indent(4) }}
),

taxed as (
    select
        lines.*,
        {{ ebay_charged('lines.cost') }} as gross_amount,
        coalesce({{ ebay_charged('lines.cost') }} - {{ ebay_charged('lines.discounted_cost') }}, 0) as own_discount,
        {{ ebay_sum('lines.taxes', 'amount', 'lines.cost_charged is not null') }} as stated_tax,
        {{ ebay_sum('lines.remitted_taxes', 'amount', 'lines.cost_charged is not null') }} as remitted_tax
    from lines
),

amounts as (
    select
        taxed.*,
        cast(own_discount + coalesce({{ quotient(
            product('order_discount_amount - order_line_discount_amount', 'gross_amount'), 'order_gross_amount'
        ) }}, 0) as {{ type_money() }}) as discount_amount,
        cast(
            stated_tax - case when stated_tax >= remitted_tax then remitted_tax else 0 end as {{ type_money() }}
        ) as tax_amount
    from taxed
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
