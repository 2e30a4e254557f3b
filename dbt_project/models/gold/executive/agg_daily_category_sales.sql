{%- set touched = gold_touched_category_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_category_days(), ['business_date']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}orders as (
    select
        orders.channel,
        orders.order_id,
        orders.business_date,
        orders.gross_base,
        orders.discount_base,
        orders.shipping_base,
        orders.tax_base
    from {{ ref('fct_orders') }} as orders
    {{- gold_only_touched('orders', ['business_date']) }}
    where {{ is_true('orders.is_sale') }}
),

lines as (
    select
        orders.channel,
        orders.order_id,
        orders.business_date,
        orders.shipping_base as order_shipping_base,
        lines.line_id,
        lines.item_id,
        coalesce(lines.quantity, 0) as quantity,
        -- An order that is known without its lines is of no known category.
        case when lines.line_id is null then orders.gross_base else lines.gross_base end as gross_base,
        case when lines.line_id is null then orders.discount_base else lines.discount_base end as discount_base,
        case when lines.line_id is null then orders.tax_base else lines.tax_base end as tax_base,
        lines.item_cost_base,
        coalesce(lines.gross_base, 0) as part_base
    from orders
    left join {{ ref('fct_order_lines') }} as lines
        on
            lines.channel = orders.channel
            and lines.order_id = orders.order_id
            and lines.business_date = orders.business_date
),

totals as (
    select
        lines.channel,
        lines.order_id,
        cast(sum(lines.part_base) as {{ type_money() }}) as total_base
    from lines
    group by lines.channel, lines.order_id
    having count(*) > 1
),

-- Most orders hold one piece, which has all of the order's, and need not be put in order.
running as (
    select
        lines.*,
        lines.part_base as total_base,
        lines.part_base as so_far_base,
        1 as place
    from lines
    where not exists (
        select 1
        from totals
        where totals.channel = lines.channel and totals.order_id = lines.order_id
    )
    union all
    select
        lines.*,
        totals.total_base,
        cast(sum(lines.part_base) over (
            partition by lines.channel, lines.order_id order by lines.line_id rows unbounded preceding
        ) as {{ type_money() }}) as so_far_base,
        row_number() over (partition by lines.channel, lines.order_id order by lines.line_id) as place
    from lines
    inner join totals on totals.channel = lines.channel and totals.order_id = lines.order_id
),

flows as (
    select
        running.business_date,
        running.channel,
        running.item_id,
        running.order_id,
        running.quantity as units,
        running.gross_base,
        running.discount_base,
        {{ gold_share(
            'running.order_shipping_base', 'running.part_base', 'running.so_far_base', 'running.total_base', 'running.place'
        ) }} as shipping_base,
        running.tax_base,
        {{ zero_money() }} as refund_base,
        running.item_cost_base,
        book.vat_base as margin_vat_base
    from running
    left join {{ ref('rpt_vat_stock_book') }} as book
        on
            book.sale_channel = running.channel
            and book.sale_order_id = running.order_id
            and book.sale_line_id = running.line_id
    union all
    select
        shares.business_date,
        shares.channel,
        shares.item_id,
        {{ null_text(100) }} as order_id,
        0 as units,
        {{ zero_money() }} as gross_base,
        {{ zero_money() }} as discount_base,
        {{ zero_money() }} as shipping_base,
        {{ zero_money() }} as tax_base,
        shares.refund_base,
        {{ zero_money() }} as item_cost_base,
        {{ zero_money() }} as margin_vat_base
    from {{ ref('int_refund_shares') }} as shares
    {{- gold_only_touched('shares', ['business_date']) }}
    where {{ is_true('shares.is_counted') }}
),

summed as (
    select
        flows.business_date,
        flows.channel,
        coalesce(items.category, 'unknown') as category,
        cast(count(distinct flows.order_id) as int) as orders,
        cast(sum(flows.units) as int) as units,
        {{ gold_sum('flows.gross_base') }} as gross_base,
        {{ gold_sum('flows.discount_base') }} as discount_base,
        {{ gold_sum('flows.shipping_base') }} as shipping_base,
        {{ gold_sum('flows.tax_base') }} as tax_base,
        {{ gold_sum('flows.refund_base') }} as refund_base,
        {{ gold_sum('flows.item_cost_base') }} as item_cost_base,
        {{ gold_sum('flows.margin_vat_base') }} as margin_vat_base
    from flows
    left join {{ ref('items') }} as items on items.item_id = flows.item_id
    group by flows.business_date, flows.channel, coalesce(items.category, 'unknown')
)

select
    summed.business_date,
    summed.channel,
    cast(summed.category as {{ type_text(100) }}) as category,
    summed.orders,
    summed.units,
    summed.gross_base,
    summed.discount_base,
    summed.shipping_base,
    summed.tax_base,
    summed.refund_base,
    cast(summed.gross_base + summed.shipping_base - summed.discount_base - summed.refund_base as {{ type_money() }})
        as net_base,
    summed.item_cost_base,
    summed.margin_vat_base,
    {{ built_at() }} as built_at
from summed
