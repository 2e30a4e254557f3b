{{ config(unique_key=['channel', 'order_id'], meta={'bound_by': 'ordered_at'}) }}
{#-
  The lines of silver.orders. An order's lines are replaced together. Which orders these are is asked where silver.orders
  asks it, so that both are built at a time.
-#}

{% for model in channel_models('order_lines') -%}
{%- set orders = model | replace('order_lines', 'orders') -%}
select
    {%- for column in order_line_columns() %}
    lines.{{ column }},
    {%- endfor %}
    orders.ordered_at,
    orders.business_date,
    lines.record_id,
    {{ built_at() }} as built_at
from {{ ref(model) }} as lines
inner join (
    {{ fresh_orders(orders) | indent(4) }}
) as orders
    on orders.channel = lines.channel and orders.order_id = lines.order_id
where lines.line_type = 'sale'
{%- if is_incremental() %}
    and lines.ordered_at >= {{ earliest_fresh(orders) }}
{%- endif %}
{%- if not loop.last %}
union all
{% endif %}
{% endfor %}
