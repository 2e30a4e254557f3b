"""How Shopify writes things in JSON: ids, times, money.

What belongs here: single values. What does not: whole objects (``shopify_orders``, ``shopify_catalogue``, ...).
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from retreasure_assets.sandbox.world_fx import decimals, rounded

#: A JSON object.
Json = dict[str, Any]

SHOP_CURRENCY = "EUR"


def gid(kind: str, number: int) -> str:
    """A global id: ``gid://shopify/Order/5550001``."""
    return f"gid://shopify/{kind}/{number}"


def reference(kind: str, number: int) -> Json:
    """An object of which no more than its id is at hand; the rest is looked up when it is asked for."""
    return {"__typename": kind, "id": gid(kind, number)}


def iso(at: datetime | None) -> str | None:
    """A moment in UTC to the second, as ``2026-01-05T08:28:46Z``."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def plain(amount: Decimal, currency: str) -> str:
    """The scalar Decimal: at least one decimal and no trailing zeros beyond it (``30.0``, ``30.25``); yen whole."""
    if decimals(currency) == 0:
        return f"{amount:.0f}"
    text = f"{amount:.2f}"
    return text[:-1] if text.endswith("0") else text


def money(amount: Decimal, currency: str = SHOP_CURRENCY) -> Json:
    """MoneyV2."""
    return {"amount": plain(amount, currency), "currencyCode": currency}


def bag(amount: Decimal, currency: str, rate: Decimal) -> Json:
    """MoneyBag: ``amount`` in the buyer's currency, and in the shop's at ``rate`` (shop currency per unit)."""
    return {"presentmentMoney": money(amount, currency), "shopMoney": money(rounded(amount * rate, SHOP_CURRENCY))}
