"""Etsy's payloads as bronze holds them: what silver reads of receipts, ledger entries, payments and listings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from bronze_bench import Record

Json = dict[str, Any]

DIVISORS = {"JPY": 1}


def epoch(at: str) -> int:
    """Seconds since 1970 of an ISO time."""
    return int(datetime.fromisoformat(at).timestamp())


def money(amount: str, currency: str = "EUR") -> Json:
    """Etsy's Money."""
    divisor = DIVISORS.get(currency, 100)
    return {"amount": int(Decimal(amount) * divisor), "divisor": divisor, "currency_code": currency}


def sold(number: int, price: str, *, quantity: int = 1, sku: str | None = None, currency: str = "EUR") -> Json:
    """A transaction."""
    return {
        "transaction_id": number,
        "listing_id": 10_000 + number,
        "sku": f"RT-{number:06d}" if sku is None else sku,
        "title": "Walnut sideboard",
        "quantity": quantity,
        "price": money(price, currency),
        "expected_ship_date": epoch("2026-09-04T09:00:00Z"),
    }


def receipt(
    number: int,
    lines: Sequence[Json],
    total: str,
    *,
    goods: str,
    discount: str = "0",
    shipping: str = "0",
    tax: str = "0",
    vat: str = "0",
    wrap: str = "0",
    currency: str = "EUR",
    status: str = "Paid",
    paid: bool = True,
    shipped: bool = False,
    created: str = "2026-09-01T09:00:00Z",
    updated: str | None = None,
    refunds: Sequence[tuple[str, str]] = (),
    shipments: Sequence[Json] = (),
    person: str | None = "p_1",
) -> Record:
    """A receipt; ``refunds`` are (time, amount)."""
    node: Json = {
        "receipt_id": number,
        "status": status,
        "is_paid": paid,
        "is_shipped": shipped,
        "created_timestamp": epoch(created),
        "updated_timestamp": epoch(updated or created),
        "country_iso": "IE",
        "zip": "D02",
        "grandtotal": money(total, currency),
        "total_price": money(goods, currency),
        "discount_amt": money(discount, currency),
        "total_shipping_cost": money(shipping, currency),
        "gift_wrap_price": money(wrap, currency),
        "total_tax_cost": money(tax, currency),
        "total_vat_cost": money(vat, currency),
        "transactions": list(lines),
        "shipments": list(shipments),
        "refunds": [{"created_timestamp": epoch(at), "amount": money(amount, currency)} for at, amount in refunds],
    }
    return Record("etsy_receipts", node, person)


def entry(
    number: int,
    kind: str,
    cents: int,
    *,
    at: str = "2026-09-01T09:00:02Z",
    balance: int = 0,
    refers: tuple[str, int] = ("etsy", 0),
    parent: int = 0,
    currency: str = "EUR",
    adjustments: Sequence[Mapping[str, Any]] = (),
) -> Record:
    """A ledger entry; its number is its place too. ``refers`` is (type, id)."""
    node: Json = {
        "entry_id": number,
        "ledger_id": 1,
        "sequence_number": number,
        "amount": cents,
        "currency": currency,
        "balance": balance,
        "created_timestamp": epoch(at),
        "ledger_type": kind,
        "reference_type": refers[0],
        "reference_id": refers[1],
        "parent_entry_id": parent,
        "payment_adjustments": list(adjustments),
    }
    return Record("etsy_ledger_entries", node)


def adjustment(
    number: int,
    of: int,
    units: int,
    at: str,
    *,
    success: bool | None = True,
    items: Sequence[tuple[int | None, int]] = (),
) -> Json:
    """What was given back of payment ``of``, in whole units; ``items`` are (transaction, units)."""
    return {
        "payment_adjustment_id": number,
        "payment_id": of,
        "created_timestamp": epoch(at),
        "status": "SUCCESS",
        "is_success": success,
        "total_adjustment_amount": units,
        "payment_adjustment_items": [
            {"payment_adjustment_id": number, "transaction_id": line, "amount": part} for line, part in items
        ],
    }


def payment(
    number: int,
    of: int,
    gross: str,
    *,
    currency: str = "EUR",
    at: str = "2026-09-01T09:00:01Z",
    updated: str | None = None,
    adjustments: Sequence[Json] = (),
) -> Record:
    """A payment of receipt ``of``."""
    node: Json = {
        "payment_id": number,
        "receipt_id": of,
        "status": "settled",
        "created_timestamp": epoch(at),
        "updated_timestamp": epoch(updated or at),
        "amount_gross": money(gross, currency),
        "payment_adjustments": list(adjustments),
    }
    return Record("etsy_payments", node)


def product(number: int, sku: str, *offerings: tuple[int, str], deleted: bool = False) -> Json:
    """A variation of a listing; ``offerings`` are (quantity, price)."""
    return {
        "product_id": number,
        "sku": sku,
        "is_deleted": deleted,
        "offerings": [{"quantity": quantity, "price": money(price)} for quantity, price in offerings],
    }


def listing(
    number: int,
    at: str,
    *,
    state: str = "active",
    price: str = "50.00",
    sku: str = "RT-1",
    products: Sequence[Json] | None = None,
) -> Record:
    """A version of a listing."""
    node: Json = {
        "listing_id": number,
        "title": "Walnut sideboard",
        "state": state,
        "original_creation_timestamp": epoch("2026-08-01T09:00:00Z"),
        "updated_timestamp": epoch(at),
        "quantity": 0 if state == "sold_out" else 1,
        "price": money(price),
        "inventory": {"products": [product(number, sku)] if products is None else list(products)},
    }
    return Record("etsy_listings", node)
