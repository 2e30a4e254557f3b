{{ config(materialized='view') }}

{{ explode(
    ref('stg_etsy__receipts'), 'order_lines',
    ['order_id', 'created_at as ordered_at', 'currency', 'record_id', 'built_at'],
    etsy_transaction_fields()
) }}
