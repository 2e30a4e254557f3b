{{ config(materialized='view') }}
{#-
  What eBay charges, positive as a cost: what is kept back of a sale (or given back with a refund) line by line, entries
  that are charges by themselves, and the fees of payouts. Fees of one line and kind are one row.
-#}

with entry_lines as (
    {{ explode(
        ref('int_ledger__ebay'), 'order_lines',
        ['transaction_id', 'order_id', 'payout_id', 'transacted_at', 'sign', 'is_charge', 'is_failed', 'built_at'],
        ebay_transaction_line_fields()
    ) | indent(4) }}
),

line_fees as (
    {{ explode(
        'entry_lines', 'marketplace_fees',
        ['transaction_id', 'order_id', 'payout_id', 'transacted_at', 'sign', 'is_charge', 'is_failed', 'line_id',
         'built_at'],
        ebay_fee_fields()
    ) | indent(4) }}
),

payout_fees as (
    {{ explode(
        ref('stg_ebay__payouts'), 'payout_fees', ['payout_id', 'issued_at', 'payout_state', 'built_at'], ebay_fee_fields()
    ) | indent(4) }}
),

charged as (
    select
        concat(transaction_id, ':', line_id, ':', fee_type) as fee_id,
        transaction_id as source_entry_id,
        order_id,
        payout_id,
        fee_type,
        transacted_at as charged_at,
        currency,
        cast(sum(sign * amount) as {{ type_money() }}) as fee_amount,
        built_at
    from line_fees
    where is_charge = 0 and is_failed = 0 and amount <> 0 and sign is not null
    group by transaction_id, line_id, order_id, payout_id, fee_type, transacted_at, currency, built_at
    union all
    select
        case
            when is_charge = 1 and is_failed = 0 and net_amount <> 0 then concat(transaction_id, ':', charge_type)
        end as fee_id,
        transaction_id as source_entry_id,
        order_id,
        payout_id,
        charge_type as fee_type,
        transacted_at as charged_at,
        currency,
        cast(-net_amount as {{ type_money() }}) as fee_amount,
        built_at
    from {{ ref('int_ledger__ebay') }}
    union all
    select
        concat('payout:', payout_id, ':', fee_type) as fee_id,
        concat('payout:', payout_id) as source_entry_id,
        {{ null_text() }} as order_id,
        payout_id,
        fee_type,
        issued_at as charged_at,
        currency,
        cast(sum(amount) as {{ type_money() }}) as fee_amount,
        built_at
    from payout_fees
    where amount <> 0 and payout_state <> 'terminal_failed'
    group by payout_id, fee_type, issued_at, currency, built_at
)

select
    'ebay' as channel,
    fee_id,
    source_entry_id,
    order_id,
    payout_id,
    fee_type,
    charged_at,
    {{ business_date('charged_at') }} as business_date,
    currency,
    fee_amount,
    built_at
from charged
