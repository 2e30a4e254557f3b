{{ config(meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}

{{ stage('etsy_ledger_entries', [
    ['entry_id', 'entry_id', 'text'],
    ['ledger_id', 'ledger_id', 'text'],
    ['sequence_number', 'sequence_number', 'int'],
    ['created_at', 'created_timestamp', 'epoch', 'always'],
    ['ledger_type', 'ledger_type', 'lower'],
    ['currency', 'currency', 'text'],
    ['amount_units', 'amount', 'money'],
    ['balance_units', 'balance', 'money'],
    ['reference_type', 'reference_type', 'lower'],
    ['reference_id', 'reference_id', 'text'],
    ['parent_entry_id', 'parent_entry_id', 'text'],
    ['adjustments', 'payment_adjustments', 'list', etsy_adjustment_fields()],
]) }}
