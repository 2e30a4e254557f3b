{{ config(meta={'bound_by': 'transacted_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('shopify_balance_transactions', [
    ['transaction_id', 'id', 'gid'],
    ['transaction_type', 'type', 'lower'],
    ['is_test', 'test', 'flag'],
    ['transacted_at', 'transactionDate', 'time', 'always'],
    ['order_id', 'associatedOrder.id', 'gid'],
    ['payout_id', 'associatedPayout.id', 'gid'],
    ['payout_status', 'associatedPayout.status', 'lower'],
    ['currency', 'amount.currencyCode', 'text'],
    ['amount', 'amount.amount', 'money'],
    ['fee_amount', 'fee.amount', 'money'],
    ['net_amount', 'net.amount', 'money'],
]) }}
