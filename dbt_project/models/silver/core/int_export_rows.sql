{{ config(materialized='view') }}
{#-
  Rows of the order exports of all channels, one shape. Etsy's two files meet here: the items file brings the lines, the
  orders file (is_line = 0) the order's own amounts. What an order has once stands on every row, or on one of them.
-#}

{%- set sources = [
    ['shopify', 'shopify_orders_export', 'stg_shopify__orders_export', true],
    ['etsy', 'etsy_sold_order_items', 'stg_etsy__sold_order_items', true],
    ['etsy', 'etsy_sold_order_items', 'stg_etsy__sold_orders', false],
    ['ebay', 'ebay_orders_report', 'stg_ebay__orders_report', true],
] -%}
{%- for channel, source_table, model, has_lines in sources %}
select
    '{{ channel }}' as channel,
    '{{ source_table }}' as source_table,
    {{ 1 if has_lines else 0 }} as is_line,
    coalesce(exported.order_id, '') as order_id,
    {%- for field in export_order_fields() if field[0] != 'order_id' %}
    exported.{{ field[0] }},
    {%- endfor %}
    {%- if has_lines %}
    exported.line_id,
    exported.item_id,
    exported.listing_id,
    exported.title,
    exported.quantity,
    coalesce(exported.line_discount, {{ zero_money() }}) as line_discount,
    cast(coalesce(
        exported.unit_price * exported.quantity, exported.line_total + coalesce(exported.line_discount, 0)
    ) as {{ type_money() }}) as goods_amount,
    {%- else %}
    {{ null_text() }} as line_id,
    {{ null_text() }} as item_id,
    {{ null_text() }} as listing_id,
    {{ null_text() }} as title,
    cast(null as integer) as quantity,
    {{ zero_money() }} as line_discount,
    {{ zero_money() }} as goods_amount,
    {%- endif %}
    exported.person_id,
    exported.source_updated_at,
    exported.version_at,
    exported.record_id,
    exported.built_at
from {{ ref(model) }} as exported
{%- if not loop.last %}
union all
{%- endif %}
{%- endfor %}
