{#- Money movements that break a rule, with the reasons; their orders are not kept out for it. -#}

select
    channel,
    payment_id,
    order_id,
    source_order_id,
    paid_at,
    kind,
    status,
    gateway,
    currency,
    payment_amount,
    is_test,
    ordered_at,
    reject_reason,
    built_at
from {{ ref('int_payments') }}
where reject_reason is not null
