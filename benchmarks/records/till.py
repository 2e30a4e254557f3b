"""The shop's till: its lines, and the catalogue of what is sold.

What belongs here: their records. What does not: other sources'.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec

from benchmarks.records.plan import Plan, day_of
from benchmarks.records.values import ITEMS, THINGS, WORDS, amount_text, time_text


def till_lines_of(plan: Plan, day: int) -> Iterator[bytes]:
    """The till lines of one day: receipts of one to three lines, one in forty a return."""
    when = day_of(plan, day)
    dice = random.Random(f"{plan.seed} till {when}")
    encode = msgspec.json.Encoder().encode
    left, receipt = plan.till_lines, 0
    while left:
        lines = min(left, dice.randrange(1, 4))
        moment = datetime(when.year, when.month, when.day, 9, tzinfo=UTC) + timedelta(seconds=receipt % 30_000)
        number = f"{when:%Y%m%d}-{receipt:06d}"
        loyalty = f"L{dice.randrange(50_000):08d}" if dice.random() < 0.3 else None
        sign = -1 if dice.random() < 0.025 else 1
        for place in range(1, lines + 1):
            yield encode(_till_line(dice, number, str(place), time_text(moment), loyalty, sign))
        left, receipt = left - lines, receipt + 1


def _till_line(dice: random.Random, number: str, line: str, at: str, loyalty: str | None, sign: int) -> dict[str, Any]:
    price = dice.randrange(300, 30_000)
    discount = price // 10 if sign > 0 and dice.random() < 0.1 else 0
    paid = price - discount
    minus = "-" if sign < 0 else ""
    return {
        "transaction_id": number,
        "line_id": line,
        "sold_at": at,
        "store_id": "dublin-1",
        "register_id": "till-2",
        "item_id": f"RT-{dice.randrange(ITEMS):012d}",
        "title": f"{dice.choice(WORDS)} {dice.choice(THINGS)}",
        "quantity": f"{minus}1",
        "unit_price": amount_text(price),
        "discount_amount": amount_text(discount),
        "tax_amount": minus + amount_text(paid * 23 // 123),
        "line_total": minus + amount_text(paid),
        "currency": "EUR",
        "payment_method": dice.choice(("card", "cash")),
        "line_type": "return" if sign < 0 else "sale",
        "loyalty_id": loyalty,
        "tax_included": "true",
    }


def products_of(when: date, orders: Iterable[bytes], till: Iterable[bytes]) -> Iterator[bytes]:
    """The catalogue's records of the items that were sold on a day."""
    sold = {line["item_id"]: line["title"] for line in map(msgspec.json.decode, till)}
    for order in map(msgspec.json.decode, orders):
        sold.update({line["sku"]: line["title"] for line in order["lineItems"]["nodes"]})
    for item, title in sold.items():
        yield msgspec.json.encode(
            {
                "item_id": item,
                "title": title,
                "category": "furniture",
                "era": "1960s",
                "maker": None,
                "material": title.split()[0],
                "condition": "good",
                "acquisition_cost": "40.00",
                "currency": "EUR",
                "listed_at": f"{when}T06:00:00Z",
                "price": "120.00",
            }
        )
