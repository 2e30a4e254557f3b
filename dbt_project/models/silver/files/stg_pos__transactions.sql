{{ config(meta={'bound_by': 'sold_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('pos_transactions', [
    ['transaction_id', 'transaction_id', 'text'],
    ['line_id', 'line_id', 'text'],
    ['sold_at', 'sold_at', 'time'],
    ['store_id', 'store_id', 'text'],
    ['item_id', 'item_id', 'text'],
    ['title', 'title', 'text'],
    ['quantity', 'quantity', 'int'],
    ['discount_amount', 'discount_amount', 'money'],
    ['tax_amount', 'tax_amount', 'money'],
    ['line_total', 'line_total', 'money'],
    ['currency', 'currency', 'text'],
    ['payment_method', 'payment_method', 'text'],
    ['line_type', 'line_type', 'lower'],
    ['tax_included', 'tax_included', 'flag'],
]) }}
