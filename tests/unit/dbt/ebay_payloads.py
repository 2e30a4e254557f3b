"""eBay's records as bronze holds them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bronze_bench import Record

Json = dict[str, Any]


def money(value: str, currency: str = "EUR", charged: str | None = None, charged_in: str = "GBP") -> Json:
    """An amount; ``charged`` is what it was converted from."""
    found = {"value": value, "currency": currency}
    return found if charged is None else {**found, "convertedFromValue": charged, "convertedFromCurrency": charged_in}


def line(number: int, cost: str, *, discounted: str | None = None, **more: Any) -> Json:
    """A line item; ``discounted`` is its cost after what the lines state as a discount."""
    found: Json = {
        "lineItemId": str(number),
        "legacyItemId": f"11{number}",
        "sku": f"RT-{number:06d}",
        "title": "Clock",
        "quantity": 1,
        "lineItemCost": money(cost),
        "taxes": [],
        "refunds": [],
    }
    if discounted is not None:
        found["discountedLineItemCost"] = money(discounted)
    return found | more


def order(
    number: int, lines: Sequence[Json], total: str, *, pricing: Mapping[str, Any] | None = None, **more: Any
) -> Record:
    """An order that was paid, as a bronze record of ebay_orders."""
    payload: Json = {
        "orderId": f"01-0000{number}-00000",
        "creationDate": "2026-09-01T09:00:00.000Z",
        "lastModifiedDate": "2026-09-01T10:00:00.000Z",
        "orderFulfillmentStatus": "NOT_STARTED",
        "orderPaymentStatus": "PAID",
        "cancelStatus": {"cancelState": "NONE_REQUESTED", "cancelRequests": []},
        "pricingSummary": {"deliveryCost": money("0.0"), "total": money(total), **(pricing or {})},
        "paymentSummary": {
            "totalDueSeller": money(total),
            "payments": [
                {
                    "paymentMethod": "EBAY",
                    "paymentReferenceId": f"P{number}",
                    "paymentStatus": "PAID",
                    "paymentDate": "2026-09-01T09:05:00.000Z",
                    "amount": money(total),
                }
            ],
            "refunds": [],
        },
        "fulfillmentStartInstructions": [
            {"shippingStep": {"shipTo": {"contactAddress": {"countryCode": "IE", "postalCode": "D08"}}}}
        ],
        "fulfillmentHrefs": [],
        "lineItems": list(lines),
    }
    return Record("ebay_orders", payload | more, "p_1")


def entry(number: str, kind: str, booking: str, amount: str, **more: Any) -> Record:
    """An entry of the ledger."""
    payload = {
        "transactionId": number,
        "transactionType": kind,
        "bookingEntry": booking,
        "transactionStatus": "PAYOUT",
        "transactionDate": "2026-09-02T09:00:00.000Z",
        "amount": money(amount),
    }
    return Record("ebay_transactions", payload | more)


def fees(*charged: tuple[str, str]) -> list[Json]:
    """What one line was charged: (kind, amount) of each fee."""
    return [
        {"lineItemId": "1", "marketplaceFees": [{"feeType": kind, "amount": money(value)} for kind, value in charged]}
    ]


def refund(refunded: str | None, amount: str, **more: Any) -> Json:
    """A refund within an order; without a time it was not paid out yet."""
    dated = {"refundDate": refunded} if refunded else {}
    return {"amount": money(amount), "refundStatus": "REFUNDED", **dated, **more}


def summary(total: str, refunds: Sequence[Json], payments: Sequence[Json] = ()) -> Json:
    """An order's summary of what was paid and given back."""
    return {"totalDueSeller": money(total), "payments": list(payments), "refunds": list(refunds)}


def parcel(number: int, fulfillment_id: str, **more: Any) -> Record:
    """A parcel of an order as bronze has it."""
    stated = {"orderId": f"01-0000{number}-00000", "creationDate": "2026-09-01T09:00:00.000Z"}
    return Record("ebay_fulfillments", {"order": stated, "fulfillment": {"fulfillmentId": fulfillment_id, **more}})


def offer(price: str, status: str, quantity: int) -> Record:
    """One offer of one piece; ``status`` is its listing's."""
    payload = {
        "offerId": "7",
        "sku": "RT-000001",
        "marketplaceId": "EBAY_GB",
        "status": "PUBLISHED",
        "availableQuantity": quantity,
        "pricingSummary": {"price": money(price, "GBP")},
        "listing": {"listingId": "110", "listingStatus": status},
    }
    return Record("ebay_offers", payload)
