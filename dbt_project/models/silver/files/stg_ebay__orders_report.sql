{{ config(meta={'bound_by': 'ordered_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('ebay_orders_report', export_line_fields()) }}
