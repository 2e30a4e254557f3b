{{ config(meta={'bound_by': 'ordered_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('etsy_sold_order_items', export_line_fields()) }}
