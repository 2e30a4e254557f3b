{#- Refunds that break a rule, with the reasons; their orders are not kept out for it. -#}

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
    reject_reason,
    built_at
from {{ ref('int_refunds') }}
where reject_reason is not null
