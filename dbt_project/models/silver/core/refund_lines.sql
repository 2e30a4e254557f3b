{{ config(
    unique_key=['channel', 'source_order_id'],
    meta={'bound_by': 'ordered_at', 'keep_where': 'refund_id is not null'}
) }}
{#- The order lines that were given back. Exports do not name them. A till receipt does not say which sale a return belongs to. -#}

with shopify_orders as (
    {{ fresh_orders('int_orders__shopify') | indent(4) }}
),

return_lines as (
    {{ touched_return_lines() | indent(4) }}
),

shopify_refund_lines as (
    select lines.*
    from {{ ref('stg_shopify__refund_lines') }} as lines
    {%- if is_incremental() %}
    where lines.ordered_at >= {{ earliest_fresh('int_orders__shopify') }}
    {%- endif %}
),

given_back as (
    select
        orders.channel,
        lines.refund_id,
        lines.refund_line_id,
        orders.order_id,
        orders.order_id as source_order_id,
        lines.line_id,
        lines.item_id,
        lines.quantity,
        cast(
            lines.subtotal - case when {{ is_true('orders.taxes_included') }} then lines.tax_amount else 0 end
            as {{ type_money() }}
        ) as refund_amount,
        lines.tax_amount,
        {{ flag(is_true('lines.is_restocked')) }} as is_restocked,
        orders.ordered_at
    from shopify_orders as orders
    left join shopify_refund_lines as lines on lines.order_id = orders.order_id
    union all
    select
        channel,
        order_id as refund_id,
        line_id as refund_line_id,
        sale_order_id as order_id,
        order_id as source_order_id,
        {{ null_text() }} as line_id,
        item_id,
        -quantity as quantity,
        cast(tax_amount - line_total_amount as {{ type_money() }}) as refund_amount,
        cast(-tax_amount as {{ type_money() }}) as tax_amount,
        {{ flag_literal(true) }} as is_restocked,
        ordered_at
    from return_lines
    {{- and_channels('refund_lines', [
        'channel', 'refund_id', 'refund_line_id', 'order_id', 'source_order_id', 'line_id', 'item_id', 'quantity',
        'refund_amount', 'tax_amount', 'is_restocked', 'ordered_at',
    ]) }}
)

select
    given_back.*,
    {{ built_at() }} as built_at
from given_back
{%- if not is_incremental() %}
where given_back.refund_id is not null
{%- endif %}
