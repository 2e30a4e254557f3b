{{ config(meta={'bound_by': 'created_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}, index='HEAP') }}
{#- HEAP: Synapse's columnstore cannot hold the lists, which are nvarchar(max) there. -#}

{{ stage('ebay_orders', [
    ['order_id', 'orderId', 'text'],
    ['created_at', 'creationDate', 'time'],
    ['updated_at', 'lastModifiedDate', 'time'],
    ['fulfilment_state', 'orderFulfillmentStatus', 'lower'],
    ['payment_state', 'orderPaymentStatus', 'lower'],
    ['cancel_state', 'cancelStatus.cancelState', 'lower'],
    ['cancelled_at', 'cancelStatus.cancelledDate', 'time'],
    ['cancel_requests', 'cancelStatus.cancelRequests', 'list', [
        ['requested_at', 'cancelRequestedDate', 'time'],
        ['initiator', 'cancelInitiator', 'lower'],
        ['reason', 'cancelReason', 'lower'],
        ['state', 'cancelRequestState', 'lower'],
    ]],
    ['tax_country', 'buyer.taxAddress.countryCode', 'text'],
    ['tax_postcode_area', 'buyer.taxAddress.postalCode', 'text'],
    ['settlement_currency', 'paymentSummary.totalDueSeller.currency', 'text'],
    ['instructions', 'fulfillmentStartInstructions', 'list', ebay_instruction_fields()],
    ['fulfilment_links', 'fulfillmentHrefs', 'values'],
    ['order_lines', 'lineItems', 'list', ebay_order_line_fields()],
    ['payments', 'paymentSummary.payments', 'list', ebay_payment_fields()],
    ['refunds', 'paymentSummary.refunds', 'list', ebay_refund_fields()],
] + ebay_currency('currency', 'pricingSummary.total')
  + ebay_amount('total_amount', 'pricingSummary.total')
  + ebay_amount('price_discount', 'pricingSummary.priceDiscount')
  + ebay_amount('adjustment', 'pricingSummary.adjustment')
  + ebay_amount('delivery_cost', 'pricingSummary.deliveryCost')
  + ebay_amount('delivery_discount', 'pricingSummary.deliveryDiscount')
  + ebay_amount('due_amount', 'paymentSummary.totalDueSeller')) }}
