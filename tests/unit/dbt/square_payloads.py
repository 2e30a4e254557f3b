"""Square's records as bronze holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bronze_bench import Record

Json = dict[str, Any]


def euros(amount: int, currency: str = "EUR") -> Json:
    """A Money object; ``amount`` in the smallest unit."""
    return {"amount": amount, "currency": currency}


def sold(
    uid: str,
    total: int,
    *,
    quantity: str = "1",
    discount: int = 0,
    tax: int = 0,
    variation: str | None = "V1",
    currency: str = "EUR",
    **more: Any,
) -> Json:
    """A line item."""
    return {
        "uid": uid,
        "name": "Walnut sideboard",
        "quantity": quantity,
        "catalog_object_id": variation,
        "item_type": "ITEM" if variation else "CUSTOM_AMOUNT",
        "total_money": euros(total, currency),
        "total_discount_money": euros(discount, currency),
        "total_tax_money": euros(tax, currency),
        **more,
    }


def square_order(
    order_id: str,
    *lines: Json,
    total: int,
    tip: int = 0,
    rounding: int = 0,
    charges: Sequence[Json] = (),
    returns: Sequence[Json] = (),
    refunds: Sequence[Json] = (),
    state: str = "COMPLETED",
    created: str = "2026-09-01T10:00:00.000Z",
    updated: str = "2026-09-01T10:00:03.000Z",
    currency: str = "EUR",
    tendered: int | None = None,
    person: str | None = None,
    **more: Any,
) -> Record:
    """An order as a bronze record of square_orders."""
    order: Json = {
        "id": order_id,
        "location_id": "LSHOP",
        "created_at": created,
        "updated_at": updated,
        "closed_at": created,
        "state": state,
        "line_items": list(lines),
        "service_charges": list(charges),
        "returns": list(returns),
        "refunds": list(refunds),
        "total_money": euros(total, currency),
        "total_tip_money": euros(tip, currency),
        "tenders": [{"type": "CARD", "amount_money": euros(total if tendered is None else tendered, currency)}],
        **more,
    }
    if rounding:
        order["rounding_adjustment"] = {"amount_money": euros(rounding, currency)}
    return Record("square_orders", order, person)


def taken_back(uid: str, of: str, total: int, *, tax: int = 0, variation: str | None = "V1") -> Json:
    """A return line item."""
    line = sold(uid, total, tax=tax, variation=variation)
    return {**line, "source_line_item_uid": of}


def payment(
    payment_id: str,
    order_id: str,
    total: int,
    *,
    fees: Sequence[tuple[str, str, int]] = (),
    status: str = "COMPLETED",
    created: str = "2026-09-01T10:00:01.000Z",
    updated: str = "2026-09-01T12:00:00.000Z",
    **more: Any,
) -> Record:
    """A payment; ``fees`` are (type, effective_at, amount)."""
    return Record(
        "square_payments",
        {
            "id": payment_id,
            "order_id": order_id,
            "location_id": "LSHOP",
            "created_at": created,
            "updated_at": updated,
            "status": status,
            "source_type": "CARD",
            "total_money": euros(total),
            "processing_fee": [
                {"type": kind, "effective_at": at, "amount_money": euros(amount)} for kind, at, amount in fees
            ],
            **more,
        },
    )


def payment_refund(
    refund_id: str, payment_id: str, amount: int, *, fee: int | None = None, status: str = "COMPLETED"
) -> Record:
    """A payment refund."""
    at = "2026-09-10T10:00:00.000Z"
    fees = [] if fee is None else [{"type": "INITIAL", "effective_at": at, "amount_money": euros(fee)}]
    return Record(
        "square_refunds",
        {
            "id": refund_id,
            "payment_id": payment_id,
            "order_id": f"order of {refund_id}",
            "created_at": at,
            "updated_at": at,
            "status": status,
            "destination_type": "CARD",
            "amount_money": euros(amount),
            "processing_fee": fees,
        },
    )


def catalog_item(
    object_id: str,
    variation: str,
    sku: str | None,
    *,
    updated: str = "2026-08-01T10:00:00.000Z",
    price: int = 10_000,
    title: str = "Walnut sideboard",
    category: str | None = None,
    attributes: Json | None = None,
    **more: Any,
) -> Record:
    """An item with one variation."""
    return Record(
        "square_catalog_objects",
        {
            "type": "ITEM",
            "id": object_id,
            "updated_at": updated,
            "is_deleted": False,
            "custom_attribute_values": attributes or {},
            "item_data": {
                "name": title,
                "is_archived": False,
                "categories": [{"id": category}] if category else [],
                "variations": [
                    {
                        "type": "ITEM_VARIATION",
                        "id": variation,
                        "item_variation_data": {"item_id": object_id, "sku": sku, "price_money": euros(price)},
                    }
                ],
                **more,
            },
        },
    )


def category(object_id: str, name: str) -> Record:
    """A category."""
    return Record(
        "square_catalog_objects",
        {
            "type": "CATEGORY",
            "id": object_id,
            "updated_at": "2026-08-01T10:00:00.000Z",
            "category_data": {"name": name},
        },
    )


def count(variation: str, quantity: str, *, state: str = "IN_STOCK", at: str = "2026-09-01T10:00:00.000Z") -> Record:
    """An inventory count."""
    return Record(
        "square_inventory_counts",
        {
            "catalog_object_id": variation,
            "catalog_object_type": "ITEM_VARIATION",
            "state": state,
            "location_id": "LSHOP",
            "quantity": quantity,
            "calculated_at": at,
        },
    )


def payout(payout_id: str, amount: int, *, status: str = "PAID", updated: str = "2026-09-03T05:00:00.000Z") -> Record:
    """A payout."""
    return Record(
        "square_payouts",
        {
            "id": payout_id,
            "location_id": "LSHOP",
            "status": status,
            "created_at": "2026-09-02T05:00:00.000Z",
            "updated_at": updated,
            "amount_money": euros(amount),
            "type": "BATCH",
            "arrival_date": "2026-09-03",
        },
    )


def entry(
    entry_id: str,
    payout_id: str,
    kind: str,
    gross: int,
    fee: int = 0,
    payment_id: str | None = None,
    refund_id: str | None = None,
) -> Record:
    """A payout entry."""
    record: Json = {
        "id": entry_id,
        "payout_id": payout_id,
        "effective_at": "2026-09-01T12:00:00.000Z",
        "type": kind,
        "gross_amount_money": euros(gross),
        "fee_amount_money": euros(fee),
        "net_amount_money": euros(gross - fee),
    }
    if payment_id is not None:
        details = {"payment_id": payment_id} | ({"refund_id": refund_id} if refund_id is not None else {})
        record[f"type_{kind.lower()}_details"] = details
    return Record("square_payout_entries", record)


def customer(customer_id: str, person: str, **more: Any) -> Record:
    """A customer of the register."""
    record: Json = {
        "id": customer_id,
        "created_at": "2026-08-01T10:00:00.000Z",
        "updated_at": "2026-08-02T10:00:00.000Z",
        "creation_source": "LOYALTY",
    }
    return Record("square_customers", record | more, person)
