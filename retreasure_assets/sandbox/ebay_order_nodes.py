"""Orders as eBay's Fulfillment API shows them.

What belongs here: the shape of an order, and what of its buyer is still shown. What does not: which orders are asked
for (``ebay_orders``).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from retreasure_assets.sandbox.ebay_format import Json, contact, iso, money, settled
from retreasure_assets.sandbox.world_ebay import relay_address, username
from retreasure_assets.sandbox.world_ebay_types import ZERO, EbayCancellation, EbayLine, EbayOrder
from retreasure_assets.sandbox.world_fx import rounded
from retreasure_assets.sandbox.world_types import Person

ORDER_PATH = "/sell/fulfillment/v1/order"

#: How long eBay shows an order's e-mail address, and names, streets and telephones.
_EMAIL_SHOWN = timedelta(days=14)
_NAMES_SHOWN = timedelta(days=90)


def order_node(order: EbayOrder, person: Person, now: datetime, *, detailed: bool, whole_story: bool) -> Json:
    """An order.

    Args:
        order: what is shown.
        person: who bought.
        now: what of the buyer is still shown depends on it.
        detailed: with the tax that eBay remits in the totals.
        whole_story: with the requests to cancel.
    """
    age = now - order.at
    named = age <= _NAMES_SHOWN
    email = relay_address(person) if age <= _EMAIL_SHOWN else None
    tax = order.remitted_tax if detailed else ZERO
    total = sum((line.due for line in order.lines), ZERO) + tax
    pricing: Json = {
        "priceSubtotal": money(sum((line.cost for line in order.lines), ZERO), order.currency),
        "deliveryCost": money(sum((line.shipping for line in order.lines), ZERO), order.currency),
        "total": money(total, order.currency),
    }
    discount = sum((line.discount for line in order.lines), ZERO)
    shipping_discount = sum((line.shipping_discount for line in order.lines), ZERO)
    if discount:
        pricing["priceDiscount"] = money(-discount, order.currency)
    if shipping_discount:
        pricing["deliveryDiscount"] = money(-shipping_discount, order.currency)
    if tax:
        pricing["tax"] = money(tax, order.currency)
    node: Json = {
        "orderId": order.order_id,
        "legacyOrderId": order.order_id,
        "creationDate": iso(order.at),
        "lastModifiedDate": iso(order.changed_at),
        "orderFulfillmentStatus": sent_state(order),
        "orderPaymentStatus": _paid(order),
        "sellerId": "retreasure-vintage",
        "buyer": {
            "username": username(person),
            "taxAddress": {
                "postalCode": person.address.zip,
                "countryCode": person.address.country_code,
            },
            "buyerRegistrationAddress": contact(person.address, email, named=named),
        },
        "pricingSummary": pricing,
        "cancelStatus": _cancel_status(order.cancellation, whole_story=whole_story),
        "paymentSummary": _payments(order),
        "fulfillmentStartInstructions": [
            {
                "fulfillmentInstructionsType": "SHIP_TO",
                "minEstimatedDeliveryDate": iso(order.at + timedelta(days=4)),
                "maxEstimatedDeliveryDate": iso(order.at + timedelta(days=9)),
                "ebaySupportedFulfillment": False,
                "shippingStep": {
                    "shipTo": contact(person.address, email, named=named),
                    "shippingCarrierCode": "AnPost",
                    "shippingServiceCode": "IE_StandardInternational",
                },
            }
        ],
        "fulfillmentHrefs": [
            f"https://api.ebay.com{ORDER_PATH}/{order.order_id}/shipping_fulfillment/{parcel.tracking_number}"
            for parcel in order.parcels
        ],
        "lineItems": [_line(order, line, detailed) for line in order.lines],
        "salesRecordReference": "0",
    }
    if order.note:
        node["buyerCheckoutNotes"] = order.note
    if order.remitted_tax:
        node["ebayCollectAndRemitTax"] = True
    return node


def _line(order: EbayOrder, line: EbayLine, detailed: bool) -> Json:
    sent = any(line.line_id in parcel.line_ids for parcel in order.parcels)
    shown_tax = line.remitted_tax if detailed else ZERO
    delivery: Json = {"shippingCost": money(line.shipping, order.currency)}
    if line.shipping_discount:
        delivery["discountAmount"] = money(line.shipping_discount, order.currency)
    node: Json = {
        "lineItemId": line.line_id,
        "legacyItemId": line.listing_id,
        "sku": line.item_id,
        "title": line.title,
        "lineItemCost": money(line.cost, order.currency),
        "quantity": 1,
        "soldFormat": "FIXED_PRICE",
        "listingMarketplaceId": order.marketplace,
        "purchaseMarketplaceId": order.marketplace,
        "lineItemFulfillmentStatus": "FULFILLED" if sent else "NOT_STARTED",
        "total": money(line.due + shown_tax, order.currency),
        "deliveryCost": delivery,
        "appliedPromotions": [],
        "taxes": [],
        "properties": {"buyerProtection": True, **({"soldViaAdCampaign": True} if line.advertised else {})},
        "refunds": [
            {"amount": money(amount, order.currency), "refundDate": iso(refund.at), "refundId": refund.refund_id}
            for refund in order.refunds
            for line_id, amount in refund.lines
            if line_id == line.line_id
        ],
        "lineItemFulfillmentInstructions": {
            "shipByDate": iso(order.at + timedelta(days=3)),
            "minEstimatedDeliveryDate": iso(order.at + timedelta(days=4)),
            "maxEstimatedDeliveryDate": iso(order.at + timedelta(days=9)),
            "guaranteedDelivery": False,
        },
        "itemLocation": {"location": "Dublin", "countryCode": "IE", "postalCode": "D08"},
    }
    if line.discount:
        node["discountedLineItemCost"] = money(line.cost - line.discount, order.currency)
        node["appliedPromotions"] = [
            {
                "discountAmount": money(line.discount, order.currency),
                "promotionId": "9000001",
                "description": "Sale event",
            }
        ]
    if line.remitted_tax:
        amount = money(line.remitted_tax, order.currency)
        node["ebayCollectAndRemitTaxes"] = [{"taxType": line.tax_type, "amount": amount, "collectionMethod": "NET"}]
        if detailed:
            node["taxes"] = [{"taxType": line.tax_type, "amount": amount}]
    return node


def sent_state(order: EbayOrder) -> str:
    """How much of an order was sent, in eBay's words."""
    sent = {line_id for parcel in order.parcels for line_id in parcel.line_ids}
    if not sent:
        return "NOT_STARTED"
    return "FULFILLED" if len(sent) == len(order.lines) else "IN_PROGRESS"


