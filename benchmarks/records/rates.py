"""The ECB's daily reference rates.

What belongs here: their records. What does not: other sources'.
"""

from __future__ import annotations

import random
from collections.abc import Iterator

import msgspec

from benchmarks.records.plan import Plan, day_of
from benchmarks.records.values import CURRENCIES


def rates(plan: Plan) -> Iterator[bytes]:
    """The ECB's rates of every working day, from a week before the first day on."""
    for day in range(-7, plan.days):
        if (record := rate_of(plan, day)) is not None:
            yield record


def rate_of(plan: Plan, day: int) -> bytes | None:
    """The rates of one day; none at weekends."""
    when = day_of(plan, day)
    if when.weekday() >= 5:
        return None
    dice = random.Random(f"rate {when}")
    quoted = {code: f"{rate * dice.uniform(0.95, 1.05):.4f}" for code, rate in CURRENCIES.items() if code != "EUR"}
    return msgspec.json.encode({"date": when.isoformat(), "base": "EUR", "rates": quoted})
