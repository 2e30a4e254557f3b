{{ config(materialized='view') }}
{#- The money movements that obey the rules; quarantine.silver_payments has the others. -#}

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
    built_at
from {{ ref('int_payments') }}
where reject_reason is null
