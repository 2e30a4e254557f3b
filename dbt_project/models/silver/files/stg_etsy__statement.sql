{{ config(meta={'bound_by': 'statement_date', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('etsy_statement', [
    ['statement_date', 'date', 'date'],
    ['entry_type', 'type', 'lower'],
    ['title', 'title', 'text'],
    ['info', 'info', 'text'],
    ['currency', 'currency', 'text'],
    ['amount', 'amount', 'money'],
    ['fees_taxes', 'fees_taxes', 'money'],
    ['net', 'net', 'money'],
]) }}
