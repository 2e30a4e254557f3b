{{ config(unique_key='transaction_id', meta={'bound_by': 'transacted_at'}) }}
{#- What Square's payouts consist of, with the sale where an entry names its payment. -#}
{%- set entries = ref('stg_square__payout_entries') -%}

with fresh as (
    select
        entries.*,
        coalesce(charge_payment_id, refund_payment_id, fee_payment_id, dispute_payment_id) as payment_id
    from {{ entries }} as entries
    where entries.built_at > {{ watermark() }}
)

select
    'pos' as channel,
    fresh.payout_id,
    fresh.entry_id as transaction_id,
    fresh.entry_type as transaction_type,
    payments.order_id,
    fresh.effective_at as transacted_at,
    {{ flag_literal(false) }} as is_test,
    fresh.currency,
    {{ from_minor('fresh.gross_minor', 'fresh.currency') }} as amount,
    {{ from_minor('fresh.fee_minor', 'fresh.currency') }} as fee_amount,
    {{ from_minor('fresh.net_minor', 'fresh.currency') }} as net_amount,
    {{ built_at() }} as built_at
from fresh
left join {{ ref('stg_square__payments') }} as payments
    on payments.payment_id = fresh.payment_id
    {%- if is_incremental() %}
    and payments.created_at >= {{ earliest(entries, 'effective_at', 'built_at > ' ~ watermark(), slack_days=400) }}
    {%- endif %}
