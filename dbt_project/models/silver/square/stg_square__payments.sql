{{ config(meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}

{{ stage('square_payments', [
    ['payment_id', 'id', 'text'],
    ['order_id', 'order_id', 'text'],
    ['location_id', 'location_id', 'text'],
    ['created_at', 'created_at', 'time', 'always'],
    ['status', 'status', 'lower'],
    ['source_type', 'source_type', 'lower'],
    ['currency', 'total_money.currency', 'text'],
    ['total_minor', 'total_money.amount', 'money'],
    ['tip_minor', 'tip_money.amount', 'money'],
    ['fees', 'processing_fee', 'list', square_fee_fields()],
]) }}
