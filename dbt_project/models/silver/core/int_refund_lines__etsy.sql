{{ config(unique_key='source_order_id', meta={'bound_by': 'ordered_at'}) }}
{#-
  The lines that Etsy's refunds are of; a row of nulls for a receipt without any. A payment's adjustment may name the lines
  and what was given back of each. A refund that names none is shared among the lines by what was paid for them, delivery
  having its share too: one of the whole receipt gives back every line whole. What an adjustment does not give to a line is
  on none. Etsy does not say how many pieces came back: a line given back whole counts.
-#}

with orders as (
    {{ fresh_orders('int_orders__etsy') | indent(4) }}
),

refunds as (
    select
        orders.channel,
        orders.order_id,
        orders.ordered_at,
        orders.tax_amount as order_tax_amount,
        orders.total_amount as order_total_amount,
        refunds.refund_id,
        refunds.adjustment_id,
        refunds.refund_amount
    from orders
    inner join {{ ref('int_etsy__refunds') }} as refunds on refunds.order_id = orders.order_id
    where refunds.refund_id is not null
    {%- if is_incremental() %}
        and refunds.ordered_at >= {{ earliest_fresh('int_orders__etsy') }}
    {%- endif %}
),

named as (
    select
        order_id,
        adjustment_id,
        line_id,
        cast(sum({{ quotient('line_units', 'divisor') }}) as {{ type_money() }}) as named_amount
    from {{ ref('stg_etsy__payment_adjustment_items') }}
    where line_id is not null and line_units > 0
    {%- if is_incremental() %}
        and paid_at >= {{ earliest_fresh('int_orders__etsy') }}
    {%- endif %}
    group by order_id, adjustment_id, line_id
),

told as (
    select distinct order_id, adjustment_id
    from named
),

given_back as (
    select
        refunds.*,
        lines.line_id,
        lines.item_id,
        lines.quantity,
        lines.line_total_amount,
        case
            when told.order_id is not null then named.named_amount
            else cast(
                {{ quotient(product('refunds.refund_amount', 'lines.line_total_amount'), 'refunds.order_total_amount') }}
                as {{ type_money() }}
            )
        end as given_amount
    from refunds
    inner join {{ ref('int_order_lines__etsy') }} as lines
        on lines.order_id = refunds.order_id and lines.ordered_at = refunds.ordered_at
    left join told on told.order_id = refunds.order_id and told.adjustment_id = refunds.adjustment_id
    left join named
        on named.order_id = refunds.order_id
        and named.adjustment_id = refunds.adjustment_id
        and named.line_id = lines.line_id
),

taxed as (
    select
        given_back.*,
        cast(coalesce({{ quotient(product('given_amount', 'order_tax_amount'), 'order_total_amount') }}, 0)
            as {{ type_money() }}) as given_tax_amount
    from given_back
    where given_amount > 0
)

select
    channel,
    refund_id,
    concat(refund_id, ':', line_id) as refund_line_id,
    order_id,
    order_id as source_order_id,
    line_id,
    item_id,
    case when given_amount >= line_total_amount then quantity else 0 end as quantity,
    cast(given_amount - given_tax_amount as {{ type_money() }}) as refund_amount,
    given_tax_amount as tax_amount,
    {{ flag_literal(false) }} as is_restocked,
    ordered_at,
    {{ built_at() }} as built_at
from taxed
union all
select
    channel,
    {{ null_text() }} as refund_id,
    {{ null_text() }} as refund_line_id,
    order_id,
    order_id as source_order_id,
    {{ null_text() }} as line_id,
    {{ null_text() }} as item_id,
    cast(null as integer) as quantity,
    {{ null_money() }} as refund_amount,
    {{ null_money() }} as tax_amount,
    {{ flag_literal(false) }} as is_restocked,
    ordered_at,
    {{ built_at() }} as built_at
from orders
