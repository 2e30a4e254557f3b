"""How Square writes single values: money, times, versions.

What belongs here: values that every record has. What does not: records (``square_orders``, ``square_money``,
``square_catalogue``).

Money is whole numbers of the currency's smallest unit; times are UTC with milliseconds; absent fields are left out,
as Square leaves them out.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

Json = dict[str, Any]

ZERO = Decimal(0)


def money(amount: Decimal) -> Json:
    """A Money object in EUR."""
    return {"amount": int(amount * 100), "currency": "EUR"}


def stamp(at: datetime) -> str:
    """A time as Square writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def version(at: datetime) -> int:
    """The version of a catalogue object: milliseconds of its last change."""
    return int(at.timestamp() * 1000)
