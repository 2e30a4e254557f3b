"""eBay's Fulfillment API: orders as getOrders and getOrder show them, and their fulfilments.

What belongs here: the shape of an order, what of the buyer is still shown, which filters are taken. What does not:
HTTP and tokens (``ebay``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec
from starlette.responses import Response

from retreasure_assets.sandbox.ebay_format import (
    Json,
    RefusalError,
    answer,
    contact,
    filters,
    iso,
    money,
    page,
    period,
    settled,
    whole,
)
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ebay import relay_address, username
from retreasure_assets.sandbox.world_ebay_types import ZERO, EbayBusiness, EbayCancellation, EbayLine, EbayOrder
from retreasure_assets.sandbox.world_fx import rounded

_DOMAIN = "API_FULFILLMENT"
_PATH = "/sell/fulfillment/v1/order"
_MAX_LIMIT = 200
_YEARS = timedelta(days=730)
#: How long eBay shows an order's e-mail address, and names, streets and telephones.
_EMAIL_SHOWN = timedelta(days=14)
_NAMES_SHOWN = timedelta(days=90)


class Orders:
    """The seller's orders.

    Args:
        world: for the people and the clock.
        business: the orders.
    """

    def __init__(self, world: World, business: EbayBusiness) -> None:
        self._now = world.clock
        self._people = {person.number: person for person in world.people}
        # As eBay lists them: the newest first.
        self._orders = sorted(business.orders, key=lambda order: (order.at, order.order_id), reverse=True)
        self._by_id = {order.order_id: order for order in self._orders}
        self._encoded: dict[tuple[str, bool, bool], bytes] = {}

    def search(self, query: Mapping[str, str]) -> Response:
        """getOrders.

        Raises:
            RefusalError: a parameter is not taken.
        """
        detailed = _detailed(query)
        if "orderIds" in query:
            ids = query["orderIds"].split(",")
            if len(ids) > 50:
                raise RefusalError(400, 30900, "Exceeded maximum number of order IDs (50)", _DOMAIN)
            found = [self._by_id[order_id] for order_id in ids if order_id in self._by_id]
            records = [self._text(order, detailed, whole_story=False) for order in found]
            return page("orders", records, len(records), _PATH, 50, 0, 0)
        limit = whole(query, "limit", 50, 1, _MAX_LIMIT, RefusalError(400, 31100, "Invalid limit", _DOMAIN))
        offset = whole(query, "offset", 0, 0, 10**9, RefusalError(400, 31000, "Invalid offset", _DOMAIN))
        chosen = self._chosen(query.get("filter"))
        records = [self._text(order, detailed, whole_story=False) for order in chosen[offset : offset + limit]]
        following = offset + limit if offset + limit < len(chosen) else 0
        return page("orders", records, len(chosen), _PATH, limit, offset, following)

    def one(self, order_id: str, query: Mapping[str, str]) -> Response:
        """getOrder.

        Raises:
            RefusalError: there is no such order.
        """
        order = self._by_id.get(order_id)
        if order is None:
            raise RefusalError(404, 32100, "Invalid order ID", _DOMAIN)
        return Response(self._text(order, _detailed(query), whole_story=True), media_type="application/json")

    def fulfilments(self, order_id: str) -> Response:
        """getShippingFulfillments.

        Raises:
            RefusalError: there is no such order.
        """
        order = self._by_id.get(order_id)
        if order is None:
            raise RefusalError(404, 32100, "Invalid order ID", _DOMAIN)
        found = [
            {
                "fulfillmentId": parcel.tracking_number,
                "shipmentTrackingNumber": parcel.tracking_number,
                "shippingCarrierCode": parcel.carrier,
                "shippedDate": iso(parcel.at),
                "lineItems": [{"lineItemId": line_id, "quantity": 1} for line_id in parcel.line_ids],
            }
            for parcel in order.parcels
        ]
        return answer({"total": len(found), "fulfillments": found})

    def _chosen(self, text: str | None) -> list[EbayOrder]:
        terms = filters(text)
        if text and not terms:
            raise RefusalError(400, 30700, "Invalid filter name", _DOMAIN)
        for name in terms:
            if name not in ("creationdate", "lastmodifieddate", "orderfulfillmentstatus"):
                raise RefusalError(400, 30700, f"Invalid filter name: {name}", _DOMAIN)
        chosen = self._orders
        if "creationdate" in terms:
            # Where both are given, only the creation date counts.
            start, end = _period(terms["creationdate"])
            chosen = [order for order in chosen if start <= order.at and (end is None or order.at <= end)]
        elif "lastmodifieddate" in terms:
            start, end = _period(terms["lastmodifieddate"])
            chosen = [
                order for order in chosen if start <= order.changed_at and (end is None or order.changed_at <= end)
            ]
        elif not terms:
            chosen = [order for order in chosen if order.at >= self._now - timedelta(days=90)]
        if "orderfulfillmentstatus" in terms:
            wanted = terms["orderfulfillmentstatus"].strip("{}").split("|")
            chosen = [order for order in chosen if _sent(order) in wanted]
        return chosen

    def _text(self, order: EbayOrder, detailed: bool, *, whole_story: bool) -> bytes:
        key = (order.order_id, detailed, whole_story)
        if key not in self._encoded:
            node = self._node(order, detailed, whole_story=whole_story)
            self._encoded[key] = msgspec.json.encode(node)
        return self._encoded[key]

    def _node(self, order: EbayOrder, detailed: bool, *, whole_story: bool) -> Json:
        person = self._people[order.person]
        age = self._now - order.at
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
            "orderFulfillmentStatus": _sent(order),
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
                f"https://api.ebay.com{_PATH}/{order.order_id}/shipping_fulfillment/{parcel.tracking_number}"
                for parcel in order.parcels
            ],
            "lineItems": [self._line(order, line, detailed) for line in order.lines],
            "salesRecordReference": "0",
        }
        if order.note:
            node["buyerCheckoutNotes"] = order.note
        if order.remitted_tax:
            node["ebayCollectAndRemitTax"] = True
        return node

    def _line(self, order: EbayOrder, line: EbayLine, detailed: bool) -> Json:
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


def _detailed(query: Mapping[str, str]) -> bool:
    """Whether TAX_BREAKDOWN is asked for: only then totals contain the tax that eBay remits."""
    group = query.get("fieldGroups")
    if group not in (None, "TAX_BREAKDOWN"):
        raise RefusalError(400, 32800, "Invalid field group", _DOMAIN)
    return group is not None


def _period(term: str) -> tuple[datetime, datetime | None]:
    found = period(term)
    if found is None:
        raise RefusalError(400, 30810, "Invalid date format", _DOMAIN)
    start, end = found
    if end is not None and end < start:
        raise RefusalError(400, 30840, "Start date should be before end date", _DOMAIN)
    if end is not None and end - start > _YEARS:
        raise RefusalError(400, 30830, "Time range between start date and end date must be within '2' years.", _DOMAIN)
    return start, end


def _sent(order: EbayOrder) -> str:
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
