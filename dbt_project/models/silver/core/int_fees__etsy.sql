{{ config(materialized='view') }}
{#-
  Fees of Etsy's payment account, positive as a cost; entries of an unknown type are fees in suspense until somebody says
  what they are. An entry that is no fee has none: fee_id is null.
-#}

select
    'etsy' as channel,
    case when entry_kind in ('fee', 'suspense') and amount <> 0 then entry_id end as fee_id,
    entry_id as source_entry_id,
    order_id,
    payout_id,
    case
        when entry_kind = 'suspense' then 'suspense'
        when ledger_type = 'payment_processing_fee' then 'processing_fee'
        when ledger_type = 'refund_processing_fee' then 'processing_fee_refund'
        else ledger_type
    end as fee_type,
    created_at as charged_at,
    business_date,
    currency,
    cast(-amount as {{ type_money() }}) as fee_amount,
    built_at
from {{ ref('int_etsy__ledger') }}
