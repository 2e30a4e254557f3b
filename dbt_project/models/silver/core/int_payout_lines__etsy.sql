{{ config(materialized='view') }}
{#-
  Entries of Etsy's payment account as lines of payouts, and for each payout the balance that it found and that it left.
  What Etsy deducts is a fee; the disbursement itself is the transfer to the bank.
-#}

select
    'etsy' as channel,
    payout_id,
    entry_id as transaction_id,
    case when entry_kind in ('charge', 'refund') then entry_kind
        when entry_kind = 'payout' and entry_id = payout_id then 'transfer'
        else ledger_type
    end as transaction_type,
    order_id,
    created_at as transacted_at,
    {{ flag_literal(false) }} as is_test,
    currency,
    case when entry_kind in ('fee', 'suspense') then {{ zero_money() }} else amount end as amount,
    case when entry_kind in ('fee', 'suspense') then cast(-amount as {{ type_money() }}) else {{ zero_money() }} end
        as fee_amount,
    amount as net_amount,
    built_at
from {{ ref('int_etsy__ledger') }}
{%- for name, amount in [['brought_forward', 'opening_amount'], ['carried_forward', '-closing_amount']] %}
union all
select
    channel,
    payout_id,
    concat(payout_id, ':{{ name }}') as transaction_id,
    'balance_{{ name }}' as transaction_type,
    {{ null_text() }} as order_id,
    issued_at as transacted_at,
    {{ flag_literal(false) }} as is_test,
    currency,
    cast({{ amount }} as {{ type_money() }}) as amount,
    {{ zero_money() }} as fee_amount,
    cast({{ amount }} as {{ type_money() }}) as net_amount,
    built_at
from {{ ref('int_payouts__etsy') }}
{%- endfor %}
