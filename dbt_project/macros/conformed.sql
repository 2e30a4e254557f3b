{# What several core models share about the ways an order can reach us: the API, the till, the export files. #}

{# The columns of silver.orders that every int_orders__ model has. #}
{% macro order_columns() -%}
  {{- return([
    'channel', 'order_id', 'order_name', 'person_id', 'ordered_at', 'business_date', 'status', 'payment_status',
    'fulfilment_status', 'is_test', 'is_paid', 'cancelled_at', 'currency', 'gross_amount', 'discount_amount',
    'shipping_amount', 'tax_amount', 'surcharge_amount', 'total_amount', 'channel_fx_rate', 'settlement_currency', 'ship_country',
    'ship_postcode_area', 'store_id', 'source_updated_at', 'record_id',
  ]) -}}
{%- endmacro %}

{# The columns of every int_order_lines__ model that silver and quarantine keep. #}
{% macro order_line_columns() -%}
  {{- return([
    'channel', 'order_id', 'line_id', 'item_id', 'product_id', 'title', 'quantity', 'currency', 'price_amount',
    'discount_amount', 'tax_amount', 'line_total_amount',
  ]) -}}
{%- endmacro %}

{# The channels whose API we read: [channel, staging model of its orders, its key, its time of order]. #}
{% macro api_orders() -%}
  {{- return([
    ['shopify', 'stg_shopify__orders', 'order_id', 'created_at'],
    ['etsy', 'stg_etsy__receipts', 'order_id', 'created_at'],
    ['ebay', 'stg_ebay__orders', 'order_id', 'created_at'],
  ]) -}}
{%- endmacro %}

{#
  Condition that no API order is known for the export order `orders`: where the API and an export know the same order, the
  API's row wins. `lowest` bounds the search when given.
#}
{% macro unknown_to_api(orders, lowest=none) -%}
{%- for channel, model, key, ordered_at in api_orders() %}
not exists (
    select 1
    from {{ ref(model) }} as api
    where {{ orders }}.channel = '{{ channel }}' and api.{{ key }} = {{ orders }}.order_id
    {%- if lowest %} and {{ not_before('api.' ~ ordered_at, lowest) }} {%- endif %}
)
{%- if not loop.last %} and {% endif %}
{%- endfor %}
{%- endmacro %}
