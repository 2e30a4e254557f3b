{{ config(
    unique_key=['channel', 'source_order_id'],
    meta={'bound_by': 'ordered_at', 'keep_where': 'payment_id is not null'}
) }}
{#-
  Money movements as the channel reports them, each with the rules that it breaks. The till knows one sale and one refund a
  receipt, an export one payment an order.
-#}

with shopify_orders as (
    {{ fresh_orders('int_orders__shopify') | indent(4) }}
),

receipts as (
    {{ fresh_orders('int_orders__pos') | indent(4) }}
),

export_orders as (
    {{ fresh_orders('int_orders__exports') | indent(4) }}
),

return_lines as (
    {{ touched_return_lines() | indent(4) }}
),

shopify_payments as (
    select payments.*
    from {{ ref('stg_shopify__order_payments') }} as payments
    {%- if is_incremental() %}
    where payments.ordered_at >= {{ earliest_fresh('int_orders__shopify') }}
    {%- endif %}
),

movements as (
    select
        orders.channel,
        case when payments.order_id is not null then {{ id_or_missing('payments.payment_id', 'orders.order_id') }} end
            as payment_id,
        orders.order_id,
        orders.order_id as source_order_id,
        coalesce(payments.processed_at, payments.created_at, orders.ordered_at) as paid_at,
        payments.kind,
        payments.status,
        payments.gateway,
        payments.currency,
        payments.amount as payment_amount,
        {{ flag(is_true('payments.is_test') ~ ' or ' ~ is_true('orders.is_test')) }} as is_test,
        orders.ordered_at
    from shopify_orders as orders
    left join shopify_payments as payments on payments.order_id = orders.order_id
    union all
    select
        channel,
        order_id as payment_id,
        order_id,
        order_id as source_order_id,
        ordered_at as paid_at,
        'sale' as kind,
        'success' as status,
        payment_method as gateway,
        currency,
        total_amount as payment_amount,
        is_test,
        ordered_at
    from receipts
    union all
    select
        channel,
        concat(order_id, ':return') as payment_id,
        max(sale_order_id) as order_id,
        order_id as source_order_id,
        min(ordered_at) as paid_at,
        'refund' as kind,
        'success' as status,
        max(payment_method) as gateway,
        currency,
        cast(-sum(line_total_amount) as {{ type_money() }}) as payment_amount,
        {{ flag_literal(false) }} as is_test,
        min(ordered_at) as ordered_at
    from return_lines
    group by channel, order_id, currency
    union all
    select
        channel,
        case when {{ is_true('is_paid') }} then concat('export:', order_id) end as payment_id,
        order_id,
        order_id as source_order_id,
        coalesce(paid_at, ordered_at) as paid_at,
        'sale' as kind,
        'success' as status,
        payment_method as gateway,
        currency,
        total_amount as payment_amount,
        is_test,
        ordered_at
    from export_orders
    {{- and_channels('payments', payment_columns()) }}
)

select
    movements.*,
    {{ payment_rejections('movements') }} as reject_reason,
    {{ built_at() }} as built_at
from movements
{%- if not is_incremental() %}
where movements.payment_id is not null
{%- endif %}
