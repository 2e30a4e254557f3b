"""Shopify's search syntax, as far as an incremental reader needs it.

What belongs here: reading a ``query`` argument and deciding whether an object matches. What does not: fetching
objects.

A query is terms joined by AND or blanks: ``updated_at:>='2026-01-05T00:00:00Z' AND id:<500``. As on the real
platform, an unknown field or bad syntax is not an error: the term is ignored, every object matches it, and the answer
carries a warning in ``extensions.search``. A date with a time must stand in quotation marks, or its colons are taken
for further fields. What the real platform can do and the sandbox cannot (OR, NOT, parentheses, ranges, other known
fields) is refused with an error rather than answered wrongly.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from retreasure_assets.sandbox.shopify_format import Json

_SHOP_ZONE = ZoneInfo("Europe/Dublin")

_TOKEN = re.compile(
    r"""\s*(?:(?P<word>[A-Za-z_][\w.]*):(?P<op>>=|<=|>|<)?(?P<value>'[^']*'|"[^"]*"|\S*)|(?P<bare>\S+))"""
)
_DATE = re.compile(r"^\d{4}(-\d{2}(-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?)?)?$")

_COMPARE: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge,
    "<=": operator.le,
    ">": operator.gt,
    "<": operator.lt,
    "": operator.eq,
}

#: What the real platform filters by and the sandbox does not.
_KNOWN_ELSEWHERE = frozenset(
    [
        "cart_token",
        "channel",
        "channel_id",
        "chargeback_status",
        "checkout_token",
        "confirmation_number",
        "credit_card_last4",
        "current_total_price",
        "customer_id",
        "delivery_method",
        "discount_code",
        "email",
        "financial_status",
        "fraud_protection_level",
        "fulfillment_location_id",
        "fulfillment_status",
        "gateway",
        "location_id",
        "name",
        "payment_id",
        "payment_provider_id",
        "po_number",
        "reference_location_id",
        "return_status",
        "risk_level",
        "sales_channel",
        "sku",
        "source_identifier",
        "source_name",
        "status",
        "subtotal_line_items_quantity",
        "tag",
        "tag_not",
        "test",
        "total_weight",
        "barcode",
        "bundles",
        "category_id",
        "collection_id",
        "gift_card",
        "handle",
        "inventory_total",
        "is_price_reduced",
        "price",
        "product_type",
        "published_status",
        "publishable_status",
        "title",
        "vendor",
        "variant_id",
        "accepts_marketing",
        "country",
        "first_name",
        "last_name",
        "last_abandoned_order_date",
        "order_date",
        "orders_count",
        "phone",
        "state",
        "total_spent",
        "amount",
        "bank_account",
        "currency",
        "ledger_type",
        "transaction_dates",
        "available_on",
        "payment_method_name",
        "payments_transfer_id",
        "payout_date",
        "payout_status",
        "tax_reporting_exempt",
        "transaction_type",
        "inventory_group_id",
        "inventory_item_id",
    ]
)


class UnsupportedSearchError(Exception):
    """The real platform would answer this search; the sandbox cannot."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search as understood.

    Args:
        terms: (field, comparison, value) that must all hold.
        warnings: what was not understood, as ``extensions.search[].warnings``.
        parsed: how it was understood, as ``extensions.search[].parsed``.
    """

    terms: tuple[tuple[str, str, datetime | int], ...] = ()
    warnings: tuple[Json, ...] = ()
    parsed: tuple[Json, ...] = field(default=())

    def matches(self, values: Mapping[str, datetime | int]) -> bool:
        """Whether an object with these ``values`` meets every term."""
        return all(_COMPARE[op](values[name], wanted) for name, op, wanted in self.terms)

    def extension(self, path: list[str | int], query: str) -> Json:
        """The entry of ``extensions.search`` for a search with warnings."""
        parsed = self.parsed[0] if len(self.parsed) == 1 else {"and": list(self.parsed)}
        return {"path": path, "query": query, "parsed": parsed, "warnings": list(self.warnings)}


def parse_search(query: str | None, fields: Mapping[str, str]) -> Search:
    """Read ``query``.

    Args:
        query: the argument; None or blank matches everything.
        fields: name -> ``time`` or ``id``: what objects can be searched by.

    Raises:
        UnsupportedSearchError: the sandbox cannot do what the query asks for.
    """
    terms: list[tuple[str, str, datetime | int]] = []
    warnings: list[Json] = []
    parsed: list[Json] = []
    for match in _TOKEN.finditer(query or ""):
        bare = match["bare"]
        if bare is not None:
            if bare == "AND":
                continue
            raise UnsupportedSearchError("The sandbox searches by terms joined with AND only.")
        name, op, value = match["word"].lower(), match["op"] or "", match["value"]
        quoted = value[:1] in "'\"" and len(value) > 1
        text = value.strip("'\"")
        parsed.append({"field": name, "match_all": text} if not op else {"field": name, "range": {op: text}})
        if name not in fields:
            if name in _KNOWN_ELSEWHERE:
                raise UnsupportedSearchError(f"The sandbox cannot filter by {name}.")
            warnings.append(_warning(name, "Invalid search field for this query.", "invalid_field"))
        elif ":" in text and not quoted:
            # Each colon of a bare time begins a field of its own: 08:45:12 reads as the field 45.
            wrong = text.split(":")[1][:2]
            warnings.append(_warning(wrong, "Invalid search field for this query.", "invalid_field"))
        else:
            wanted = _moment(text) if fields[name] == "time" else _number(text)
            if wanted is None:
                warnings.append(_warning(name, f"Invalid value for the field {name}.", "invalid_value"))
            else:
                terms.append((name, op, wanted))
    return Search(tuple(terms), tuple(warnings), tuple(parsed))


def _warning(name: str, message: str, code: str) -> Json:
    return {"field": name, "message": message, "code": code}


def _number(text: str) -> int | None:
    tail = text.rsplit("/", 1)[-1]
    return int(tail) if tail.isascii() and tail.isdigit() else None


def _moment(text: str) -> datetime | None:
    """A date, or date and time; without an offset it is the shop's own."""
    if not _DATE.match(text):
        return None
    padded = text + "2026-01-01"[len(text) :] if len(text) < 10 else text
    try:
        moment = datetime.fromisoformat(padded)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=_SHOP_ZONE).astimezone(UTC)
