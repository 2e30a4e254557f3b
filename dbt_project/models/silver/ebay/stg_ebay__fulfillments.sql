{{ config(meta={'bound_by': 'ordered_at', 'version_by': ['version_at', 'ingested_at', 'record_id']}) }}

{{ stage('ebay_fulfillments', [
    ['order_id', 'order.orderId', 'text'],
    ['ordered_at', 'order.creationDate', 'time'],
    ['fulfillment_id', 'fulfillment.fulfillmentId', 'text'],
    ['shipped_at', 'fulfillment.shippedDate', 'time'],
    ['carrier', 'fulfillment.shippingCarrierCode', 'text'],
    ['tracking_number', 'fulfillment.shipmentTrackingNumber', 'text'],
]) }}
