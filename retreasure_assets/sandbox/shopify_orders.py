"""Orders as Shopify's Admin interface shows them.

What belongs here: the Order object and all it contains. What does not: finding, sorting and paging orders
(``shopify_shop``, ``shopify_connections``).

A node is a plain dictionary that has every field of the served schema; connections are lists, cut into pages when
asked for. Another object that only belongs to the order (its product, its location) is a reference: its type and id;
whatever else is asked of it is looked up then.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from retreasure_assets.sandbox.shopify_format import SHOP_CURRENCY, Json, bag, gid, iso, money, reference
from retreasure_assets.sandbox.world_order_types import Fulfilment, Order, OrderLine, Refund, Tax, Transaction
from retreasure_assets.sandbox.world_stock_words import CARRIERS
from retreasure_assets.sandbox.world_types import Address

ZERO = Decimal(0)

LOCATION_ID = 71_000_000_001

_TRACKING = dict(CARRIERS)


def financial_status(order: Order) -> str:
    """OrderDisplayFinancialStatus, from what has been paid and given back so far."""
    paid = any(t.status == "SUCCESS" and t.kind in ("SALE", "CAPTURE") for t in order.transactions)
    if not paid:
        if order.cancelled_at is not None:
            return "VOIDED"
        held = any(t.status == "SUCCESS" and t.kind == "AUTHORIZATION" for t in order.transactions)
        return "AUTHORIZED" if held else "PENDING"
    refunded = sum((refund.amount for refund in order.refunds), ZERO)
    if not refunded:
        return "PAID"
    return "REFUNDED" if refunded >= order.total else "PARTIALLY_REFUNDED"


def fulfilment_status(order: Order) -> str:
    """OrderDisplayFulfillmentStatus."""
    sent = sum(parcel.quantity for parcel in order.fulfilments)
    if not sent:
        return "UNFULFILLED"
    return "FULFILLED" if sent >= sum(line.quantity for line in order.lines) else "PARTIALLY_FULFILLED"


def paid_at(order: Order) -> datetime | None:
    """When the money came; None while it has not."""
    for transaction in order.transactions:
        if transaction.status == "SUCCESS" and transaction.kind in ("SALE", "CAPTURE"):
            return transaction.at
    return None


def closed_at(order: Order) -> datetime | None:
    """When everything was sent and paid, or the order was cancelled; None while it is open."""
    if order.cancelled_at is not None:
        return order.cancelled_at
    paid = paid_at(order)
    if paid is None or fulfilment_status(order) != "FULFILLED":
        return None
    return max(paid, order.fulfilments[-1].at)


def updated_at(order: Order) -> datetime:
    """The time of the last thing that happened to the order."""
    times = [order.at, *(t.at for t in order.transactions), *(refund.at for refund in order.refunds)]
    times += [_parcel_updated(parcel) for parcel in order.fulfilments]
    if order.cancelled_at is not None:
        times.append(order.cancelled_at)
    return max(times)


def _parcel_updated(parcel: Fulfilment) -> datetime:
    return max(at for at in (parcel.at, parcel.in_transit_at, parcel.delivered_at) if at is not None)


def address_node(address: Address | None, owner: int) -> Json | None:
    """MailingAddress."""
    if address is None:
        return None
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", owner) + "?model_name=Address",
        "firstName": address.first_name,
        "lastName": address.last_name,
        "name": address.name,
        "company": address.company,
        "address1": address.address1,
        "address2": address.address2,
        "city": address.city,
        "province": address.province,
        "provinceCode": address.province_code,
        "zip": address.zip,
        "country": address.country,
        "countryCodeV2": address.country_code,
        "phone": address.phone,
        "latitude": address.latitude,
        "longitude": address.longitude,
    }


class OrderNode:
    """Builds the node of one order."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._back = {
            line.line_id: sum(
                piece.quantity for refund in order.refunds for piece in refund.lines if piece.line_id == line.line_id
            )
            for line in order.lines
        }

    def _bag(self, amount: Decimal) -> Json:
        return bag(amount, self._order.currency, self._order.rate)

    def build(self, customer: Json | None) -> Json:
        """The node; ``customer`` is that of a registered buyer, None for a guest."""
        order = self._order
        lines = {line.line_id: self._line(line) for line in order.lines}
        refunded = sum((refund.amount for refund in order.refunds), ZERO)
        goodwill = sum((refund.goodwill for refund in order.refunds), ZERO)
        line_discounts = sum((line.discount for line in order.lines), ZERO)
        shipping = order.shipping
        created, updated = iso(order.at), iso(updated_at(order))
        return {
            "__typename": "Order",
            "id": gid("Order", order.order_id),
            "legacyResourceId": str(order.order_id),
            "name": order.name,
            "createdAt": created,
            "processedAt": created,
            "updatedAt": updated,
            "cancelledAt": iso(order.cancelled_at),
            "closedAt": iso(closed_at(order)),
            "cancelReason": order.cancel_reason,
            "test": order.test,
            "confirmed": True,
            "sourceName": order.source_name,
            "displayFinancialStatus": financial_status(order),
            "displayFulfillmentStatus": fulfilment_status(order),
            "currencyCode": SHOP_CURRENCY,
            "presentmentCurrencyCode": order.currency,
            "taxesIncluded": order.taxes_included,
            "email": order.email,
            "phone": order.phone,
            "clientIp": order.client_ip,
            "note": order.note,
            "discountCodes": list(order.discount_codes),
            "tags": ["phone order"] if order.source_name == "shopify_draft_order" else [],
            "customerLocale": order.locale,
            "retailLocation": None,
            "customer": customer,
            "shippingAddress": address_node(order.ship_to, order.order_id * 2),
            "billingAddress": address_node(order.bill_to, order.order_id * 2 + 1),
            "subtotalPriceSet": self._bag(order.subtotal),
            "totalDiscountsSet": self._bag(line_discounts + (shipping.discount if shipping else ZERO)),
            "totalShippingPriceSet": self._bag(shipping.paid if shipping else ZERO),
            "totalTaxSet": self._bag(order.tax),
            "dutiesIncluded": order.surcharges.duties_included,
            "totalTipReceivedSet": self._bag(order.surcharges.tip),
            **self._fees("Duties", order.surcharges.duties, sum((refund.duties for refund in order.refunds), ZERO)),
            **self._fees("AdditionalFees", order.surcharges.additional_fees, ZERO),
            "totalPriceSet": self._bag(order.total),
            "currentTotalPriceSet": self._bag(order.total - (refunded - goodwill)),
            "totalRefundedSet": self._bag(refunded),
            "shippingLines": [self._shipping()] if shipping else [],
            "lineItems": list(lines.values()),
            "transactions": self._transactions(),
            "refunds": [self._refund(refund, lines) for refund in order.refunds],
            "fulfillments": [self._parcel(number, parcel) for number, parcel in enumerate(order.fulfilments, 1)],
        }

    def _fees(self, kind: str, amount: Decimal, given_back: Decimal) -> Json:
        """The order's sum of duties or additional fees, when it was placed and now; null where there are none."""
        return {
            f"originalTotal{kind}Set": self._bag(amount) if amount else None,
            f"currentTotal{kind}Set": self._bag(amount - given_back) if amount else None,
        }

    def _taxes(self, taxes: tuple[Tax, ...]) -> list[Json]:
        return [{"title": tax.title, "rate": float(tax.rate), "priceSet": self._bag(tax.amount)} for tax in taxes]

    def _shipping(self) -> Json:
        shipping = self._order.shipping
        assert shipping is not None
        return {
            "__typename": "ShippingLine",
            "id": gid("ShippingLine", shipping.shipping_id),
            "title": shipping.title,
            "code": shipping.code,
            "originalPriceSet": self._bag(shipping.price),
            "discountedPriceSet": self._bag(shipping.paid),
            "taxLines": self._taxes(shipping.taxes),
        }

    def _line(self, line: OrderLine) -> Json:
        return {
            "__typename": "LineItem",
            "id": gid("LineItem", line.line_id),
            "sku": line.item_id,
            "title": line.title,
            "name": line.title,
            "vendor": line.vendor,
            "quantity": line.quantity,
            "currentQuantity": line.quantity - self._back[line.line_id],
            "requiresShipping": True,
            "taxable": line.taxable,
            "product": reference("Product", line.product_id),
            "variant": reference("ProductVariant", line.variant_id),
            "originalUnitPriceSet": self._bag(line.unit_price),
            "discountedTotalSet": self._bag(line.paid),
            "discountAllocations": [{"allocatedAmountSet": self._bag(amount)} for amount in line.discounts],
            "taxLines": self._taxes(line.taxes),
        }

    def _transactions(self) -> list[Json]:
        nodes: dict[int, Json] = {}
        for transaction in self._order.transactions:
            parent = None if transaction.parent_id is None else nodes[transaction.parent_id]
            nodes[transaction.transaction_id] = self._transaction(transaction, parent)
        return list(nodes.values())

    def _transaction(self, transaction: Transaction, parent: Json | None) -> Json:
        at = iso(transaction.at)
        fees: list[Json] = []
        if transaction.fee is not None and transaction.fee_rate is not None:
            fees.append(
                {
                    "id": gid("TransactionFee", transaction.transaction_id),
                    "type": "processing_fee",
                    "rate": f"{transaction.fee_rate}",
                    "rateName": "credit_card",
                    "amount": money(transaction.fee),
                    "flatFee": money(Decimal("0.25")),
                    "taxAmount": money(ZERO),
                }
            )
        return {
            "__typename": "OrderTransaction",
            "id": gid("OrderTransaction", transaction.transaction_id),
            "kind": transaction.kind,
            "status": transaction.status,
            "gateway": transaction.gateway,
            "test": transaction.test,
            "createdAt": at,
            "processedAt": None if transaction.status == "PENDING" else at,
            "amountSet": self._bag(transaction.amount),
            "parentTransaction": parent,
            "fees": fees,
        }

    def _refund(self, refund: Refund, lines: dict[int, Json]) -> Json:
        at = iso(refund.at)
        shipping: list[Json] = []
        if refund.shipping_line_id is not None:
            shipping.append(
                {
                    "id": gid("RefundShippingLine", refund.shipping_line_id),
                    "subtotalAmountSet": self._bag(refund.shipping),
                    "taxAmountSet": self._bag(refund.shipping_tax),
                }
            )
        # Calculated refund less what was given back: negative when the customer got more.
        beyond = (("REFUND_DISCREPANCY", refund.goodwill), ("FULL_RETURN_BALANCING_ADJUSTMENT", refund.extras))
        adjustments: list[Json] = [
            {
                "id": gid("OrderAdjustment", refund.refund_id + 1),
                "reason": reason,
                "amountSet": self._bag(-amount),
                "taxAmountSet": self._bag(ZERO),
            }
            for reason, amount in beyond
            if amount
        ]
        return {
            "__typename": "Refund",
            "id": gid("Refund", refund.refund_id),
            "legacyResourceId": str(refund.refund_id),
            "createdAt": at,
            "processedAt": at,
            "updatedAt": at,
            "note": refund.note,
            "totalRefundedSet": self._bag(refund.amount),
            "refundLineItems": [
                {
                    "id": gid("RefundLineItem", piece.refund_line_id),
                    "quantity": piece.quantity,
                    "restockType": piece.restock_type,
                    "restocked": piece.restock_type in ("RETURN", "CANCEL"),
                    "lineItem": lines[piece.line_id],
                    "location": reference("Location", LOCATION_ID) if piece.restock_type != "NO_RESTOCK" else None,
                    "subtotalSet": self._bag(piece.subtotal),
                    "totalTaxSet": self._bag(piece.tax),
                }
                for piece in refund.lines
            ],
            "duties": [{"amountSet": self._bag(refund.duties)}] if refund.duties else [],
            "refundShippingLines": shipping,
            "orderAdjustments": adjustments,
        }

    def _parcel(self, number: int, parcel: Fulfilment) -> Json:
        display = "FULFILLED" if parcel.carrier is None else "LABEL_PRINTED"
        if parcel.in_transit_at is not None:
            display = "IN_TRANSIT"
        if parcel.delivered_at is not None:
            display = "DELIVERED"
        tracking: list[Json] = []
        if parcel.carrier is not None:
            url = _TRACKING[parcel.carrier].format(number=parcel.tracking_number)
            tracking.append({"company": parcel.carrier, "number": parcel.tracking_number, "url": url})
        return {
            "__typename": "Fulfillment",
            "id": gid("Fulfillment", parcel.fulfilment_id),
            "legacyResourceId": str(parcel.fulfilment_id),
            "name": f"{self._order.name}-F{number}",
            "status": "SUCCESS",
            "displayStatus": display,
            "createdAt": iso(parcel.at),
            "updatedAt": iso(_parcel_updated(parcel)),
            "inTransitAt": iso(parcel.in_transit_at),
            "deliveredAt": iso(parcel.delivered_at),
            "estimatedDeliveryAt": iso(parcel.estimated_at),
            "totalQuantity": parcel.quantity,
            "location": reference("Location", LOCATION_ID),
            "trackingInfo": tracking,
        }
