{{ config(unique_key=['channel', 'transaction_id'], meta={'bound_by': 'transacted_at'}) }}
{#- Entries of the channel's ledger. payout_id is null while an entry waits for its payout. -#}

select
    'shopify' as channel,
    payout_id,
    transaction_id,
    transaction_type,
    order_id,
    transacted_at,
    {{ flag(is_true('is_test')) }} as is_test,
    currency,
    amount,
    fee_amount,
    net_amount,
    {{ built_at() }} as built_at
from {{ ref('stg_shopify__balance_transactions') }}
where built_at > {{ watermark() }}
{{- and_channels('payout_lines', [
    'channel', 'payout_id', 'transaction_id', 'transaction_type', 'order_id', 'transacted_at', 'is_test', 'currency', 'amount', 'fee_amount', 'net_amount', built_at() ~ ' as built_at',
]) }}
