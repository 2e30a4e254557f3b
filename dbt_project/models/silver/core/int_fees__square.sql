{{ config(materialized='view') }}
{#-
  What Square charges: the fees on payments and refunds (given back ones are negative), and the entries of payouts that are
  costs by themselves. Every payment comes with a row of nulls too, so that a fee which it no longer has goes.
-#}

with charged as (
    {{ explode(
        ref('int_payments__square'), 'fees',
        ['payment_id', 'order_id', 'ordered_at', 'built_at'],
        square_fee_fields()
    ) | indent(4) }}
),

numbered as (
    select
        charged.*,
        case fee_kind when 'initial' then 'processing_fee' else concat('processing_fee_', coalesce(fee_kind, 'unknown')) end
            as fee_type,
        row_number() over (
            partition by payment_id, built_at, fee_kind
            order by charged_at, amount_minor
        ) as fee_number
    from charged
)

select
    'pos' as channel,
    concat(payment_id, ':', fee_type, ':', cast(fee_number as {{ type_text(10) }})) as fee_id,
    payment_id as source_entry_id,
    order_id,
    {{ null_text() }} as payout_id,
    fee_type,
    coalesce(charged_at, ordered_at) as charged_at,
    {{ business_date('coalesce(charged_at, ordered_at)') }} as business_date,
    currency,
    {{ from_minor('amount_minor', 'currency') }} as fee_amount,
    built_at
from numbered
union all
select
    'pos' as channel,
    {{ null_text() }} as fee_id,
    payment_id as source_entry_id,
    order_id,
    {{ null_text() }} as payout_id,
    {{ null_text() }} as fee_type,
    ordered_at as charged_at,
    {{ business_date('ordered_at') }} as business_date,
    currency,
    {{ null_money() }} as fee_amount,
    built_at
from {{ ref('int_payments__square') }}
union all
select
    'pos' as channel,
    concat(entry_id, ':', entry_type) as fee_id,
    entry_id as source_entry_id,
    {{ null_text() }} as order_id,
    payout_id,
    entry_type as fee_type,
    effective_at as charged_at,
    {{ business_date('effective_at') }} as business_date,
    currency,
    {{ from_minor('-net_minor', 'currency') }} as fee_amount,
    built_at
from {{ ref('stg_square__payout_entries') }}
where entry_type in ('{{ square_charge_types() | join("', '") }}') and fee_payment_id is null
