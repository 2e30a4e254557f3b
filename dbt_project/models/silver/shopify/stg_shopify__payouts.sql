{{ config(meta={'bound_by': 'issued_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('shopify_payouts', [
    ['payout_id', 'legacyResourceId', 'text'],
    ['issued_at', 'issuedAt', 'time', 'always'],
    ['status', 'status', 'lower'],
    ['transaction_type', 'transactionType', 'lower'],
    ['currency', 'net.currencyCode', 'text'],
    ['gross_amount', 'gross.amount', 'money'],
    ['net_amount', 'net.amount', 'money'],
]) }}
