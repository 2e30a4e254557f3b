{{ config(materialized='view') }}
{#-
  Refunds of eBay's orders that were paid out: those that failed, or have no date yet, are left out. eBay states them
  without the tax that it gives back itself. An id of their own is there as soon as they are; the reference comes later.
-#}

with refunds as (
    {{ explode(
        ref('int_orders__ebay'), 'refunds',
        ['channel', 'order_id', 'ordered_at', 'currency', 'tax_amount', 'total_amount', 'reject_reason', 'built_at'],
        ebay_refund_fields()
    ) | indent(4) }}
),

numbered as (
    select
        refunds.*,
        -- built_at belongs to the order, so it parts nothing; but it lets a condition on it reach the scan.
        row_number() over (
            partition by order_id, built_at order by refunded_at, refund_amount, reference_id
        ) as refund_number
    from refunds
)

select
    channel,
    coalesce(stated_refund_id, reference_id, concat(order_id, ':', cast(refund_number as {{ type_text(10) }})))
        as refund_id,
    order_id,
    order_id as source_order_id,
    refunded_at,
    currency,
    {{ ebay_charged('refund_amount') }} as refund_amount,
    cast(coalesce({{ quotient(product(ebay_charged('refund_amount'), 'tax_amount'), 'total_amount') }}, 0)
        as {{ type_money() }}) as refund_tax_amount,
    {{ zero_money() }} as refund_shipping_amount,
    {{ flag_literal(false) }} as is_restocked,
    ordered_at,
    built_at
from numbered
where reject_reason is null and refunded_at is not null and coalesce(refund_state, '') <> 'failed'
union all
select
    channel,
    {{ null_text() }} as refund_id,
    order_id,
    order_id as source_order_id,
    {{ null_time() }} as refunded_at,
    currency,
    {{ null_money() }} as refund_amount,
    {{ null_money() }} as refund_tax_amount,
    {{ null_money() }} as refund_shipping_amount,
    {{ flag_literal(false) }} as is_restocked,
    ordered_at,
    built_at
from {{ ref('int_orders__ebay') }}
where reject_reason is null
