{{ config(materialized='view') }}

{{ explode(
    ref('stg_etsy__receipts'), 'shipments',
    ['order_id', 'created_at as ordered_at', 'record_id', 'built_at'],
    etsy_shipment_fields()
) }}
