{{ config(meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}
{#- HEAP because of the lists, see stg_shopify__orders. -#}

{{ stage('etsy_receipts', [
    ['order_id', 'receipt_id', 'text'],
    ['created_at', 'created_timestamp', 'epoch'],
    ['updated_at', 'updated_timestamp', 'epoch'],
    ['status', 'status', 'lower'],
    ['is_paid', 'is_paid', 'flag'],
    ['is_shipped', 'is_shipped', 'flag'],
    ['currency', 'grandtotal.currency_code', 'text'],
    ['total_amount', 'grandtotal', 'divided'],
    ['goods_amount', 'total_price', 'divided'],
    ['discount_amount', 'discount_amt', 'divided'],
    ['shipping_amount', 'total_shipping_cost', 'divided'],
    ['gift_wrap_amount', 'gift_wrap_price', 'divided'],
    ['sales_tax_amount', 'total_tax_cost', 'divided'],
    ['vat_amount', 'total_vat_cost', 'divided'],
    ['ship_country', 'country_iso', 'text'],
    ['ship_postcode_area', 'zip', 'text'],
    ['order_lines', 'transactions', 'list', etsy_transaction_fields()],
    ['shipments', 'shipments', 'list', etsy_shipment_fields()],
    ['refunds', 'refunds', 'list', etsy_refund_fields()],
]) }}
