{#
  What is read of eBay's documents beyond plain columns. Where eBay converted an amount, `value` is what it settles in and
  `convertedFromValue` what the buyer was charged: both are read, and ebay_charged() takes the latter where it is there.
#}

{# Two fields for an amount: as stated, and as it was before conversion. #}
{% macro ebay_amount(name, path) -%}
  {{- return([[name, path ~ '.value', 'money'], [name ~ '_charged', path ~ '.convertedFromValue', 'money']]) -}}
{%- endmacro %}

{# The amount that the buyer was charged. #}
{% macro ebay_charged(amount) -%} coalesce({{ amount }}_charged, {{ amount }}) {%- endmacro %}

{# The same of the currency. #}
{% macro ebay_currency(name, path) -%}
  {{- return([[name, path ~ '.currency', 'text'], [name ~ '_charged', path ~ '.convertedFromCurrency', 'text']]) -}}
{%- endmacro %}

{# Sum of a list's amounts as charged; `converted` is a condition that says whether the document's amounts are converted. #}
{% macro ebay_sum(column, path, converted) -%}
  case when {{ converted }} then {{ sum_of(column, path ~ '.convertedFromValue') }} else {{ sum_of(column, path ~ '.value') }} end
{%- endmacro %}

{% macro ebay_tax_fields() -%}
  {{- return([['tax_type', 'taxType', 'lower']] + ebay_amount('amount', 'amount')) -}}
{%- endmacro %}

{% macro ebay_order_line_fields() -%}
  {{- return([
    ['line_id', 'lineItemId', 'text'],
    ['item_id', 'sku', 'text'],
    ['listing_id', 'legacyItemId', 'text'],
    ['title', 'title', 'text'],
    ['quantity', 'quantity', 'int'],
    ['ship_by_at', 'lineItemFulfillmentInstructions.shipByDate', 'time'],
    ['taxes', 'taxes', 'list', ebay_tax_fields()],
    ['remitted_taxes', 'ebayCollectAndRemitTaxes', 'list', ebay_tax_fields()],
    ['line_refunds', 'refunds', 'list', ebay_line_refund_fields()],
  ] + ebay_amount('cost', 'lineItemCost') + ebay_amount('discounted_cost', 'discountedLineItemCost')) -}}
{%- endmacro %}

{% macro ebay_line_refund_fields() -%}
  {{- return([
    ['refund_id', 'refundId', 'text'],
    ['refunded_at', 'refundDate', 'time'],
  ] + ebay_amount('refund_amount', 'amount')) -}}
{%- endmacro %}

{% macro ebay_payment_fields() -%}
  {{- return([
    ['reference_id', 'paymentReferenceId', 'text'],
    ['gateway', 'paymentMethod', 'lower'],
    ['payment_state', 'paymentStatus', 'lower'],
    ['paid_at', 'paymentDate', 'time'],
  ] + ebay_amount('amount', 'amount')) -}}
{%- endmacro %}

{% macro ebay_refund_fields() -%}
  {{- return([
    ['stated_refund_id', 'refundId', 'text'],
    ['reference_id', 'refundReferenceId', 'text'],
    ['refund_state', 'refundStatus', 'lower'],
    ['refunded_at', 'refundDate', 'time'],
  ] + ebay_amount('refund_amount', 'amount')) -}}
{%- endmacro %}

{% macro ebay_instruction_fields() -%}
  {{- return([
    ['final_country', 'finalDestinationAddress.countryCode', 'text'],
    ['final_postcode_area', 'finalDestinationAddress.postalCode', 'text'],
    ['country', 'shippingStep.shipTo.contactAddress.countryCode', 'text'],
    ['postcode_area', 'shippingStep.shipTo.contactAddress.postalCode', 'text'],
  ]) -}}
{%- endmacro %}

{% macro ebay_transaction_line_fields() -%}
  {{- return([
    ['line_id', 'lineItemId', 'text'],
    ['marketplace_fees', 'marketplaceFees', 'list', ebay_fee_fields()],
  ]) -}}
{%- endmacro %}

{% macro ebay_fee_fields() -%}
  {{- return([
    ['fee_type', 'feeType', 'lower'],
    ['currency', 'amount.currency', 'text'],
    ['amount', 'amount.value', 'money'],
  ]) -}}
{%- endmacro %}

{% macro ebay_reference_fields() -%}
  {{- return([['reference_type', 'referenceType', 'lower'], ['reference_id', 'referenceId', 'text']]) -}}
{%- endmacro %}

{% macro ebay_place_fields() -%}
  {{- return([['location_id', 'merchantLocationKey', 'text'], ['quantity', 'quantity', 'int']]) -}}
{%- endmacro %}
