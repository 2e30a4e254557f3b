"""Rows of a small world, shared by the tests of gold: round figures that can be checked by hand.

What belongs here: builders of silver rows with sensible defaults. What does not: expectations.
"""

from __future__ import annotations

from .silver import Row


def order(order_id: str, day: str, **changes: object) -> Row:
    """A paid Shopify order of one piece for 100.00 EUR, shipping 5.00, tax 23.00."""
    return {
        "channel": "shopify",
        "order_id": order_id,
        "order_name": f"#{order_id}",
        "person_id": f"person-{order_id}",
        "ordered_at": f"{day}T10:00:00Z",
        "business_date": day,
        "status": "open",
        "payment_status": "paid",
        "fulfilment_status": "unfulfilled",
        "is_test": False,
        "is_paid": True,
        "currency": "EUR",
        "gross_amount": "100.00",
        "discount_amount": "0",
        "shipping_amount": "5.00",
        "tax_amount": "23.00",
        "surcharge_amount": "0",
        "total_amount": "128.00",
        "channel_fx_rate": "1",
        "settlement_currency": "EUR",
        "ship_country": "IE",
        "record_id": f"record-{order_id}",
        **changes,
    }


def line(order_id: str, line_id: str, item_id: str, day: str, **changes: object) -> Row:
    """A line of one piece for 100.00 EUR, tax 23.00."""
    return {
        "channel": "shopify",
        "order_id": order_id,
        "line_id": line_id,
        "item_id": item_id,
        "product_id": f"product-{item_id}",
        "title": f"Piece {item_id}",
        "quantity": 1,
        "currency": "EUR",
        "price_amount": "100.00",
        "discount_amount": "0",
        "tax_amount": "23.00",
        "line_total_amount": "123.00",
        "ordered_at": f"{day}T10:00:00Z",
        "business_date": day,
        **changes,
    }


def payment(payment_id: str, order_id: str, day: str, amount: str, **changes: object) -> Row:
    """A payment of an order."""
    row: Row = {
        "channel": "shopify",
        "payment_id": payment_id,
        "order_id": order_id,
        "paid_at": f"{day}T12:00:00Z",
        "kind": "sale",
        "status": "success",
        "gateway": "card",
        "currency": "EUR",
        "payment_amount": amount,
        "is_test": False,
    }
    return row | changes


def refund(refund_id: str, order_id: str | None, day: str, **changes: object) -> Row:
    """A refund of 123.00 EUR, 23.00 of it tax."""
    return {
        "channel": "shopify",
        "refund_id": refund_id,
        "order_id": order_id,
        "refunded_at": f"{day}T12:00:00Z",
        "business_date": day,
        "currency": "EUR",
        "refund_amount": "123.00",
        "refund_tax_amount": "23.00",
        "refund_shipping_amount": "0",
        "refund_surcharge_amount": "0",
        "is_restocked": True,
        **changes,
    }


def refund_line(refund_id: str, order_id: str | None, line_id: str, item_id: str, **changes: object) -> Row:
    """The one piece of a refund, back in stock."""
    return {
        "channel": "shopify",
        "refund_id": refund_id,
        "refund_line_id": f"{refund_id}-{line_id}",
        "order_id": order_id,
        "line_id": line_id,
        "item_id": item_id,
        "quantity": 1,
        "refund_amount": "100.00",
        "tax_amount": "23.00",
        "is_restocked": True,
        **changes,
    }


def fee(fee_id: str, order_id: str | None, day: str, amount: str, **changes: object) -> Row:
    """A processing fee in EUR."""
    return {
        "channel": "shopify",
        "fee_id": fee_id,
        "source_entry_id": None,
        "order_id": order_id,
        "payout_id": None,
        "fee_type": "processing_fee",
        "charged_at": f"{day}T11:00:00Z",
        "business_date": day,
        "currency": "EUR",
        "fee_amount": amount,
        **changes,
    }


def item(item_id: str, acquired: str | None, **changes: object) -> Row:
    """A chair."""
    return {
        "item_id": item_id,
        "title": f"Piece {item_id}",
        "category": "furniture",
        "acquired_date": acquired,
        "first_seen_at": "2026-01-01T09:00:00Z",
        "updated_at": "2026-01-01T09:00:00Z",
        **changes,
    }


def cost(item_id: str, amount: str, day: str, **changes: object) -> Row:
    """What a piece was bought for, in EUR."""
    return {
        "item_id": item_id,
        "seq": 1,
        "kind": "purchase",
        "cost_date": day,
        "currency": "EUR",
        "cost_amount": amount,
        **changes,
    }


def rate(day: str, fx_rate: str, source_day: str | None = None, currency: str = "USD") -> Row:
    """EUR per unit of a currency on a day."""
    return {"rate_date": day, "currency": currency, "fx_rate": fx_rate, "source_rate_date": source_day or day}


def payout(payout_id: str, day: str, gross: str, net: str, **changes: object) -> Row:
    """A payout in EUR."""
    return {
        "channel": "shopify",
        "payout_id": payout_id,
        "issued_at": f"{day}T06:00:00Z",
        "business_date": day,
        "status": "paid",
        "currency": "EUR",
        "gross_amount": gross,
        "net_amount": net,
        **changes,
    }


def payout_line(
    payout_id: str | None, transaction_id: str, amount: str, fee_amount: str, net: str, **changes: object
) -> Row:
    """A charge in the ledger."""
    return {
        "channel": "shopify",
        "payout_id": payout_id,
        "transaction_id": transaction_id,
        "transaction_type": "charge",
        "order_id": None,
        "transacted_at": "2026-03-02T10:00:00Z",
        "is_test": False,
        "currency": "EUR",
        "amount": amount,
        "fee_amount": fee_amount,
        "net_amount": net,
        **changes,
    }
