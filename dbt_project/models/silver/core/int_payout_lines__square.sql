{{ config(unique_key='transaction_id', meta={'bound_by': 'transacted_at'}) }}
{#-
  What Square's payouts consist of, with the sale where an entry names its payment, which is at most a year older. An entry
  is looked at again when its payment changes, as it may come first.
-#}
{%- set entries = ref('stg_square__payout_entries') -%}
{%- set payments = ref('stg_square__payments') -%}

with named as (
    select
        entries.*,
        coalesce(charge_payment_id, refund_payment_id, fee_payment_id, dispute_payment_id) as payment_id
    from {{ entries }} as entries
    {%- if is_incremental() %}
    where entries.built_at > {{ watermark() }}
        or entries.effective_at >= {{ earliest(payments, 'created_at', 'built_at > ' ~ watermark()) }}
    {%- endif %}
),

touched as (
    select named.*
    from named
    {%- if is_incremental() %}
    where named.built_at > {{ watermark() }}
        or exists (
            select 1
            from {{ payments }} as changed
            where changed.payment_id = named.payment_id and changed.built_at > {{ watermark() }}
        )
    {%- endif %}
)

select
    'pos' as channel,
    touched.payout_id,
    touched.entry_id as transaction_id,
    touched.entry_type as transaction_type,
    payments.order_id,
    touched.effective_at as transacted_at,
    {{ flag_literal(false) }} as is_test,
    touched.currency,
    {{ from_minor('touched.gross_minor', 'touched.currency') }} as amount,
    {{ from_minor('touched.fee_minor', 'touched.currency') }} as fee_amount,
    {{ from_minor('touched.net_minor', 'touched.currency') }} as net_amount,
    {{ built_at() }} as built_at
from touched
left join {{ payments }} as payments
    on payments.payment_id = touched.payment_id
    {%- if is_incremental() %}
    and payments.created_at >= {{ earliest_paid(entries, 'effective_at') }}
    {%- endif %}
