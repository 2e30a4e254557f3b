{{ config(unique_key='source_entry_id', meta={'bound_by': 'charged_at'}) }}
{#-
  What Square charges: the fees on payments and refunds (given back ones are negative), and the entries of payouts that are
  costs by themselves. Every payment comes with a row of nulls too, so that a fee which it no longer has goes.

  A payout's entries name the payment that they pay out: its first fee is withheld there, a later adjustment has an entry of
  its own. Entries come after the payment, so it is looked at again when one does.
-#}
{%- set payments = ref('int_payments__square') -%}
{%- set entries = ref('stg_square__payout_entries') -%}

with touched as (
    select payment_id
    from {{ payments }}
    where built_at > {{ watermark() }}
    {%- if is_incremental() %}
    union
    select {{ square_paid_out() }} as payment_id
    from {{ entries }}
    where built_at > {{ watermark() }} and {{ square_paid_out() }} is not null
    {%- endif %}
),

paid as (
    select payments.*
    from {{ payments }} as payments
    inner join touched on touched.payment_id = payments.payment_id
    {%- if is_incremental() %}
    where payments.ordered_at >= {{ earliest_square_fee() }}
    {%- endif %}
),

charged as (
    {{ explode(
        'paid', 'fees', ['payment_id', 'order_id', 'ordered_at'], square_fee_fields()
    ) | indent(4) }}
),

numbered as (
    select
        charged.*,
        case fee_kind when 'initial' then 'processing_fee' else concat('processing_fee_', coalesce(fee_kind, 'unknown')) end
            as fee_type,
        row_number() over (partition by payment_id, fee_kind order by charged_at, amount_minor) as fee_number
    from charged
),

paid_out as (
    select
        {{ square_paid_out() }} as payment_id,
        case entry_type when 'fee' then 'adjustment' else 'initial' end as fee_kind,
        payout_id,
        row_number() over (
            partition by {{ square_paid_out() }}, case entry_type when 'fee' then 'adjustment' else 'initial' end
            order by effective_at, entry_id
        ) as fee_number
    from {{ entries }}
    where {{ square_paid_out() }} is not null
    {%- if is_incremental() %}
        and effective_at >= {{ earliest_square_fee() }}
    {%- endif %}
)

select
    'pos' as channel,
    concat(numbered.payment_id, ':', numbered.fee_type, ':', cast(numbered.fee_number as {{ type_text(10) }})) as fee_id,
    numbered.payment_id as source_entry_id,
    numbered.order_id,
    paid_out.payout_id,
    numbered.fee_type,
    coalesce(numbered.charged_at, numbered.ordered_at) as charged_at,
    {{ business_date('coalesce(numbered.charged_at, numbered.ordered_at)') }} as business_date,
    numbered.currency,
    {{ from_minor('numbered.amount_minor', 'numbered.currency') }} as fee_amount,
    {{ built_at() }} as built_at
from numbered
left join paid_out
    on paid_out.payment_id = numbered.payment_id
    and paid_out.fee_kind = numbered.fee_kind
    and paid_out.fee_number = numbered.fee_number
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
    {{ built_at() }} as built_at
from paid
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
    {{ built_at() }} as built_at
from {{ entries }}
where built_at > {{ watermark() }}
    and entry_type in ('{{ square_charge_types() | join("', '") }}') and fee_payment_id is null
