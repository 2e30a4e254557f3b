{{ config(materialized='view') }}
{#- The refunds that obey the rules; quarantine.silver_refunds has the others. -#}

select
    channel,
    refund_id,
    order_id,
    source_order_id,
    refunded_at,
    business_date,
    currency,
    refund_amount,
    refund_tax_amount,
    refund_shipping_amount,
    refund_surcharge_amount,
    is_restocked,
    ordered_at,
    built_at
from {{ ref('int_refunds') }}
where reject_reason is null
