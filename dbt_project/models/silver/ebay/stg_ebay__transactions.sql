{{ config(meta={'bound_by': 'transacted_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}
{#- HEAP because of the lists, see stg_ebay__orders. -#}

{{ stage('ebay_transactions', [
    ['entry_id', 'transactionId', 'text'],
    ['entry_type', 'transactionType', 'lower'],
    ['booking', 'bookingEntry', 'lower'],
    ['entry_state', 'transactionStatus', 'lower'],
    ['transacted_at', 'transactionDate', 'time', 'always'],
    ['stated_order_id', 'orderId', 'text'],
    ['payout_id', 'payoutId', 'text'],
    ['fee_type', 'feeType', 'lower'],
    ['currency', 'amount.currency', 'text'],
    ['amount', 'amount.value', 'money'],
    ['total_fee', 'totalFeeAmount.value', 'money'],
    ['order_lines', 'orderLineItems', 'list', ebay_transaction_line_fields()],
    ['entry_references', 'references', 'list', ebay_reference_fields()],
]) }}
