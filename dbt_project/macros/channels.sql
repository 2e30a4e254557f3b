{#
  The channels that bring their records in the conformed form: for each noun of silver its `int_<noun>__<channel>` models,
  united by the core model of that name.

  Such a model has the columns that the core model's union names, and built_at: the core model reads what was built since
  its own last build. Nouns that hang on an order (payments, refunds, refund_lines, shipments) bring every order anew when
  it changed, with a row of nulls for an order that has none, so that what a newer version no longer has goes.
#}
{% macro channel_models(noun) -%}
  {%- set models = {
    'orders': ['int_orders__shopify', 'int_orders__etsy', 'int_orders__pos', 'int_orders__ebay', 'int_orders__exports'],
    'order_lines': ['int_order_lines__shopify', 'int_order_lines__etsy', 'int_order_lines__pos', 'int_order_lines__ebay', 'int_order_lines__exports'],
    'payments': ['int_payments__etsy', 'int_payments__ebay'],
    'refunds': ['int_refunds__etsy', 'int_refunds__ebay'],
    'refund_lines': ['int_refund_lines__ebay'],
    'shipments': ['int_shipments__etsy', 'int_shipments__ebay'],
    'fees': ['int_fees__etsy', 'int_fees__ebay'],
    'payouts': ['int_payouts__etsy', 'int_payouts__ebay'],
    'payout_lines': ['int_payout_lines__etsy', 'int_payout_lines__ebay'],
    'listing_versions': ['int_listing_versions__etsy', 'int_listing_versions__ebay'],
    'inventory_levels': ['int_inventory_levels__ebay'],
    'locations': [],
  } -%}
  {{- return(models[noun]) -}}
{%- endmacro %}

{# `union all` of the rows of a noun's channel models that are new to the calling model. #}
{% macro and_channels(noun, columns) -%}
  {%- for model in channel_models(noun) %}
    union all
    select {{ columns | join(', ') }}
    from {{ ref(model) }}
    where built_at > {{ watermark() }}
  {%- endfor -%}
{%- endmacro %}
