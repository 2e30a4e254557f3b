{#
  What is read of the lists inside Square's documents; see shopify_fields.sql. Amounts are whole numbers of the currency's
  smallest unit: from_minor() makes money of them. A contract test holds every path against Square's published schema.
#}

{% macro square_order_line_fields() -%}
  {{- return([
    ['line_id', 'uid', 'text'],
    ['variation_id', 'catalog_object_id', 'text'],
    ['title', 'name', 'text'],
    ['item_type', 'item_type', 'lower'],
    ['quantity', 'quantity', 'money'],
    ['total_minor', 'total_money.amount', 'money'],
    ['discount_minor', 'total_discount_money.amount', 'money'],
    ['tax_minor', 'total_tax_money.amount', 'money'],
  ]) -}}
{%- endmacro %}

{% macro square_service_charge_fields() -%}
  {{- return([
    ['treatment_type', 'treatment_type', 'lower'],
    ['total_minor', 'total_money.amount', 'money'],
    ['tax_minor', 'total_tax_money.amount', 'money'],
  ]) -}}
{%- endmacro %}

{% macro square_tender_fields() -%}
  {{- return([['tender_type', 'type', 'lower'], ['amount_minor', 'amount_money.amount', 'money']]) -}}
{%- endmacro %}

{% macro square_return_fields() -%}
  {{- return([
    ['sale_order_id', 'source_order_id', 'text'],
    ['return_lines', 'return_line_items', 'list', square_return_line_fields()],
    ['return_service_charges', 'return_service_charges', 'list', square_service_charge_fields()],
  ]) -}}
{%- endmacro %}

{% macro square_return_line_fields() -%}
  {{- return([
    ['refund_line_id', 'uid', 'text'],
    ['line_id', 'source_line_item_uid', 'text'],
    ['variation_id', 'catalog_object_id', 'text'],
    ['item_type', 'item_type', 'lower'],
    ['quantity', 'quantity', 'money'],
    ['total_minor', 'total_money.amount', 'money'],
    ['tax_minor', 'total_tax_money.amount', 'money'],
  ]) -}}
{%- endmacro %}

{% macro square_order_refund_fields() -%}
  {{- return([
    ['refund_id', 'id', 'text'],
    ['sale_order_id', 'transaction_id', 'text'],
    ['created_at', 'created_at', 'time'],
    ['status', 'status', 'lower'],
    ['amount_minor', 'amount_money.amount', 'money'],
  ]) -}}
{%- endmacro %}

{% macro square_fulfillment_fields() -%}
  {{- return([
    ['state', 'state', 'lower'],
    ['ship_country', 'shipment_details.recipient.address.country', 'text'],
    ['ship_postcode_area', 'shipment_details.recipient.address.postal_code', 'text'],
  ]) -}}
{%- endmacro %}

{% macro square_fee_fields() -%}
  {{- return([
    ['fee_kind', 'type', 'lower'],
    ['charged_at', 'effective_at', 'time'],
    ['amount_minor', 'amount_money.amount', 'money'],
    ['currency', 'amount_money.currency', 'text'],
  ]) -}}
{%- endmacro %}

{% macro square_variation_fields() -%}
  {{- return([
    ['variation_id', 'id', 'text'],
    ['is_deleted', 'is_deleted', 'flag'],
    ['item_id', 'item_variation_data.sku', 'text'],
    ['price_minor', 'item_variation_data.price_money.amount', 'money'],
    ['currency', 'item_variation_data.price_money.currency', 'text'],
  ]) -}}
{%- endmacro %}

{% macro square_category_fields() -%} {{- return([['category_id', 'id', 'text']]) -}} {%- endmacro %}
