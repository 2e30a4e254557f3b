{#-
  The lines of the orders in quarantine.silver_orders, and return lines of the till that break a rule. Orders are kept out
  whole: a sale without one of its lines would not add up.
-#}

{% for model in channel_models('order_lines') -%}
select
    {%- for column in order_line_columns() %}
    lines.{{ column }},
    {%- endfor %}
    lines.line_type,
    lines.ordered_at,
    lines.source_table,
    lines.record_id,
    orders.reject_reason,
    lines.built_at
from {{ ref(model) }} as lines
inner join {{ ref('silver_orders') }} as orders
    on orders.channel = lines.channel
    and orders.source_table = lines.source_table
    and orders.order_id = lines.order_id
where coalesce(lines.line_type, '') <> 'return'
union all
{% endfor %}
select
    {%- for column in order_line_columns() %}
    lines.{{ column }},
    {%- endfor %}
    lines.line_type,
    lines.ordered_at,
    lines.source_table,
    lines.record_id,
    {{ return_line_rejections('lines') }} as reject_reason,
    lines.built_at
from {{ ref('int_order_lines__pos') }} as lines
where lines.line_type = 'return'
    and {{ return_line_rejections('lines') }} is not null
