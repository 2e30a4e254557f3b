{{ config(materialized='view') }}

{{ explode(
    ref('stg_etsy__receipts'), 'refunds',
    ['order_id', 'created_at as ordered_at', 'record_id', 'built_at'],
    etsy_refund_fields()
) }}
