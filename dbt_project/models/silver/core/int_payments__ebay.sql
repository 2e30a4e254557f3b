{{ config(materialized='view') }}
{#-
  What was paid for eBay's orders and given back. eBay counts the tax that it remits among what was paid; it is taken out,
  by each payment's share. A payment that was not made yet has no date and no row.
-#}

with payments as (
    {{ explode(
        ref('int_orders__ebay'), 'payments',
        ['channel', 'order_id', 'ordered_at', 'currency', 'total_amount', 'remitted_tax_amount', 'is_test',
         'reject_reason', 'built_at'],
        ebay_payment_fields()
    ) | indent(4) }}
)

select
    channel,
    coalesce(reference_id, concat('payment:', order_id)) as payment_id,
    order_id,
    order_id as source_order_id,
    paid_at,
    'sale' as kind,
    case payment_state when 'paid' then 'success' when 'failed' then 'failure' else payment_state end as status,
    gateway,
    currency,
    cast(
        {{ ebay_charged('amount') }} - coalesce({{ quotient(
            product('remitted_tax_amount', ebay_charged('amount')), 'total_amount + remitted_tax_amount'
        ) }}, 0) as {{ type_money() }}
    ) as payment_amount,
    is_test,
    ordered_at,
    built_at
from payments
where reject_reason is null and paid_at is not null
union all
select
    channel,
    concat('refund:', refund_id) as payment_id,
    order_id,
    order_id as source_order_id,
    refunded_at as paid_at,
    'refund' as kind,
    'success' as status,
    'ebay' as gateway,
    currency,
    refund_amount as payment_amount,
    {{ flag_literal(false) }} as is_test,
    ordered_at,
    built_at
from {{ ref('int_refunds__ebay') }}
where refund_id is not null
union all
select
    channel,
    {{ null_text() }} as payment_id,
    order_id,
    order_id as source_order_id,
    {{ null_time() }} as paid_at,
    {{ null_text() }} as kind,
    {{ null_text() }} as status,
    {{ null_text() }} as gateway,
    currency,
    {{ null_money() }} as payment_amount,
    is_test,
    ordered_at,
    built_at
from {{ ref('int_orders__ebay') }}
where reject_reason is null
