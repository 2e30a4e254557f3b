{{ config(materialized='view') }}

{{ explode(
    ref('stg_etsy__payments'), 'adjustments',
    ['order_id', 'created_at as paid_at', 'currency', 'divisor', 'record_id', 'built_at'],
    etsy_adjustment_fields()
) }}
