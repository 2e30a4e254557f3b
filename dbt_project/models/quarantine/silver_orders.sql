{#-
  Orders that break a rule, with the reasons, as of their newest version. A view: an order that is put right at its source
  leaves it by itself.
-#}

{% for model in channel_models('orders') -%}
select
    {%- for column in order_columns() %}
    orders.{{ column }},
    {%- endfor %}
    orders.source_table,
    orders.reject_reason,
    orders.built_at
from {{ ref(model) }} as orders
where orders.reject_reason is not null
{%- if model == 'int_orders__exports' %}
    and {{ unknown_to_api('orders') }}
{%- else %}
union all
{% endif %}
{% endfor %}
