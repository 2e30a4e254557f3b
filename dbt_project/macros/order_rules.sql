{# The rules that an order must obey to enter silver (domain: totals within 0.01 a line; no sale of a negative quantity). #}

{#
  The reasons that keep an order out, '; '-separated, or null. The caller's rows have order_id, currency, line_count,
  lowest_quantity, gross_amount, discount_amount, shipping_amount, tax_amount, surcharge_amount and total_amount.
#}
{% macro order_rejections(ordered_at, extra=[]) -%}
  {{ first_reasons([
    ["order_id is null or order_id = ''", 'missing order id'],
    [ordered_at ~ ' is null', 'missing order time'],
    ['not ' ~ is_currency('currency'), 'unknown currency'],
    ['line_count = 0', 'no order lines'],
    ['lowest_quantity < 0', 'negative or missing quantity on a sale'],
    ['total_amount is null', 'missing total'],
    ['abs(gross_amount - discount_amount + shipping_amount + tax_amount + surcharge_amount - total_amount) > 0.01 * '
      ~ '(case when line_count > 1 then line_count else 1 end)', 'totals do not add up'],
  ] + extra) }}
{%- endmacro %}

{# The reasons that keep a return line of the till out of silver.refunds, or null. #}
{% macro return_line_rejections(lines) -%}
  {{ first_reasons([
    [lines ~ ".order_id is null or " ~ lines ~ ".order_id = ''", 'missing receipt id'],
    [lines ~ '.ordered_at is null', 'missing time'],
    ['not ' ~ is_currency(lines ~ '.currency'), 'unknown currency'],
    ['coalesce(' ~ lines ~ '.quantity, 1) > 0', 'positive or missing quantity on a return'],
    ['coalesce(' ~ lines ~ '.line_total_amount, 1) > 0', 'positive or missing total on a return'],
  ]) }}
{%- endmacro %}
