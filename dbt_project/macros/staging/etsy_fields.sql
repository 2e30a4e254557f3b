{#
  What is read of the lists inside Etsy's documents, and what its ledger's entries mean. The lists are named here because
  two models need each: the staging model that parses the document, and the view that explodes it.
#}

{% macro etsy_transaction_fields() -%}
  {{- return([
    ['line_id', 'transaction_id', 'text'],
    ['listing_id', 'listing_id', 'text'],
    ['item_id', 'sku', 'text'],
    ['title', 'title', 'text'],
    ['quantity', 'quantity', 'int'],
    ['unit_price', 'price', 'divided'],
    ['promised_ship_at', 'expected_ship_date', 'epoch'],
  ]) -}}
{%- endmacro %}

{% macro etsy_shipment_fields() -%}
  {{- return([
    ['shipment_id', 'receipt_shipping_id', 'text'],
    ['shipped_at', 'shipment_notification_timestamp', 'epoch'],
    ['carrier', 'carrier_name', 'text'],
    ['tracking_number', 'tracking_code', 'text'],
  ]) -}}
{%- endmacro %}

{% macro etsy_refund_fields() -%}
  {{- return([
    ['refunded_at', 'created_timestamp', 'epoch'],
    ['refund_amount', 'amount', 'divided'],
    ['currency', 'amount.currency_code', 'text'],
  ]) -}}
{%- endmacro %}

{% macro etsy_adjustment_fields() -%}
  {{- return([
    ['adjustment_id', 'payment_adjustment_id', 'text'],
    ['payment_id', 'payment_id', 'text'],
    ['adjusted_at', 'created_timestamp', 'epoch'],
    ['status', 'status', 'lower'],
    ['is_success', 'is_success', 'flag'],
    ['amount_units', 'total_adjustment_amount', 'money'],
    ['items', 'payment_adjustment_items', 'list', etsy_adjustment_item_fields()],
  ]) -}}
{%- endmacro %}

{% macro etsy_adjustment_item_fields() -%}
  {{- return([
    ['line_id', 'transaction_id', 'text'],
    ['line_units', 'amount', 'money'],
  ]) -}}
{%- endmacro %}

{% macro etsy_product_fields() -%}
  {{- return([
    ['item_id', 'sku', 'text'],
    ['is_deleted', 'is_deleted', 'flag'],
    ['offerings', 'offerings', 'list', etsy_offering_fields()],
  ]) -}}
{%- endmacro %}

{% macro etsy_offering_fields() -%}
  {{- return([
    ['quantity', 'quantity', 'int'],
    ['price_units', 'price.amount', 'money'],
    ['price_divisor', 'price.divisor', 'money'],
  ]) -}}
{%- endmacro %}

{# Whole minor units of a currency as money (ISO 4217: how many make one). #}
{% macro minor_units(amount, currency) -%}
  cast({{ quotient(amount, "case"
    ~ " when " ~ currency ~ " in ('BIF','CLP','DJF','GNF','ISK','JPY','KMF','KRW','PYG','RWF','UGX','VND','VUV','XAF','XOF','XPF')"
    ~ " then 1 when " ~ currency ~ " in ('BHD','IQD','JOD','KWD','LYD','OMR','TND') then 1000 else 100 end") }}
    as {{ type_money() }})
{%- endmacro %}

{#
  What an entry of the payment account is: charge, refund, payout, tax (collected and remitted by Etsy: neither income nor
  cost), fee, or suspense for a type that nobody has told us of. The types are free text in the contract; these are the
  ones that Etsy's users have met (github.com/etsy/open-api issues 302, 442 and 751). `type` is lower case.
#}
{% macro etsy_entry_kind(type) -%}
case
    when {{ type }} in ('payment', 'payment_gross') then 'charge'
    when {{ type }} in ('refund', 'refund_gross') then 'refund'
    when {{ type }} like 'disburse%' then 'payout'
    when {{ type }} in ('sales_tax', 'sales_tax_refund') then 'tax'
    when {{ type }} in (
        'payment_processing_fee', 'refund_processing_fee', 'transaction', 'transaction_refund', 'transaction_quantity',
        'transaction_quantity_refund', 'shipping_transaction', 'shipping_transaction_refund', 'listing',
        'listing_refund', 'listing_private', 'listing_private_refund', 'renew_sold', 'renew_sold_refund',
        'renew_sold_auto', 'renew_sold_auto_refund', 'renew_expired', 'renew_expired_refund', 'auto_renew_expired',
        'auto_renew_expired_refund', 'offsite_ads_fee', 'offsite_ads_fee_refund', 'gift_wrap_fees',
        'gift_wrap_fees_refund', 'shipping_labels', 'shipping_label_refund', 'vat_seller_services',
        'vat_seller_services_refund'
    ) then 'fee'
    else 'suspense'
end
{%- endmacro %}

{#
  The orders that the calling model has to build anew: the receipt is new, or the ledger or a payment tells something new
  of it. Etsy does not say in the receipt what it does say there.
#}
{% macro etsy_touched_orders() -%}
select order_id
from {{ ref('stg_etsy__receipts') }}
where built_at > {{ watermark() }}
union
select order_id
from {{ ref('int_etsy__ledger') }}
where built_at > {{ watermark() }} and entry_kind in ('charge', 'refund') and order_id is not null
union
select order_id
from {{ ref('stg_etsy__payments') }}
where built_at > {{ watermark() }}
{%- endmacro %}

{# Literal lower bound of the time of those orders. A payment comes at most a month after its order. #}
{% macro etsy_touched_since() -%}
{{ earliest_of([
  [ref('stg_etsy__receipts'), 'created_at', 'built_at > ' ~ watermark(), 7],
  [ref('int_etsy__ledger'), 'ordered_at',
    'built_at > ' ~ watermark() ~ " and entry_kind in ('charge', 'refund')", 7],
  [ref('stg_etsy__payments'), 'created_at', 'built_at > ' ~ watermark(), 31],
]) }}
{%- endmacro %}

{# The lowest of several `earliest` look-ups, each [relation, column, where, slack in days], as a literal time. #}
{% macro earliest_of(lookups) -%}
  {%- set found = [] -%}
  {%- for lookup in lookups -%}
    {%- set value = extreme('min', lookup[1], lookup[0], lookup[2], lookup[3]) -%}
    {%- if value -%} {%- do found.append(value) -%} {%- endif -%}
  {%- endfor -%}
  {{- time_literal((found | min) if found else '2999-01-01 00:00:00.000000') -}}
{%- endmacro %}
