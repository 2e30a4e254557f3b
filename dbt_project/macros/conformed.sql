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

{# The columns of silver.payments, silver.refunds and silver.fees; their quarantine and their int_ model have them too. #}
{% macro payment_columns() -%}
  {{- return([
    'channel', 'payment_id', 'order_id', 'source_order_id', 'paid_at', 'kind', 'status', 'gateway', 'currency',
    'payment_amount', 'is_test', 'ordered_at',
  ]) -}}
{%- endmacro %}
{% macro refund_columns() -%}
  {{- return([
    'channel', 'refund_id', 'order_id', 'source_order_id', 'refunded_at', 'business_date', 'currency', 'refund_amount',
    'refund_tax_amount', 'refund_shipping_amount', 'refund_surcharge_amount', 'is_restocked', 'ordered_at',
  ]) -}}
{%- endmacro %}
{% macro fee_columns() -%}
  {{- return([
    'channel', 'fee_id', 'source_entry_id', 'order_id', 'payout_id', 'fee_type', 'charged_at', 'business_date', 'currency',
    'fee_amount',
  ]) -}}
{%- endmacro %}

{# The rows of a model with verdicts (reject_reason) that keep the rules, and those that break one. More conditions may follow. #}
{% macro rows_that_keep_the_rules(rows, columns) -%}
select
    {{ columns | join(',\n    ') }},
    built_at
from {{ rows }}
where reject_reason is null
{%- endmacro %}
{% macro rows_that_break_a_rule(rows, columns) -%}
select
    {{ columns | join(',\n    ') }},
    reject_reason,
    built_at
from {{ rows }}
where reject_reason is not null
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
