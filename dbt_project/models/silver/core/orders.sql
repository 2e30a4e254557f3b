{{ config(unique_key=['channel', 'order_id'], meta={'bound_by': 'ordered_at'}) }}
{#-
  The orders of all channels that obey the rules. An order whose newer version breaks one keeps the row of its last good
  version, and quarantine.silver_orders says why.
-#}

{% for model in channel_models('orders') -%}
select
    {%- for column in order_columns() %}
    orders.{{ column }},
    {%- endfor %}
    orders.source_table,
    {{ built_at() }} as built_at
from (
    {{ fresh_orders(model) | indent(4) }}
) as orders
{%- if not loop.last %}
union all
{% endif %}
{% endfor %}
