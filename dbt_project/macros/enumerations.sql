{#
  What closed enumerations consist of, in one place: `sound` (tests.sql) names them by column. What a channel says in its own
  words is no closed one: those are tested with severity warn, so that a word that is new to us is told and stops nothing.
#}
{% macro enumeration(name) -%}
  {%- set parcels = [
    'pending', 'label_created', 'in_transit', 'out_for_delivery', 'pickup_ready', 'attempt_failed', 'delivered', 'returning',
    'returned', 'exception', 'cancelled', 'expired',
  ] -%}
  {%- set known = {
    'channels': ['shopify', 'etsy', 'ebay', 'pos'],
    'channels_and_all': ['all', 'shopify', 'etsy', 'ebay', 'pos'],
    'channel_kinds': ['own web shop', 'marketplace', 'shop'],
    'order_statuses': ['open', 'completed', 'cancelled', 'refunded', 'partially_refunded'],
    'cost_kinds': ['purchase', 'premium', 'freight', 'restoration', 'consignment'],
    'parcel_statuses': parcels,
    'tracking_providers': ['easypost', 'aftership', 'shippo', 'seventeentrack'],
    'devices': ['phone', 'tablet', 'desktop', 'machine', 'unknown'],
    'marketing_channels': [
      'email', 'paid_search', 'paid_social', 'paid_other', 'social', 'organic_search', 'referral', 'direct',
    ],
    'segments': ['champion', 'loyal', 'at_risk', 'new', 'one_time', 'lapsed'],
    'close_reasons': ['sale', 'withdrawn'],
    'fulfilment_stages': ['cancelled', 'to_ship', 'untracked', 'to_scan', 'under_way', 'arrived'],
    'fulfilment_clocks': ['ship', 'first_scan', 'delivery', 'silence'],
    'account_kinds': ['asset', 'liability', 'income', 'expense'],
    'destinations': ['meta', 'google'],
  } -%}
  {{- return(known[name]) -}}
{%- endmacro %}
