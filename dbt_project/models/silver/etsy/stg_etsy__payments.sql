{{ config(meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}

{{ stage('etsy_payments', [
    ['payment_id', 'payment_id', 'text'],
    ['order_id', 'receipt_id', 'text'],
    ['created_at', 'created_timestamp', 'epoch', 'always'],
    ['status', 'status', 'lower'],
    ['currency', 'amount_gross.currency_code', 'text'],
    ['gross_amount', 'amount_gross', 'divided'],
    ['divisor', 'amount_gross.divisor', 'money'],
    ['adjustments', 'payment_adjustments', 'list', etsy_adjustment_fields()],
]) }}
