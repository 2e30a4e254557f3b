{# The rules that money beside the orders must obey to enter silver: each gives the reasons that keep a row out, or null. #}

{#
  The id of what an order lists. In int_payments and int_refunds no id says that there is nothing, so what is there and has
  none gets one, and is kept out for it.
#}
{% macro id_or_missing(id, order_id) -%} coalesce({{ id }}, concat('missing:', {{ order_id }})) {%- endmacro %}

{% macro payment_rejections(rows) -%}
  {{ first_reasons([
    [rows ~ ".payment_id like 'missing:%'", 'missing id'],
    [rows ~ '.paid_at is null', 'missing time'],
    ['not ' ~ is_currency(rows ~ '.currency'), 'unknown currency'],
    [rows ~ '.payment_amount is null', 'missing amount'],
    [rows ~ '.payment_amount < 0', 'negative amount'],
  ]) }}
{%- endmacro %}

{% macro refund_rejections(rows) -%}
  {{ first_reasons([
    [rows ~ ".refund_id like 'missing:%'", 'missing id'],
    [rows ~ '.refunded_at is null', 'missing time'],
    ['not ' ~ is_currency(rows ~ '.currency'), 'unknown currency'],
    [rows ~ '.refund_amount is null', 'missing amount'],
    [rows ~ '.refund_amount < 0', 'negative amount'],
    [rows ~ '.refund_tax_amount is null', 'missing tax'],
    ['abs(' ~ rows ~ '.refund_tax_amount) > abs(' ~ rows ~ '.refund_amount)', 'more tax than money given back'],
  ]) }}
{%- endmacro %}

{% macro fee_rejections(rows) -%}
  {{ first_reasons([
    [rows ~ '.charged_at is null', 'missing time'],
    ['not ' ~ is_currency(rows ~ '.currency'), 'unknown currency'],
    [rows ~ '.fee_amount is null', 'missing amount'],
  ]) }}
{%- endmacro %}

{# A piece without a cost is none of these: what it cost may be told later. #}
{% macro item_cost_rejections(rows) -%}
  {{ first_reasons([
    ['not ' ~ is_currency('coalesce(' ~ rows ~ ".cost_currency, '" ~ reporting_currency() ~ "')"), 'unknown currency'],
    [rows ~ '.cost_amount < 0', 'negative cost'],
  ]) }}
{%- endmacro %}
