{{ config(
    unique_key=['channel', 'source_order_id'],
    meta={'bound_by': 'ordered_at', 'keep_where': 'refund_id is not null'}
) }}
{#-
  Money given back, each an event of its own on its own date, with the rules that it breaks. Returns of a till receipt are one
  refund. An export says how much of an order was given back, not when: the cancellation stands in for the date, else the
  payment.
-#}

with shopify_orders as (
    {{ fresh_orders('int_orders__shopify') | indent(4) }}
),

export_orders as (
    {{ fresh_orders('int_orders__exports') | indent(4) }}
),

return_lines as (
    {{ touched_return_lines() | indent(4) }}
),

shopify_refund_lines as (
    select
        order_id,
        refund_id,
        cast(sum(coalesce(tax_amount, 0)) as {{ type_money() }}) as tax_amount,
        max(case when {{ is_true('is_restocked') }} then 1 else 0 end) as has_restocked
    from {{ ref('stg_shopify__refund_lines') }}
    {%- if is_incremental() %}
    where ordered_at >= {{ earliest_fresh('int_orders__shopify') }}
    {%- endif %}
    group by order_id, refund_id
),

shopify_refunds as (
    select
        refunds.order_id,
        refunds.refund_id,
        coalesce(refunds.processed_at, refunds.created_at, refunds.ordered_at) as refunded_at,
        refunds.currency,
        refunds.refund_amount,
        {{ sum_of('refunds.shipping_lines', 'subtotalAmountSet.presentmentMoney.amount') }} as shipping_amount,
        {{ sum_of('refunds.shipping_lines', 'taxAmountSet.presentmentMoney.amount') }} as shipping_tax_amount,
        {{ sum_of('refunds.duties', 'amountSet.presentmentMoney.amount') }} as duty_amount,
        coalesce(lines.tax_amount, 0) as line_tax_amount,
        coalesce(lines.has_restocked, 0) as has_restocked
    from {{ ref('stg_shopify__refunds') }} as refunds
    left join shopify_refund_lines as lines
        on lines.order_id = refunds.order_id and lines.refund_id = refunds.refund_id
    {%- if is_incremental() %}
    where refunds.ordered_at >= {{ earliest_fresh('int_orders__shopify') }}
    {%- endif %}
),

exported as (
    select
        export_orders.*,
        coalesce(cancelled_at, paid_at, ordered_at) as refunded_at,
        case
            when refunded_amount = 0 and payment_status = 'refunded' then total_amount
            else refunded_amount
        end as refund_amount
    from export_orders
),

given_back as (
    select
        orders.channel,
        case when refunds.order_id is not null then {{ id_or_missing('refunds.refund_id', 'orders.order_id') }} end
            as refund_id,
        orders.order_id,
        orders.order_id as source_order_id,
        refunds.refunded_at,
        refunds.currency,
        refunds.refund_amount,
        cast(refunds.line_tax_amount + refunds.shipping_tax_amount as {{ type_money() }}) as refund_tax_amount,
        cast(
            refunds.shipping_amount
            - case when {{ is_true('orders.taxes_included') }} then refunds.shipping_tax_amount else 0 end
            as {{ type_money() }}
        ) as refund_shipping_amount,
        -- Duties are given back by name. Tips and additional fees are not: a refund of the whole order contains them.
        case
            when refunds.refund_amount >= orders.total_amount then orders.surcharge_amount
            else refunds.duty_amount
        end as refund_surcharge_amount,
        {{ flag('refunds.has_restocked = 1') }} as is_restocked,
        orders.ordered_at
    from shopify_orders as orders
    left join shopify_refunds as refunds on refunds.order_id = orders.order_id
    union all
    select
        channel,
        order_id as refund_id,
        max(sale_order_id) as order_id,
        order_id as source_order_id,
        min(ordered_at) as refunded_at,
        currency,
        cast(-sum(line_total_amount) as {{ type_money() }}) as refund_amount,
        cast(-sum(tax_amount) as {{ type_money() }}) as refund_tax_amount,
        {{ zero_money() }} as refund_shipping_amount,
        {{ zero_money() }} as refund_surcharge_amount,
        {{ flag_literal(true) }} as is_restocked,
        min(ordered_at) as ordered_at
    from return_lines
    group by channel, order_id, currency
    union all
    select
        channel,
        case when refund_amount > 0 then concat('export:', order_id) end as refund_id,
        order_id,
        order_id as source_order_id,
        refunded_at,
        currency,
        cast(refund_amount as {{ type_money() }}) as refund_amount,
        cast(coalesce({{ quotient(product('refund_amount', 'tax_amount'), 'total_amount') }}, 0) as {{ type_money() }})
            as refund_tax_amount,
        {{ zero_money() }} as refund_shipping_amount,
        {{ zero_money() }} as refund_surcharge_amount,
        {{ flag_literal(false) }} as is_restocked,
        ordered_at
    from exported
    {{- and_channels('refunds', [
        'channel', 'refund_id', 'order_id', 'source_order_id', 'refunded_at', 'currency', 'refund_amount',
        'refund_tax_amount', 'refund_shipping_amount', zero_money() ~ ' as refund_surcharge_amount', 'is_restocked',
        'ordered_at',
    ]) }}
)

select
    channel,
    refund_id,
    order_id,
    source_order_id,
    refunded_at,
    {{ business_date('refunded_at') }} as business_date,
    currency,
    refund_amount,
    refund_tax_amount,
    refund_shipping_amount,
    refund_surcharge_amount,
    is_restocked,
    ordered_at,
    {{ refund_rejections('given_back') }} as reject_reason,
    {{ built_at() }} as built_at
from given_back
{%- if not is_incremental() %}
where refund_id is not null
{%- endif %}
