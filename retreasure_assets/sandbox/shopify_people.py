"""Customers and the payments account as Shopify's Admin interface shows them.

What belongs here: Customer, payouts and balance transactions. What does not: orders and products.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from retreasure_assets.sandbox.shopify_format import SHOP_CURRENCY, Json, gid, iso, money, reference
from retreasure_assets.sandbox.shopify_orders import address_node, paid_at
from retreasure_assets.sandbox.world_fx import rounded
from retreasure_assets.sandbox.world_order_types import BalanceTransaction, Order, Payout
from retreasure_assets.sandbox.world_types import Person

ZERO = Decimal(0)

_SOURCES = {"CHARGE": "CHARGE", "REFUND": "REFUND", "ADJUSTMENT": "ADJUSTMENT", "TRANSFER": "TRANSFER"}


def customer_updated_at(person: Person, orders: Sequence[Order]) -> datetime:
    """When the account was opened, or the last of its orders was placed, paid or refunded."""
    assert person.shopify_since is not None
    times = [person.shopify_since]
    for order in orders:
        times.append(order.at)
        times += [transaction.at for transaction in order.transactions if transaction.status == "SUCCESS"]
    return max(times)


def customer_node(person: Person, orders: Sequence[Order]) -> Json:
    """Customer; ``orders`` are those placed with the account."""
    assert person.shopify_id is not None
    number = person.shopify_id
    spent = ZERO
    for order in orders:
        if paid_at(order) is not None:
            back = sum((refund.amount for refund in order.refunds), ZERO)
            spent += rounded((order.total - back) * order.rate, SHOP_CURRENCY)
    since = iso(person.shopify_since)
    state = "SUBSCRIBED" if person.consents else "NOT_SUBSCRIBED"
    phone: Json | None = None
    if person.phone is not None:
        phone = {"phoneNumber": person.phone, "marketingState": "NOT_SUBSCRIBED", "marketingUpdatedAt": None}
    return {
        "__typename": "Customer",
        "id": gid("Customer", number),
        "legacyResourceId": str(number),
        "createdAt": since,
        "updatedAt": iso(customer_updated_at(person, orders)),
        "firstName": person.address.first_name,
        "lastName": person.address.last_name,
        "displayName": person.address.name,
        "locale": person.locale,
        "state": "ENABLED" if len(orders) > 1 else "DISABLED",
        "numberOfOrders": str(len(orders)),
        "tags": ["newsletter"] if person.consents else [],
        "note": person.note,
        "amountSpent": money(spent),
        "defaultEmailAddress": {
            "emailAddress": person.email,
            "marketingState": state,
            "marketingUpdatedAt": since if person.consents else None,
        },
        "defaultPhoneNumber": phone,
        "defaultAddress": address_node(person.address, number),
    }


def _payout_status(payout: Payout, clock: datetime) -> str:
    return "PAID" if payout.paid_at < clock else "SCHEDULED"


def payout_node(payout: Payout, clock: datetime) -> Json:
    """ShopifyPaymentsPayout."""
    return {
        "__typename": "ShopifyPaymentsPayout",
        "id": gid("ShopifyPaymentsPayout", payout.payout_id),
        "legacyResourceId": str(payout.payout_id),
        "issuedAt": iso(payout.at),
        "status": _payout_status(payout, clock),
        "transactionType": "DEPOSIT",
        "gross": money(payout.gross),
        "net": money(payout.net),
        "summary": {
            "chargesGross": money(payout.charges),
            "chargesFee": money(payout.charges_fee),
            "refundsFeeGross": money(payout.refunds),
            "refundsFee": money(payout.refunds_fee),
            "adjustmentsGross": money(payout.adjustments),
            "adjustmentsFee": money(payout.adjustments_fee),
        },
    }


def balance_node(movement: BalanceTransaction, payout: Payout | None, clock: datetime) -> Json:
    """ShopifyPaymentsBalanceTransaction; while no payout holds it, its payout has no id and is pending."""
    order: Json | None = None
    if movement.order_id is not None:
        order = {**reference("Order", movement.order_id), "name": movement.order_name}
    return {
        "__typename": "ShopifyPaymentsBalanceTransaction",
        "id": gid("ShopifyPaymentsBalanceTransaction", movement.balance_id),
        "type": movement.type,
        "test": False,
        "transactionDate": iso(movement.at),
        "sourceId": str(movement.source_id),
        "sourceType": _SOURCES[movement.type],
        "sourceOrderTransactionId": None if movement.transaction_id is None else str(movement.transaction_id),
        "adjustmentReason": movement.reason,
        "amount": money(movement.amount),
        "fee": money(movement.fee),
        "net": money(movement.net),
        "associatedOrder": order,
        "associatedPayout": {
            "id": None if payout is None else gid("ShopifyPaymentsPayout", payout.payout_id),
            "status": "PENDING" if payout is None else _payout_status(payout, clock),
        },
    }
