{%- set touched = gold_touched_days() -%}
{{ config(
    materialized='incremental',
    incremental_strategy='append',
    pre_hook="{{ gold_forget([[gold_touched_days(), ['business_date']]]) }}"
) }}

with {% if is_incremental() %}touched as (
    {{ touched }}
),

{% endif %}sales as (
    select
        orders.business_date,
        orders.channel,
        count(*) as orders,
        sum(orders.units) as units,
        {{ gold_sum('orders.gross_base') }} as gross_base,
        {{ gold_sum('orders.discount_base') }} as discount_base,
        {{ gold_sum('orders.shipping_base') }} as shipping_base,
        {{ gold_sum('orders.tax_base') }} as tax_base,
        {{ gold_sum('orders.item_cost_base') }} as item_cost_base
    from {{ ref('fct_orders') }} as orders
    {% if is_incremental() %}
    inner join touched on touched.business_date = orders.business_date
    {% endif %}
    where {{ is_true('orders.is_sale') }}
    group by orders.business_date, orders.channel
),

refunds as (
    select
        refunds.business_date,
        refunds.channel,
        count(*) as refunds,
        {{ gold_sum('refunds.refund_ex_tax_base') }} as refund_base
    from {{ ref('fct_refunds') }} as refunds
    {% if is_incremental() %}
    inner join touched on touched.business_date = refunds.business_date
    {% endif %}
    where {{ is_true('refunds.is_counted') }}
    group by refunds.business_date, refunds.channel
),

keys as (
    select sales.business_date, sales.channel
    from sales
    union
    select refunds.business_date, refunds.channel
    from refunds
),

filled as (
    select
        keys.business_date,
        keys.channel,
        cast(coalesce(sales.orders, 0) as int) as orders,
        cast(coalesce(sales.units, 0) as int) as units,
        cast(coalesce(refunds.refunds, 0) as int) as refunds,
        cast(coalesce(sales.gross_base, 0) as {{ type_money() }}) as gross_base,
        cast(coalesce(sales.discount_base, 0) as {{ type_money() }}) as discount_base,
        cast(coalesce(sales.shipping_base, 0) as {{ type_money() }}) as shipping_base,
        cast(coalesce(sales.tax_base, 0) as {{ type_money() }}) as tax_base,
        cast(coalesce(refunds.refund_base, 0) as {{ type_money() }}) as refund_base,
        cast(coalesce(sales.item_cost_base, 0) as {{ type_money() }}) as item_cost_base
    from keys
    left join sales on sales.business_date = keys.business_date and sales.channel = keys.channel
    left join refunds on refunds.business_date = keys.business_date and refunds.channel = keys.channel
)

select
    business_date,
    channel,
    orders,
    units,
    refunds,
    gross_base,
    discount_base,
    shipping_base,
    tax_base,
    refund_base,
    cast(gross_base + shipping_base - discount_base - refund_base as {{ type_money() }}) as net_base,
    item_cost_base,
    {{ built_at() }} as built_at
from filled
