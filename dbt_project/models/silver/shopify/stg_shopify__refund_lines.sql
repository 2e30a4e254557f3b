{{ config(materialized='view') }}

{{ explode(
    ref('stg_shopify__refunds'), 'refund_lines',
    ['order_id', 'refund_id', 'ordered_at', 'currency', 'record_id', 'built_at'],
    shopify_refund_line_fields()
) }}
