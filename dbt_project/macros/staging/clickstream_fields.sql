{#
  What is read of an event of the web shop's visitors: the canonical fields of the mappings clickstream_*.yaml, but its id,
  which is its natural key.
#}
{% macro clickstream_fields() -%}
  {{- return([
    ['provider', 'provider', 'text'],
    ['event_type', 'event_type', 'lower'],
    ['provider_event', 'event_name', 'text'],
    ['visitor_id', 'anonymous_id', 'text'],
    ['user_id', 'user_id', 'text'],
    ['page_path', 'page_path', 'text'],
    ['referrer', 'referrer', 'text'],
    ['utm_source', 'utm_source', 'text'],
    ['utm_medium', 'utm_medium', 'text'],
    ['utm_campaign', 'utm_campaign', 'text'],
    ['item_id', 'item_id', 'text'],
    ['order_id', 'order_id', 'text'],
    ['amount', 'amount', 'money'],
    ['currency', 'currency', 'text'],
    ['ip_network', 'ip', 'text'],
    ['ip_country', 'ip_country', 'text'],
    ['ip_region', 'ip_region', 'text'],
    ['user_agent', 'user_agent', 'text'],
    ['original_at', 'original_at', 'time'],
    ['sent_at', 'sent_at', 'time'],
    ['stated_at', 'timestamp', 'time'],
    ['received_at', 'received_at', 'time'],
  ]) -}}
{%- endmacro %}
