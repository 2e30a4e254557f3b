{{ config(materialized='view') }}

{{ explode(
    ref('stg_etsy__payment_adjustments'), 'items',
    ['order_id', 'adjustment_id', 'paid_at', 'divisor', 'record_id', 'built_at'],
    etsy_adjustment_item_fields()
) }}
