{{ config(materialized='view') }}

{{ explode(
    ref('stg_shopify__orders'), 'payments',
    ['order_id', 'created_at as ordered_at', 'record_id', 'built_at'],
    shopify_transaction_fields()
) }}
