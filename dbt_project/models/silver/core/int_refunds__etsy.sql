{{ config(unique_key='source_order_id', meta={'bound_by': 'ordered_at'}) }}
{#-
  Refunds of good receipts in the conformed form; a row of nulls for a receipt without any. Etsy states no tax of a refund:
  it has the share of tax that the receipt had.
-#}

with orders as (
    {{ fresh_orders('int_orders__etsy') | indent(4) }}
),

refunds as (
    select refunds.*
    from {{ ref('int_etsy__refunds') }} as refunds
    {%- if is_incremental() %}
    where refunds.ordered_at >= {{ earliest_fresh('int_orders__etsy') }}
    {%- endif %}
)

select
    orders.channel,
    refunds.refund_id,
    orders.order_id,
    orders.order_id as source_order_id,
    refunds.refunded_at,
    refunds.currency,
    refunds.refund_amount,
    cast(coalesce({{ quotient(product('refunds.refund_amount', 'orders.tax_amount'), 'orders.total_amount') }}, 0)
        as {{ type_money() }}) as refund_tax_amount,
    {{ zero_money() }} as refund_shipping_amount,
    {{ flag_literal(false) }} as is_restocked,
    orders.ordered_at,
    {{ built_at() }} as built_at
from orders
left join refunds on refunds.order_id = orders.order_id
