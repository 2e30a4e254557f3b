{%- set touched = gold_touched_order_lines() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_order_lines(), ['channel', 'order_id']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}lines as (
    select
        order_lines.channel,
        order_lines.order_id,
        order_lines.line_id,
        order_lines.item_id,
        order_lines.product_id,
        order_lines.title,
        coalesce(orders.ordered_at, order_lines.ordered_at) as ordered_at,
        -- An order's lines are on the order's day, also while one of the two is older than the other.
        coalesce(orders.business_date, order_lines.business_date) as business_date,
        {{ flag(gold_is_sale('orders')) }} as is_sale,
        cast(order_lines.quantity as int) as quantity,
        order_lines.currency,
        cast(order_lines.price_amount as {{ type_money() }}) as price_amount,
        -- Not price x quantity: a price is rounded, its line is not.
        cast(order_lines.line_total_amount + order_lines.discount_amount - order_lines.tax_amount as {{ type_money() }})
            as gross_amount,
        order_lines.discount_amount,
        order_lines.tax_amount,
        order_lines.line_total_amount
    from {{ ref('order_lines') }} as order_lines
    {% if is_incremental() %}
    inner join touched on touched.channel = order_lines.channel and touched.order_id = order_lines.order_id
    {% endif %}
    left join {{ ref('orders') }} as orders
        on orders.channel = order_lines.channel and orders.order_id = order_lines.order_id
),

unit_costs as (
    {{ gold_unit_costs('lines') | indent(4) }}
),

valued as (
    select
        lines.*,
        {{ gold_fx_rate('lines.currency', 'fx') }} as fx_rate,
        {{ gold_fx_rate_date('lines.currency', 'lines.business_date', 'fx') }} as fx_rate_date,
        {{ gold_line_cost('unit_costs.unit_cost_base', 'lines.quantity') }} as item_cost_base
    from lines
    left join {{ ref('fx_daily') }} as fx
        on fx.currency = lines.currency and fx.rate_date = lines.business_date
    left join unit_costs on unit_costs.item_id = lines.item_id
)

select
    channel,
    order_id,
    line_id,
    item_id,
    product_id,
    title,
    ordered_at,
    business_date,
    is_sale,
    quantity,
    currency,
    fx_rate,
    fx_rate_date,
    price_amount,
    {{ gold_base('price_amount', 'fx_rate') }} as price_base,
    gross_amount,
    {{ gold_base('gross_amount', 'fx_rate') }} as gross_base,
    discount_amount,
    {{ gold_base('discount_amount', 'fx_rate') }} as discount_base,
    tax_amount,
    {{ gold_base('tax_amount', 'fx_rate') }} as tax_base,
    line_total_amount,
    {{ gold_base('line_total_amount', 'fx_rate') }} as line_total_base,
    item_cost_base,
    {{ built_at() }} as built_at
from valued
