{# The canonical fields of order exports: every layout is mapped to these names (retreasure_assets/sources), and fills what it has. #}

{% macro export_order_fields() -%}
  {{- return([
    ['order_id', 'order_id', 'text'],
    ['order_name', 'order_name', 'text'],
    ['ordered_at', 'ordered_at', 'time'],
    ['paid_at', 'paid_at', 'time'],
    ['shipped_at', 'shipped_at', 'time'],
    ['cancelled_at', 'cancelled_at', 'time'],
    ['status', 'status', 'lower'],
    ['currency', 'currency', 'text'],
    ['order_subtotal', 'order_subtotal', 'money'],
    ['order_discount', 'order_discount', 'money'],
    ['order_shipping', 'order_shipping', 'money'],
    ['order_tax', 'order_tax', 'money'],
    ['order_total', 'order_total', 'money'],
    ['order_refunded', 'order_refunded', 'money'],
    ['ship_country', 'ship_country', 'text'],
    ['ship_postcode_area', 'ship_postcode', 'text'],
    ['payment_method', 'payment_method', 'text'],
    ['tracking_number', 'tracking_number', 'text'],
  ]) -}}
{%- endmacro %}

{% macro export_line_fields() -%}
  {{- return(export_order_fields() + [
    ['line_id', 'line_id', 'text'],
    ['item_id', 'item_id', 'text'],
    ['listing_id', 'listing_id', 'text'],
    ['title', 'title', 'text'],
    ['quantity', 'quantity', 'int'],
    ['unit_price', 'unit_price', 'money'],
    ['line_discount', 'line_discount', 'money'],
    ['line_total', 'line_total', 'money'],
  ]) -}}
{%- endmacro %}
