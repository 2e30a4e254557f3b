{{ config(unique_key=['channel', 'payout_id'], meta={'bound_by': 'issued_at'}) }}
{#- Sums that a channel paid to the bank, or is about to. A withdrawal takes money from it: its amounts are negative. -#}

select
    'shopify' as channel,
    payout_id,
    issued_at,
    {{ business_date('issued_at') }} as business_date,
    status,
    currency,
    gross_amount,
    net_amount,
    {{ built_at() }} as built_at
from {{ ref('stg_shopify__payouts') }}
where built_at > {{ watermark() }}
{{- and_channels('payouts', [
    'channel', 'payout_id', 'issued_at', 'business_date', 'status', 'currency', 'gross_amount', 'net_amount', built_at() ~ ' as built_at',
]) }}
