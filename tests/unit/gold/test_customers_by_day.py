"""Customers of 365 days: an increment, which goes on from a day that still holds, counts what the definition says."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from random import Random

import duckdb
import pytest

from .conftest import Gold
from .silver import Row, Silver
from .world import order

#: What the model is built from in gold, and itself.
NEEDED = "+agg_daily_customers,path:models/gold"
START = date(2023, 1, 1)
#: Days apart on which something begins or ends: neighbours, and the year's end to both sides.
STEPS = (0, 1, 2, 40, 363, 364, 365, 366, 367, 729, 730, 731, 1095)

Counts = dict[tuple[date, str], tuple[int, int]]


def written(database: Path) -> Counts:
    """What the model says, by day and channel."""
    with duckdb.connect(str(database), read_only=True) as con:
        rows = con.execute(
            "select business_date, channel, customers_365d, repeat_customers_365d from gold.agg_daily_customers"
        ).fetchall()
    assert len({row[:2] for row in rows}) == len(rows)
    return {(row[0], row[1]): (row[2], row[3]) for row in rows}


def defined(database: Path) -> Counts:
    """What the definition says of the same orders."""
    with duckdb.connect(str(database), read_only=True) as con:
        orders = con.execute(
            "select business_date, channel, person_id from gold.fct_orders where is_sale and person_id is not null"
        ).fetchall()
        days = con.execute("select business_date, channel from gold.agg_daily_sales").fetchall()
    counts: Counts = {}
    for day, channel in {*days, *((day, "all") for day, _ in days)}:
        bought: dict[str, int] = {}
        for bought_on, where, person in orders:
            if where in {channel, *(("shopify", "pos", "etsy") if channel == "all" else ())} and (
                day - timedelta(days=365) < bought_on <= day
            ):
                bought[person] = bought.get(person, 0) + 1
        counts[day, channel] = len(bought), sum(times > 1 for times in bought.values())
    return counts


def sale(random: Random, number: int) -> Row:
    """One version of an order: of one of six people or nobody, on one of a few days that lie a year apart or nearly."""
    day = START + timedelta(days=random.choice(STEPS) + random.choice((0, 0, 1, 365)))
    return order(
        f"o{number}",
        day.isoformat(),
        channel=("shopify", "pos", "etsy")[number % 3],
        person_id=random.choice(("ann", "bob", "cleo", "dora", "ed", "flo", None)),
        is_test=random.random() < 0.1,
    )


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 8))])
def test_any_arrival_counts_as_the_definition_does(gold: Gold, new_silver: Callable[[], Silver], seed: int) -> None:
    random, silver = Random(seed), new_silver()
    numbers = [number for number in range(48) for _ in range(random.choice((1, 1, 1, 2)))]
    random.shuffle(numbers)
    for start in range(0, len(numbers), 36):
        silver.put({"orders": [sale(random, number) for number in numbers[start : start + 36]]})
        gold.statuses(silver.path, "run", "--select", NEEDED)
        assert written(silver.path) == defined(silver.path)
    # Day after day, as it is run: a last day, the one a year after it, and an order that moves away from it.
    for day in (START + timedelta(days=1500), START + timedelta(days=1501), START + timedelta(days=1865)):
        silver.put({"orders": [order("last", day.isoformat(), person_id="ann"), order(f"{day}", f"{day}")]})
        gold.statuses(silver.path, "run", "--select", NEEDED)
        assert written(silver.path) == defined(silver.path)
