{{ config(materialized='view') }}
{#-
  Transactions of Etsy's receipts in the conformed form. A receipt states discount and tax once: each line carries its
  share by price. A share is the difference of two running shares, so that the lines' shares add up to the whole exactly.
-#}

with priced as (
    select
        lines.order_id,
        lines.line_id,
        nullif(lines.item_id, '') as item_id,
        lines.listing_id,
        lines.title,
        lines.quantity,
        lines.currency,
        lines.ordered_at,
        lines.record_id,
        lines.built_at,
        orders.goods_amount,
        orders.discount_amount as order_discount,
        orders.included_goods_tax,
        orders.added_goods_tax,
        cast(coalesce(lines.unit_price * lines.quantity, 0) as {{ type_money() }}) as goods
    from {{ ref('stg_etsy__transactions') }} as lines
    inner join {{ ref('int_orders__etsy') }} as orders
        on orders.order_id = lines.order_id and orders.ordered_at = lines.ordered_at
),

running as (
    select
        priced.*,
        cast(sum(goods) over (
            partition by order_id, ordered_at order by line_id rows unbounded preceding
        ) as {{ type_money() }}) as goods_so_far
    from priced
),

shares as (
    select
        running.*,
        {%- for name, whole in [
            ['discount_amount', 'order_discount'], ['included_tax', 'included_goods_tax'], ['added_tax', 'added_goods_tax']
        ] %}
        cast(coalesce(
            {{ quotient(product(whole, 'goods_so_far'), 'goods_amount') }}
            - {{ quotient(product(whole, 'goods_so_far - goods'), 'goods_amount') }}, 0
        ) as {{ type_money() }}) as {{ name }} {{- ',' if not loop.last }}
        {%- endfor %}
    from running
)

select
    'etsy' as channel,
    'etsy_receipts' as source_table,
    order_id,
    line_id,
    item_id,
    listing_id as product_id,
    title,
    'sale' as line_type,
    quantity,
    currency,
    cast(goods - included_tax as {{ type_money() }}) as gross_amount,
    coalesce({{ quotient('goods - included_tax', 'quantity') }}, goods - included_tax) as price_amount,
    discount_amount,
    cast(included_tax + added_tax as {{ type_money() }}) as tax_amount,
    cast(goods - discount_amount + added_tax as {{ type_money() }}) as line_total_amount,
    ordered_at,
    record_id,
    built_at
from shares
