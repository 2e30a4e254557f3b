{{ config(materialized='view') }}
{#- Entries of eBay's ledger, and the fee of each payout, without which a payout would not be the sum of its entries. -#}

select
    'ebay' as channel,
    payout_id,
    transaction_id,
    transaction_type,
    order_id,
    transacted_at,
    {{ flag_literal(false) }} as is_test,
    currency,
    cast(net_amount + fee_amount as {{ type_money() }}) as amount,
    fee_amount,
    net_amount,
    built_at
from {{ ref('int_ledger__ebay') }}
where is_failed = 0
union all
select
    'ebay' as channel,
    payout_id,
    concat('payout_fee:', payout_id) as transaction_id,
    'payout_fee' as transaction_type,
    {{ null_text() }} as order_id,
    issued_at as transacted_at,
    {{ flag_literal(false) }} as is_test,
    currency,
    cast(amount - total_amount as {{ type_money() }}) as amount,
    {{ zero_money() }} as fee_amount,
    cast(amount - total_amount as {{ type_money() }}) as net_amount,
    built_at
from {{ ref('stg_ebay__payouts') }}
where total_amount <> amount
