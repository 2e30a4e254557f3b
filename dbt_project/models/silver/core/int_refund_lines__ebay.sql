{{ config(materialized='view') }}
{#-
  Refunds as eBay's order lines state them, of those that were paid out. It does not say how many pieces came back: a line
  given back whole counts.
-#}

with lines as (
    {{ explode(
        ref('int_orders__ebay'), 'order_lines',
        ['channel', 'order_id', 'ordered_at', 'reject_reason', 'tax_amount as order_tax_amount',
         'total_amount as order_total_amount', 'built_at'],
        ebay_order_line_fields()
    ) | indent(4) }}
),

given_back as (
    {{ explode(
        'lines', 'line_refunds',
        ['channel', 'order_id', 'ordered_at', 'reject_reason', 'order_tax_amount', 'order_total_amount', 'line_id',
         'item_id', 'quantity', 'cost', 'cost_charged', 'discounted_cost', 'discounted_cost_charged', 'built_at'],
        ebay_line_refund_fields()
    ) | indent(4) }}
),

taxed as (
    select
        given_back.*,
        {{ ebay_charged('refund_amount') }} as given_amount,
        cast(coalesce({{ quotient(product(ebay_charged('refund_amount'), 'order_tax_amount'), 'order_total_amount') }}, 0)
            as {{ type_money() }}) as tax_amount
    from given_back
)

select
    taxed.channel,
    taxed.refund_id,
    concat(taxed.refund_id, ':', taxed.line_id) as refund_line_id,
    taxed.order_id,
    taxed.order_id as source_order_id,
    taxed.line_id,
    taxed.item_id,
    case
        when given_amount >= coalesce({{ ebay_charged('discounted_cost') }}, {{ ebay_charged('cost') }}) then quantity
        else 0
    end as quantity,
    cast(taxed.given_amount - taxed.tax_amount as {{ type_money() }}) as refund_amount,
    taxed.tax_amount,
    {{ flag_literal(false) }} as is_restocked,
    taxed.ordered_at,
    taxed.built_at
from taxed
inner join {{ ref('int_refunds__ebay') }} as refunds
    on refunds.order_id = taxed.order_id and refunds.refund_id = taxed.refund_id and refunds.built_at = taxed.built_at
union all
select
    channel,
    {{ null_text() }} as refund_id,
    {{ null_text() }} as refund_line_id,
    order_id,
    order_id as source_order_id,
    {{ null_text() }} as line_id,
    {{ null_text() }} as item_id,
    cast(null as integer) as quantity,
    {{ null_money() }} as refund_amount,
    {{ null_money() }} as tax_amount,
    {{ flag_literal(false) }} as is_restocked,
    ordered_at,
    built_at
from {{ ref('int_orders__ebay') }}
where reject_reason is null
