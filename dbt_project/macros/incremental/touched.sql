{#
  The rows that an incremental core model has to look at again, bounded by literals so that the look-up does not grow with
  the history.
#}

{# Condition that `column` is not before the literal `lowest`; a row without it could be anywhere and is always looked at. #}
{% macro not_before(column, lowest) -%} ({{ column }} >= {{ lowest }} or {{ column }} is null) {%- endmacro %}

{# All lines of the till receipts of which a line is new to the calling model. #}
{% macro touched_receipt_lines() -%}
{#- Named outside the condition below, so that dbt sees the dependency in either branch. -#}
{%- set staged = ref('stg_pos__transactions') -%}
select lines.*
from {{ ref('int_order_lines__pos') }} as lines
{%- if is_incremental() %}
where {{ not_before('lines.ordered_at', earliest_staged_receipt()) }}
    and exists (
        select 1
        from {{ staged }} as touched
        where touched.built_at > {{ watermark() }} and coalesce(touched.transaction_id, '') = lines.order_id
    )
{%- endif %}
{%- endmacro %}

{# The good orders of one int_orders__ model that are new to the calling model. #}
{% macro fresh_orders(model) -%}
select orders.*
from {{ ref(model) }} as orders
where orders.reject_reason is null
    and orders.built_at > {{ watermark() }}
{%- if model == 'int_orders__exports' %}
    and {{ unknown_to_api('orders', earliest_fresh(model) if is_incremental() else none) }}
{%- endif %}
{%- endmacro %}

{#
  Return lines of the touched receipts that obey the rules. sale_order_id is the receipt's id where it is an order too,
  that is where it has sale lines, else null: the till does not say which sale is given back.
#}
{% macro touched_return_lines() -%}
select lines.*, sales.order_id as sale_order_id
from (
    {{ touched_receipt_lines() }}
) as lines
left join (
    select distinct order_id
    from {{ ref('int_order_lines__pos') }}
    where line_type = 'sale'
    {%- if is_incremental() %} and {{ not_before('ordered_at', earliest_staged_receipt()) }} {%- endif %}
) as sales on sales.order_id = lines.order_id
where lines.line_type = 'return'
    and {{ return_line_rejections('lines') }} is null
{%- endmacro %}

{# Literal lower bound of the order time of `model`'s rows that are new to the caller. #}
{% macro earliest_fresh(model, column='ordered_at', slack_days=7) -%}
{{ earliest(ref(model), column, 'built_at > ' ~ watermark(), slack_days=slack_days) }}
{%- endmacro %}

{# Literal lower bound of the time of the till lines that are new to the caller. #}
{% macro earliest_staged_receipt() -%}
{{ earliest_fresh('stg_pos__transactions', 'sold_at') }}
{%- endmacro %}
