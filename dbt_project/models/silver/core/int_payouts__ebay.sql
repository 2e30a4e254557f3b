{{ config(materialized='view') }}
{#-
  eBay's payouts in the conformed form: gross is what left the balance, net what reaches the account, the fee of a payout to
  a card in between.
-#}

select
    'ebay' as channel,
    payout_id,
    issued_at,
    {{ business_date('issued_at') }} as business_date,
    case
        when payout_state = 'succeeded' then 'paid'
        when payout_state = 'initiated' then 'scheduled'
        when payout_state in ('retryable_failed', 'terminal_failed', 'reversed') then 'failed'
        else payout_state
    end as status,
    currency,
    coalesce(total_amount, amount) as gross_amount,
    amount as net_amount,
    built_at
from {{ ref('stg_ebay__payouts') }}
