{{ config(meta={'bound_by': 'issued_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}
{#- HEAP because of the list, see stg_ebay__orders. -#}

{{ stage('ebay_payouts', [
    ['payout_id', 'payoutId', 'text'],
    ['issued_at', 'payoutDate', 'time', 'always'],
    ['payout_state', 'payoutStatus', 'lower'],
    ['currency', 'amount.currency', 'text'],
    ['amount', 'amount.value', 'money'],
    ['total_amount', 'totalAmount.value', 'money'],
    ['payout_fees', 'totalFeeDetails', 'list', ebay_fee_fields()],
]) }}
