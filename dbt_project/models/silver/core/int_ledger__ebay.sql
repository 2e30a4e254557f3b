{{ config(materialized='view') }}
{#-
  eBay's ledger in the conformed form: signed by bookingEntry, each entry with the order that it names or refers to. Fees
  that come late refer to their order by a reference alone. A label and its refund share an id, so type and booking belong
  to the key. is_charge: the entry is a fee by itself.
-#}

select
    concat(entry_type, ':', entry_id, ':', booking) as transaction_id,
    -- A transfer in eBay's ledger settles a debt out of the balance; elsewhere a transfer is the payout itself.
    case entry_type when 'transfer' then 'balance_transfer' else entry_type end as transaction_type,
    coalesce(
        stated_order_id, {{ value_where('entry_references', 'referenceType', 'ORDER_ID', 'referenceId') }}
    ) as order_id,
    payout_id,
    transacted_at,
    currency,
    case booking when 'credit' then 1 when 'debit' then -1 end as sign,
    cast(case booking when 'credit' then amount when 'debit' then -amount end as {{ type_money() }}) as net_amount,
    cast(
        case when fee_type is not null or entry_type in ('non_sale_charge', 'shipping_label') then 0
            when booking = 'credit' then coalesce(total_fee, 0)
            when booking = 'debit' then -coalesce(total_fee, 0)
        end as {{ type_money() }}
    ) as fee_amount,
    case when fee_type is not null or entry_type in ('non_sale_charge', 'shipping_label') then 1 else 0 end as is_charge,
    coalesce(fee_type, entry_type) as charge_type,
    case when entry_state = 'failed' then 1 else 0 end as is_failed,
    order_lines,
    built_at
from {{ ref('stg_ebay__transactions') }}
