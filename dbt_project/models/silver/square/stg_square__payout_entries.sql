{{ config(meta={'bound_by': 'effective_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('square_payout_entries', [
    ['entry_id', 'id', 'text'],
    ['payout_id', 'payout_id', 'text'],
    ['effective_at', 'effective_at', 'time', 'always'],
    ['entry_type', 'type', 'lower'],
    ['currency', 'net_amount_money.currency', 'text'],
    ['gross_minor', 'gross_amount_money.amount', 'money'],
    ['fee_minor', 'fee_amount_money.amount', 'money'],
    ['net_minor', 'net_amount_money.amount', 'money'],
    ['charge_payment_id', 'type_charge_details.payment_id', 'text'],
    ['refund_payment_id', 'type_refund_details.payment_id', 'text'],
    ['refund_id', 'type_refund_details.refund_id', 'text'],
    ['fee_payment_id', 'type_fee_details.payment_id', 'text'],
    ['dispute_payment_id', 'type_dispute_details.payment_id', 'text'],
]) }}
