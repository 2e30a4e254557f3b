{{ config(unique_key='entry_id', meta={'bound_by': 'created_at'}) }}
{#-
  Entries of the payment account with what they mean, the order they are about and the payout they went into.

  An entry refers to a transaction, a payment, an adjustment of one, or a receipt; VAT on a fee to its parent entry alone. A
  payout takes all entries since the one before. All can become known after the entry itself, which is then built anew: up
  to 45 days back for a payout (Etsy pays out at least monthly), up to 200 for an order (Etsy refunds for 180).
-#}
{%- set fresh = 'built_at > ' ~ watermark() -%}
{%- if is_incremental() -%}
  {%- set since = earliest_of([
    [ref('stg_etsy__ledger_entries'), 'created_at', fresh, 45],
    [ref('stg_etsy__receipts'), 'created_at', fresh, 1],
    [ref('stg_etsy__payments'), 'created_at', fresh, 1],
  ]) -%}
  {%- set orders_since = earliest_of([
    [ref('stg_etsy__ledger_entries'), 'created_at', fresh, 200],
    [ref('stg_etsy__receipts'), 'created_at', fresh, 200],
    [ref('stg_etsy__payments'), 'created_at', fresh, 200],
  ]) -%}
{%- endif %}

with entries as (
    select
        entries.*,
        {{ etsy_entry_kind('ledger_type') }} as entry_kind,
        {{ minor_units('amount_units', 'currency') }} as amount,
        {{ minor_units('balance_units', 'currency') }} as balance,
        {{ first_of('adjustments', 'payment_id') }} as adjusted_payment_id,
        -- A disbursement that came back is money like any other: the next payout takes it.
        case when ledger_type like 'disburse%' and amount_units < 0 then sequence_number end as payout_sequence
    from {{ ref('stg_etsy__ledger_entries') }} as entries
    {%- if is_incremental() %}
    where entries.created_at >= {{ since }}
    {%- endif %}
),

payments as (
    select payment_id, order_id, built_at
    from {{ ref('stg_etsy__payments') }}
    {%- if is_incremental() %}
    where created_at >= {{ orders_since }}
    {%- endif %}
),

adjustments as (
    select adjustment_id, max(order_id) as order_id, max(built_at) as built_at
    from {{ ref('stg_etsy__payment_adjustments') }}
    {%- if is_incremental() %}
    where paid_at >= {{ orders_since }}
    {%- endif %}
    group by adjustment_id
),

transactions as (
    select line_id, max(order_id) as order_id, max(built_at) as built_at
    from {{ ref('stg_etsy__transactions') }}
    {%- if is_incremental() %}
    where ordered_at >= {{ orders_since }}
    {%- endif %}
    group by line_id
),

receipts as (
    select order_id, created_at as ordered_at, built_at
    from {{ ref('stg_etsy__receipts') }}
    {%- if is_incremental() %}
    where created_at >= {{ orders_since }}
    {%- endif %}
),

referred as (
    select
        entries.*,
        coalesce(
            transactions.order_id,
            payments.order_id,
            adjusted.order_id,
            adjustments.order_id,
            case when entries.reference_type = 'receipt' and entries.reference_id <> '0' then entries.reference_id end
        ) as own_order_id,
        min(entries.payout_sequence) over (
            partition by entries.ledger_id
            order by entries.sequence_number rows between current row and unbounded following
        ) as paid_sequence
    from entries
    left join transactions
        on entries.reference_type = 'transaction' and transactions.line_id = entries.reference_id
    left join payments
        on entries.reference_type = 'shop_payment' and payments.payment_id = entries.reference_id
    left join payments as adjusted on adjusted.payment_id = entries.adjusted_payment_id
    left join adjustments
        on entries.reference_type = 'payment_adjustment' and adjustments.adjustment_id = entries.reference_id
),

placed as (
    select
        referred.*,
        coalesce(referred.own_order_id, parents.own_order_id) as order_id,
        parents.built_at as parent_built_at,
        payouts.entry_id as payout_id,
        payouts.built_at as payout_built_at
    from referred
    left join referred as parents
        on parents.entry_id = referred.parent_entry_id and referred.parent_entry_id <> '0'
    left join entries as payouts
        on payouts.ledger_id = referred.ledger_id and payouts.payout_sequence = referred.paid_sequence
),

resolved as (
    select
        placed.*,
        receipts.ordered_at,
        receipts.built_at as receipt_built_at,
        payments.built_at as payment_built_at
    from placed
    left join receipts on receipts.order_id = placed.order_id
    left join (
        select order_id, max(built_at) as built_at
        from payments
        group by order_id
    ) as payments on payments.order_id = placed.order_id
)

select
    entry_id,
    ledger_id,
    sequence_number,
    created_at,
    {{ business_date('created_at') }} as business_date,
    ledger_type,
    entry_kind,
    {{ flag("entry_kind = 'suspense'") }} as is_suspense,
    currency,
    amount,
    balance,
    order_id,
    ordered_at,
    payout_id,
    record_id,
    {{ built_at() }} as built_at
from resolved
{%- if is_incremental() %}
where {{ fresh }}
    or parent_built_at > {{ watermark() }}
    or payout_built_at > {{ watermark() }}
    or receipt_built_at > {{ watermark() }}
    or payment_built_at > {{ watermark() }}
{%- endif %}
