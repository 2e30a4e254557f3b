{{ config(meta={'bound_by': 'ordered_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('shopify_orders_export', export_line_fields()) }}
