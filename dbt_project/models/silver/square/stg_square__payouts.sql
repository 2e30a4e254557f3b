{{ config(meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('square_payouts', [
    ['payout_id', 'id', 'text'],
    ['location_id', 'location_id', 'text'],
    ['created_at', 'created_at', 'time', 'always'],
    ['status', 'status', 'lower'],
    ['payout_type', 'type', 'lower'],
    ['arrival_date', 'arrival_date', 'date'],
    ['currency', 'amount_money.currency', 'text'],
    ['amount_minor', 'amount_money.amount', 'money'],
]) }}
