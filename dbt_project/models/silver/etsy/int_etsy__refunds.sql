{{ config(unique_key='order_id', meta={'bound_by': 'ordered_at', 'keep_where': 'refund_id is not null'}) }}
{#-
  Money given back, from wherever Etsy tells of it. Three places may know of one refund: the payment's adjustments, the
  receipt, the ledger. The n-th of an order is the same one in each; the first place that has it speaks for it, in this
  order. The ledger states cents of the shop's currency: back to the order's by the rate of the order's own charge.
-#}

with touched as (
    {{ etsy_touched_orders() | indent(4) }}
),

receipts as (
    select receipts.order_id, receipts.created_at, receipts.currency, receipts.total_amount
    from {{ ref('stg_etsy__receipts') }} as receipts
    inner join touched on touched.order_id = receipts.order_id
    {%- if is_incremental() %}
    where receipts.created_at >= {{ etsy_touched_since() }}
    {%- endif %}
),

booked as (
    select order_id, entry_id, entry_kind, created_at, currency, amount
    from {{ ref('int_etsy__ledger') }}
    where entry_kind in ('charge', 'refund')
    {%- if is_incremental() %}
        and created_at >= {{ etsy_touched_since() }}
    {%- endif %}
),

charged as (
    select order_id, cast(sum(amount) as {{ type_money() }}) as amount
    from booked
    where entry_kind = 'charge'
    group by order_id
),

told as (
    select
        1 as place,
        order_id,
        adjustment_id as tie,
        coalesce(adjusted_at, paid_at) as refunded_at,
        currency,
        cast({{ quotient('amount_units', 'divisor') }} as {{ type_money() }}) as refund_amount
    from {{ ref('stg_etsy__payment_adjustments') }}
    where amount_units > 0 and not ({{ is_false('coalesce(is_success, ' ~ flag_literal(true) ~ ')') }})
    {%- if is_incremental() %}
        and paid_at >= {{ etsy_touched_since() }}
    {%- endif %}
    union all
    select
        2 as place,
        order_id,
        cast(refund_amount as {{ type_text(40) }}) as tie,
        coalesce(refunded_at, ordered_at) as refunded_at,
        currency,
        refund_amount
    from {{ ref('stg_etsy__refunds') }}
    where refund_amount > 0
    {%- if is_incremental() %}
        and ordered_at >= {{ etsy_touched_since() }}
    {%- endif %}
    union all
    select
        3 as place,
        booked.order_id,
        booked.entry_id as tie,
        booked.created_at as refunded_at,
        receipts.currency,
        case
            when booked.currency = receipts.currency then cast(-booked.amount as {{ type_money() }})
            else cast(
                {{ quotient(product('-booked.amount', 'receipts.total_amount'), 'charged.amount') }} as {{ type_money() }}
            )
        end as refund_amount
    from booked
    inner join receipts on receipts.order_id = booked.order_id
    left join charged on charged.order_id = booked.order_id
    where booked.entry_kind = 'refund' and booked.amount < 0
),

numbered as (
    select
        told.*,
        row_number() over (partition by place, order_id order by refunded_at, tie) as refund_number
    from told
),

ranked as (
    select
        numbered.*,
        row_number() over (partition by order_id, refund_number order by place) as place_rank
    from numbered
),

chosen as (
    select *
    from ranked
    where place_rank = 1
)

select
    receipts.order_id,
    case when chosen.order_id is not null then concat(receipts.order_id, ':', chosen.refund_number) end as refund_id,
    chosen.refunded_at,
    coalesce(chosen.currency, receipts.currency) as currency,
    chosen.refund_amount,
    case when chosen.place = 1 then chosen.tie end as adjustment_id,
    case chosen.place when 1 then 'payment' when 2 then 'receipt' when 3 then 'ledger' end as told_by,
    receipts.created_at as ordered_at,
    {{ built_at() }} as built_at
from receipts
left join chosen on chosen.order_id = receipts.order_id
{%- if not is_incremental() %}
where chosen.order_id is not null
{%- endif %}
