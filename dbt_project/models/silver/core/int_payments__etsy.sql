{{ config(unique_key='source_order_id', meta={'bound_by': 'ordered_at'}) }}
{#- What Etsy Payments took for a receipt, and what went back of it; a row of nulls for a receipt without either. -#}

with orders as (
    {{ fresh_orders('int_orders__etsy') | indent(4) }}
),

movements as (
    select
        order_id,
        payment_id,
        created_at as paid_at,
        'sale' as kind,
        -- Etsy's own words for money that was taken and money that is only held.
        case status when 'settled' then 'success' when 'authed' then 'pending' else status end as status,
        currency,
        gross_amount as payment_amount
    from {{ ref('stg_etsy__payments') }}
    {%- if is_incremental() %}
    where created_at >= {{ earliest_fresh('int_orders__etsy') }}
    {%- endif %}
    union all
    select
        order_id,
        concat('adjustment:', adjustment_id) as payment_id,
        coalesce(adjusted_at, paid_at) as paid_at,
        'refund' as kind,
        case when {{ is_false('is_success') }} then 'failure' else status end as status,
        currency,
        cast({{ quotient('amount_units', 'divisor') }} as {{ type_money() }}) as payment_amount
    from {{ ref('stg_etsy__payment_adjustments') }}
    {%- if is_incremental() %}
    where paid_at >= {{ earliest_fresh('int_orders__etsy') }}
    {%- endif %}
)

select
    orders.channel,
    movements.payment_id,
    orders.order_id,
    orders.order_id as source_order_id,
    movements.paid_at,
    movements.kind,
    movements.status,
    'etsy_payments' as gateway,
    movements.currency,
    movements.payment_amount,
    orders.is_test,
    orders.ordered_at,
    {{ built_at() }} as built_at
from orders
left join movements on movements.order_id = orders.order_id
