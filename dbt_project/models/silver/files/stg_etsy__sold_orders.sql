{{ config(meta={'bound_by': 'ordered_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('etsy_sold_orders', export_order_fields() + [['order_fee', 'order_fee', 'money']]) }}
