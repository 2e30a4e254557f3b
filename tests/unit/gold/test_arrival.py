"""Property: whatever the order in which records and their older versions arrive, gold ends the same."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from .conftest import Gold
from .silver import TABLES, Row, Silver
from .test_incremental import assert_same
from .world import cost, fee, item, line, order, payment, payout, payout_line, rate, refund, refund_line

BUILDS = 3
DAYS = [f"2026-{month:02}-{day:02}" for month in (1, 2, 3) for day in (1, 2, 3, 14, 15, 28)]
CURRENCIES = ("EUR", "USD", "JPY")
CHANNELS = ("shopify", "pos", "etsy", "ebay")

World = dict[str, list[Row]]


def version(random: Random, number: int) -> World:
    """One version of an order and all that hangs on it; two calls for a number give two versions of the same order."""
    day, currency = random.choice(DAYS), random.choice(CURRENCIES)
    channel = CHANNELS[number % len(CHANNELS)]
    # A piece may cost a million: the product of two such amounts is more than 64 bits hold.
    cents = random.randrange(100, random.choice((10**6, 10**8)))
    gross = f"{cents // 100}.{cents % 100:02}"
    fields: dict[str, object] = {"channel": channel, "currency": currency}
    paid = random.random() < 0.85
    order_id = f"o{number}"
    items = random.sample(range(12), random.choice((1, 1, 2)))
    world: World = {
        "orders": [
            order(
                order_id,
                day,
                **fields,
                person_id=random.choice((None, "ann", "bob", "cleo", "dora")),
                is_paid=paid,
                is_test=random.random() < 0.1,
                gross_amount=gross,
                discount_amount=f"{random.randrange(0, 100)}.{random.randrange(100):02}",
                channel_fx_rate=random.choice((None, "0.917431192661", "1")),
            )
        ],
        "order_lines": [
            line(order_id, f"{n}", f"item-{piece}", day, **fields, price_amount=gross) for n, piece in enumerate(items)
        ],
        "payments": [
            payment(f"p{number}-{n}", order_id, random.choice(DAYS), gross, **fields)
            for n in range(random.choice((0, 1, 2)))
        ],
        "refunds": [],
        "refund_lines": [],
        "fees": [],
    }
    if random.random() < 0.4:
        back = random.choice(DAYS)
        world["refunds"].append(
            refund(f"r{number}", order_id, back, **fields, refund_amount=gross, refund_tax_amount="1.37")
        )
        world["refund_lines"].append(refund_line(f"r{number}", order_id, "0", f"item-{items[0]}", channel=channel))
    return world


def ledger(random: Random, number: int) -> World:
    """What never changes once it is known: fees, and the payout they were taken from."""
    day = random.choice(DAYS)
    payout_id = f"P{number}" if number % 4 == 0 else None
    world: World = {
        "fees": [
            fee(
                f"f{number}-{n}",
                f"o{number}",
                day,
                f"{random.randrange(-200, 900) / 100:.2f}",
                channel=CHANNELS[number % len(CHANNELS)],
                currency=random.choice(CURRENCIES),
            )
            for n in range(random.choice((0, 1, 2)))
        ],
        "payout_lines": [payout_line(payout_id, f"t{number}", "10.00", "1.00", "9.00")],
        "payouts": [payout(payout_id, day, "10.00", random.choice(("9.00", "8.50")))] if payout_id else [],
    }
    return world


def catalogue(random: Random) -> World:
    """The pieces and what they cost; some nobody knows."""
    return {
        "items": [item(f"item-{n}", random.choice([*DAYS, "2025-10-01", None])) for n in range(10)],
        "item_costs": [
            cost(f"item-{n}", f"{random.randrange(5, 90)}.50", random.choice(DAYS), currency=random.choice(CURRENCIES))
            for n in range(8)
        ],
        "listings": [
            {
                "channel": "shopify",
                "listing_id": f"l{n}",
                "item_id": f"item-{n}",
                "state": random.choice(("active", "archived")),
                "valid_from": f"{random.choice(DAYS)}T08:00:00Z",
                "is_current": True,
            }
            for n in range(0, 10, 3)
        ],
        "ad_spend": [
            {
                "business_date": day,
                "platform": "meta",
                "campaign": "spring",
                "currency": random.choice(CURRENCIES),
                "spend_amount": f"{random.randrange(1, 90)}.25",
                "impressions": 100,
                "clicks": 3,
            }
            for day in DAYS[::5]
        ],
        "customers": [{"person_id": "ann", "country": "IE"}, {"person_id": "ed", "country": "DE"}],
    }


def rates(random: Random) -> list[Row]:
    """A rate for most days; the others are not known."""
    return [
        rate(day, f"0.{random.randrange(10**10, 10**12):012}", currency=currency)
        for day in DAYS
        for currency in ("USD", "JPY")
        if random.random() < 0.9
    ]


def arrivals(random: Random) -> tuple[list[World], list[list[tuple[str, dict[str, object]]]]]:
    """Builds of rows, each with the rows that its newer versions no longer hold (forgotten before it)."""
    builds: list[World] = [{table: [] for table in TABLES} for _ in range(BUILDS)]
    gone: list[list[tuple[str, dict[str, object]]]] = [[] for _ in range(BUILDS)]

    def arrive(at: int, world: World) -> None:
        for table, rows in world.items():
            builds[at][table].extend(rows)

    for number in range(14):
        moments = sorted(random.sample(range(BUILDS), random.choice((1, 2, 3))))
        before: World = {}
        for moment in moments:
            now = version(random, number)
            for table, rows in before.items():
                keys = TABLES[table][0]
                kept = {tuple(row[key] for key in keys) for row in now[table]}
                gone[moment] += [
                    (table, {key: row[key] for key in keys})
                    for row in rows
                    if tuple(row[key] for key in keys) not in kept
                ]
            arrive(moment, now)
            before = now
        arrive(random.randrange(BUILDS), ledger(random, number))
    for table, rows in catalogue(random).items():
        for row in rows:
            builds[random.randrange(BUILDS)][table].append(row)
    for row in rates(random):
        # A rate that was carried forward becomes known later: two builds bring the same day.
        for moment in random.sample(range(BUILDS), random.choice((1, 2))):
            builds[moment]["fx_daily"].append({**row, "fx_rate": row["fx_rate"] if moment % 2 else "0.5"})
    return builds, gone


@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)
@given(seed=st.integers(0, 10**6))
def test_any_arrival_gives_the_same_gold(
    gold: Gold, new_silver: Callable[[], Silver], built_in_full: Callable[[Silver], Path], seed: int
) -> None:
    builds, gone = arrivals(Random(seed))
    silver = new_silver()
    for rows, forgotten in zip(builds, gone, strict=True):
        for table, key in forgotten:
            silver.forget(table, **key)
        silver.put(rows)
        gold.run(silver.path)
    assert_same(gold, silver.path, built_in_full(silver))
