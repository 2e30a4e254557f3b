{{ config(unique_key='payment_id', meta={'bound_by': 'ordered_at'}, index='HEAP') }}
{#-
  Square's payments and refunds, each with its fees. A refund belongs to the sale whose payment it gives back, which is at
  most a year older; it is looked at again when its payment changes, as it may come first.
-#}
{%- set payments = ref('stg_square__payments') -%}
{%- set refunds = ref('stg_square__refunds') -%}

with touched_refunds as (
    select refunds.*
    from {{ refunds }} as refunds
    {%- if is_incremental() %}
    where refunds.built_at > {{ watermark() }}
        or (
            refunds.created_at >= {{ earliest(payments, 'created_at', 'built_at > ' ~ watermark()) }}
            and exists (
                select 1
                from {{ payments }} as changed
                where changed.payment_id = refunds.payment_id and changed.built_at > {{ watermark() }}
            )
        )
    {%- endif %}
)

select
    'pos' as channel,
    payment_id,
    order_id,
    payment_id as source_order_id,
    created_at as paid_at,
    case status when 'approved' then 'authorization' when 'canceled' then 'void' else 'sale' end as kind,
    case
        when status in ('completed', 'approved', 'canceled') then 'success'
        when status = 'failed' then 'failure'
        else status
    end as status,
    source_type as gateway,
    currency,
    {{ from_minor('total_minor', 'currency') }} as payment_amount,
    {{ flag_literal(false) }} as is_test,
    created_at as ordered_at,
    fees,
    {{ built_at() }} as built_at
from {{ payments }}
where built_at > {{ watermark() }}
union all
select
    'pos' as channel,
    refunds.refund_id as payment_id,
    payments.order_id,
    refunds.refund_id as source_order_id,
    refunds.created_at as paid_at,
    'refund' as kind,
    case
        when refunds.status = 'completed' then 'success'
        when refunds.status in ('failed', 'rejected') then 'failure'
        else refunds.status
    end as status,
    coalesce(refunds.destination_type, payments.source_type) as gateway,
    refunds.currency,
    {{ from_minor('refunds.amount_minor', 'refunds.currency') }} as payment_amount,
    {{ flag_literal(false) }} as is_test,
    refunds.created_at as ordered_at,
    refunds.fees,
    {{ built_at() }} as built_at
from touched_refunds as refunds
left join {{ payments }} as payments
    on payments.payment_id = refunds.payment_id
    {%- if is_incremental() %}
    and payments.created_at >= {{ earliest_paid(refunds, 'created_at') }}
    {%- endif %}
