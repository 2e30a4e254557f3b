{{ config(meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}

{{ stage('square_refunds', [
    ['refund_id', 'id', 'text'],
    ['payment_id', 'payment_id', 'text'],
    ['return_order_id', 'order_id', 'text'],
    ['location_id', 'location_id', 'text'],
    ['created_at', 'created_at', 'time', 'always'],
    ['status', 'status', 'lower'],
    ['destination_type', 'destination_type', 'lower'],
    ['currency', 'amount_money.currency', 'text'],
    ['amount_minor', 'amount_money.amount', 'money'],
    ['fees', 'processing_fee', 'list', square_fee_fields()],
]) }}
