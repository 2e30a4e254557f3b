{#
  What is read of the lists inside Shopify's documents. They are named here because two models need the same list: the
  staging model that parses the document, and the view that explodes the list. Paths as in
  retreasure_assets/sources/shopify/queries. Money is presentmentMoney: as charged.
#}

{% macro shopify_money_fields(path) -%}
  {{- return([['amount', path ~ '.presentmentMoney.amount', 'money']]) -}}
{%- endmacro %}

{% macro shopify_order_line_fields() -%}
  {{- return([
    ['line_id', 'id', 'gid'],
    ['item_id', 'sku', 'text'],
    ['product_id', 'product.id', 'gid'],
    ['title', 'title', 'text'],
    ['quantity', 'quantity', 'int'],
    ['unit_price', 'originalUnitPriceSet.presentmentMoney.amount', 'money'],
    ['discounts', 'discountAllocations', 'list', shopify_money_fields('allocatedAmountSet')],
    ['taxes', 'taxLines', 'list', shopify_money_fields('priceSet')],
  ]) -}}
{%- endmacro %}

{% macro shopify_shipping_line_fields() -%}
  {{- return([
    ['discounted_price', 'discountedPriceSet.presentmentMoney.amount', 'money'],
  ]) -}}
{%- endmacro %}

{% macro shopify_transaction_fields() -%}
  {{- return([
    ['payment_id', 'id', 'gid'],
    ['kind', 'kind', 'lower'],
    ['status', 'status', 'lower'],
    ['gateway', 'gateway', 'text'],
    ['is_test', 'test', 'flag'],
    ['processed_at', 'processedAt', 'time'],
    ['created_at', 'createdAt', 'time'],
    ['currency', 'amountSet.presentmentMoney.currencyCode', 'text'],
    ['amount', 'amountSet.presentmentMoney.amount', 'money'],
  ]) -}}
{%- endmacro %}

{% macro shopify_refund_fields() -%}
  {{- return([
    ['refund_id', 'legacyResourceId', 'text'],
    ['processed_at', 'processedAt', 'time'],
    ['created_at', 'createdAt', 'time'],
    ['currency', 'totalRefundedSet.presentmentMoney.currencyCode', 'text'],
    ['refund_amount', 'totalRefundedSet.presentmentMoney.amount', 'money'],
    ['refund_lines', 'refundLineItems.nodes', 'list', shopify_refund_line_fields()],
    ['duties', 'duties', 'list', shopify_money_fields('amountSet')],
    ['shipping_lines', 'refundShippingLines.nodes', 'list', [
      ['amount', 'subtotalAmountSet.presentmentMoney.amount', 'money'],
      ['tax_amount', 'taxAmountSet.presentmentMoney.amount', 'money'],
    ]],
  ]) -}}
{%- endmacro %}

{% macro shopify_refund_line_fields() -%}
  {{- return([
    ['refund_line_id', 'id', 'gid'],
    ['line_id', 'lineItem.id', 'gid'],
    ['item_id', 'lineItem.sku', 'text'],
    ['quantity', 'quantity', 'int'],
    ['is_restocked', 'restocked', 'flag'],
    ['subtotal', 'subtotalSet.presentmentMoney.amount', 'money'],
    ['tax_amount', 'totalTaxSet.presentmentMoney.amount', 'money'],
  ]) -}}
{%- endmacro %}

{% macro shopify_fulfillment_fields() -%}
  {{- return([
    ['shipment_id', 'legacyResourceId', 'text'],
    ['status', 'status', 'lower'],
    ['display_status', 'displayStatus', 'lower'],
    ['created_at', 'createdAt', 'time'],
    ['delivered_at', 'deliveredAt', 'time'],
    ['estimated_at', 'estimatedDeliveryAt', 'time'],
    ['tracking', 'trackingInfo', 'list', [['carrier', 'company', 'text'], ['tracking_number', 'number', 'text']]],
  ]) -}}
{%- endmacro %}

{% macro shopify_variant_fields() -%}
  {{- return([
    ['variant_id', 'legacyResourceId', 'text'],
    ['item_id', 'sku', 'text'],
    ['price', 'price', 'money'],
    ['quantity', 'inventoryQuantity', 'int'],
    ['unit_cost', 'inventoryItem.unitCost.amount', 'money'],
    ['unit_cost_currency', 'inventoryItem.unitCost.currencyCode', 'text'],
  ]) -}}
{%- endmacro %}

{% macro shopify_metafield_fields() -%}
  {{- return([['field_key', 'key', 'text'], ['field_value', 'value', 'text']]) -}}
{%- endmacro %}

{% macro shopify_quantity_fields() -%}
  {{- return([['quantity_name', 'name', 'text'], ['quantity', 'quantity', 'int'], ['changed_at', 'updatedAt', 'time']]) -}}
{%- endmacro %}
