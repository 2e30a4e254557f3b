{{ config(meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}
{#- HEAP: Synapse's columnstore cannot hold the lists, which are nvarchar(max) there. -#}

{{ stage('square_orders', [
    ['order_id', 'id', 'text'],
    ['location_id', 'location_id', 'text'],
    ['reference_id', 'reference_id', 'text'],
    ['created_at', 'created_at', 'time'],
    ['closed_at', 'closed_at', 'time'],
    ['state', 'state', 'lower'],
    ['currency', 'total_money.currency', 'text'],
    ['total_minor', 'total_money.amount', 'money'],
    ['tip_minor', 'total_tip_money.amount', 'money'],
    ['rounding_minor', 'rounding_adjustment.amount_money.amount', 'money'],
    ['order_lines', 'line_items', 'list', square_order_line_fields()],
    ['service_charges', 'service_charges', 'list', square_service_charge_fields()],
    ['tenders', 'tenders', 'list', square_tender_fields()],
    ['returns', 'returns', 'list', square_return_fields()],
    ['refunds', 'refunds', 'list', square_order_refund_fields()],
    ['fulfillments', 'fulfillments', 'list', square_fulfillment_fields()],
]) }}