def _paid(order: EbayOrder) -> str:
    if order.paid_at is None:
        return "PENDING"
    back = sum((refund.amount for refund in order.refunds), Decimal(0))
    if not back:
        return "PAID"
    return "FULLY_REFUNDED" if back == order.total else "PARTIALLY_REFUNDED"


def _cancel_status(wish: EbayCancellation | None, *, whole_story: bool) -> Json:
    if wish is None:
        return {"cancelState": "NONE_REQUESTED", "cancelRequests": []}
    state = "CANCELED" if wish.granted_at else "NONE_REQUESTED" if wish.refused_at else "IN_PROGRESS"
    status: Json = {"cancelState": state, "cancelRequests": []}
    if wish.granted_at:
        status["cancelledDate"] = iso(wish.granted_at)
    if whole_story:
        request: Json = {
            "cancelRequestId": wish.request_id,
            "cancelRequestedDate": iso(wish.requested_at),
            "cancelInitiator": wish.initiator.title(),
            "cancelReason": wish.reason,
            "cancelRequestState": "COMPLETED" if wish.granted_at else "REJECTED" if wish.refused_at else "REQUESTED",
        }
        if wish.granted_at:
            request["cancelCompletedDate"] = iso(wish.granted_at)
        status["cancelRequests"] = [request]
    return status


def _payments(order: EbayOrder) -> Json:
    """What was paid; the tax that eBay remits is in there always."""
    asked = order.total + order.remitted_tax
    amount = settled(rounded(asked * order.rate, "EUR"), order.currency, order.rate)
    amount.pop("exchangeRate", None)  # Only the Finances API says it.
    if order.currency != "EUR":
        amount["convertedFromValue"] = f"{asked:.2f}"
    payment: Json = {
        "paymentMethod": "EBAY",
        "paymentReferenceId": f"2{order.order_id.replace('-', '')}",
        "amount": amount,
        "paymentStatus": "PAID" if order.paid_at else "PENDING",
    }
    if order.paid_at:
        payment["paymentDate"] = iso(order.paid_at)
    return {
        "totalDueSeller": amount,
        "payments": [payment],
        "refunds": [
            {
                "refundId": refund.refund_id,
                "refundReferenceId": refund.refund_id,
                "refundDate": iso(refund.at),
                "amount": money(refund.amount, order.currency),
                "refundStatus": "REFUNDED",
            }
            for refund in order.refunds
        ],
    }
