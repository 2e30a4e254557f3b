{#
  The channels that bring their records in the conformed form: for each noun of silver its `int_<noun>__<channel>` models,
  united by the core model of that name.

  Such a model has the columns that the core model's union names, and built_at: the core model reads what was built since
  its own last build. Nouns that hang on an order (payments, refunds, refund_lines, shipments) bring every order anew when
  it changed, with a row of nulls for an order that has none, so that what a newer version no longer has goes.
#}
{% macro channel_models(noun) -%}
  {%- set models = {
    'orders': ['int_orders__shopify', 'int_orders__etsy', 'int_orders__pos', 'int_orders__ebay', 'int_orders__square', 'int_orders__exports'],
    'order_lines': ['int_order_lines__shopify', 'int_order_lines__etsy', 'int_order_lines__pos', 'int_order_lines__ebay', 'int_order_lines__square', 'int_order_lines__exports'],
    'payments': ['int_payments__etsy', 'int_payments__ebay', 'int_payments__square'],
    'refunds': ['int_refunds__etsy', 'int_refunds__ebay', 'int_refunds__square'],
    'refund_lines': ['int_refund_lines__etsy', 'int_refund_lines__ebay', 'int_refund_lines__square'],
    'shipments': ['int_shipments__etsy', 'int_shipments__ebay'],
    'fees': ['int_fees__etsy', 'int_fees__ebay', 'int_fees__square'],
    'payouts': ['int_payouts__etsy', 'int_payouts__ebay', 'int_payouts__square'],
    'payout_lines': ['int_payout_lines__etsy', 'int_payout_lines__ebay', 'int_payout_lines__square'],
    'listing_versions': ['int_listing_versions__etsy', 'int_listing_versions__ebay', 'int_listing_versions__square'],
    'inventory_levels': ['int_inventory_levels__ebay', 'int_inventory_levels__square'],
    'locations': ['int_locations__square'],
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

{#
  The catalogues that int_catalogue reads, best first: where several know a piece, the word of the first that has one counts,
  and the others fill the gaps.
#}
{% macro catalogues() -%}
  {{- return(['shopify_products', 'pos_products', 'square_catalog_objects']) -}}
{%- endmacro %}
