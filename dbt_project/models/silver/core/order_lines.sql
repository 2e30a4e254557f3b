{{ config(unique_key=['channel', 'order_id'], meta={'bound_by': 'ordered_at'}) }}
{#- The lines of silver.orders. An order's lines are replaced together. -#}
{%- set fresh = 'built_at > ' ~ watermark() -%}
{%- set lowest = earliest_fresh('orders') if is_incremental() -%}

with orders as (
    select channel, source_table, order_id, ordered_at, business_date
    from {{ ref('orders') }}
    where {{ fresh }}
)

{% for model in channel_models('order_lines') -%}
select
    {%- for column in order_line_columns() %}
    lines.{{ column }},
    {%- endfor %}
    orders.ordered_at,
    orders.business_date,
    lines.record_id,
    {{ built_at() }} as built_at
from {{ ref(model) }} as lines
inner join orders
    on orders.channel = lines.channel
    and orders.source_table = lines.source_table
    and orders.order_id = lines.order_id
where lines.line_type = 'sale'
{%- if is_incremental() %}
    and lines.ordered_at >= {{ lowest }}
{%- endif %}
{%- if not loop.last %}
union all
{% endif %}
{% endfor %}
