"""Times that no record can mean: an order is kept out and named, money is counted on the day that is known."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import ebay_payloads as ebay
import etsy_payloads as etsy
import payloads as shop
import pytest
import square_payloads as square
from bronze_bench import Bench, Record

from retreasure_assets.lake.columns import timestamps
from retreasure_assets.resources.platform import dbt_project_dir

IMPOSSIBLE = (
    "0001-01-01T00:00:00Z",
    "1969-12-31T23:59:59Z",
    "1999-12-31T23:59:59Z",
    "2050-01-01T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "20266-03-05T00:00:00Z",
    "infinity",
    "-infinity",
    "epoch",
    "",
)
NEVER = IMPOSSIBLE[0]
#: When the bench ingests its first batch.
INGESTED = datetime(2026, 11, 1, 7, tzinfo=UTC)


def told(of: Record, field: str, time: object) -> Record:
    """The record with another time."""
    return Record(of.table, {**of.payload, field: time}, of.person_id)


@pytest.fixture(scope="module")
def world(new_bench: Callable[[], Bench]) -> Bench:
    bench = new_bench()
    bench.ingest(
        *(shop.order(number, created=time) for number, time in enumerate(IMPOSSIBLE, 100)),
        shop.order(1, created="2000-01-01T00:00:00Z"),
        shop.order(2, created="2049-12-31T23:59:59Z"),
        shop.order(3, transactions=[shop.transaction(3, "100.00", NEVER)], refunds=[shop.refund(3, NEVER, "1.00")]),
        told(etsy.receipt(4, [etsy.sold(40, "10")], "10", goods="10"), "created_timestamp", 0),
        told(ebay.order(8, [ebay.line(80, "10.00")], "10.00"), "creationDate", NEVER),
        square.square_order("O8", square.sold("L8", 1000), total=1000, created=NEVER),
        shop.till("T8", at=NEVER),
        shop.exported("shopify_orders_export", "98", ordered_at=NEVER, price="10.00", quantity="1", total="10.00"),
        etsy.receipt(5, [etsy.sold(50, "10")], "10", goods="10"),
        told(etsy.payment(50, 5, "10"), "created_timestamp", 253_402_300_799),
        told(etsy.entry(51, "listing", -20), "created_timestamp", -1),
        told(shop.payout(6, "97.00"), "issuedAt", NEVER),
        told(shop.balance(60, payout=6), "transactionDate", "infinity"),
        square.payment("P7", "O7", 1000, created=NEVER),
    )
    bench.build()
    return bench


def test_orders_of_no_day_are_kept_out_and_named(world: Bench) -> None:
    kept_out = world.query(
        "select order_id from quarantine.silver_orders where reject_reason like '%missing order time%' order by 1"
    )
    shopify = map(str, range(100, 100 + len(IMPOSSIBLE)))
    assert [order_id for (order_id,) in kept_out] == sorted(["01-00008-00000", "4", "98", "O8", "T8", *shopify])
    assert {"1", "2", "3", "5"} <= {order_id for (order_id,) in world.query("select order_id from silver.orders")}


@pytest.mark.parametrize(
    ("table", "condition", "column", "at"),
    [
        # What hangs on an order is of its day.
        ("payments", "order_id = '3'", "paid_at", datetime(2026, 9, 1, 9, tzinfo=UTC)),
        ("refunds", "order_id = '3'", "refunded_at", datetime(2026, 9, 1, 9, tzinfo=UTC)),
        # What stands alone is of the day of its version, or of the day on which it came.
        ("payments", "payment_id = '50'", "paid_at", datetime(2026, 9, 1, 9, 0, 1, tzinfo=UTC)),
        ("payments", "payment_id = 'P7'", "paid_at", datetime(2026, 9, 1, 12, tzinfo=UTC)),
        ("payout_lines", "transaction_id = '51'", "transacted_at", INGESTED),
        ("payout_lines", "transaction_id = '60'", "transacted_at", INGESTED),
        ("payouts", "payout_id = '6'", "issued_at", INGESTED),
    ],
)
def test_money_counts_on_the_day_that_is_known(
    world: Bench, table: str, condition: str, column: str, at: datetime
) -> None:
    assert world.query(f"select {column} from silver.{table} where {condition}") == [(at,)]


def test_a_listing_counts_from_the_moment_it_was_seen_where_no_change_time_can_be(bench: Bench) -> None:
    for price in ("10.00", "12.00"):
        bench.ingest(shop.product(1, price=price, updated=NEVER))
        bench.build()
    spells = bench.query("select price_amount, valid_from from silver.listings order by valid_from")
    assert [price for price, _ in spells] == [Decimal(10), Decimal(12)]
    assert spells[0][1] == INGESTED
    assert spells[1][1] > INGESTED


def test_spend_of_no_day_is_kept_out(bench: Bench) -> None:
    line = {"platform": "google", "campaign": "c", "currency": "EUR", "spend": "1.00"}
    bench.ingest(*(Record("ads_spend", {**line, "date": day}) for day in ("1970-01-01", "9999-12-31", "2026-09-01")))
    bench.build()
    assert bench.query("select spend_date::varchar, reject_reason from quarantine.silver_ad_spend order by 1") == [
        ("1970-01-01", "not a day of the calendar; "),
        (None, "no day; "),
    ]
    assert bench.query("select business_date::varchar from silver.ad_spend") == [("2026-09-01",)]


def test_bronze_and_the_models_have_one_calendar() -> None:
    macros = Path(dbt_project_dir(), "macros", "engine", "types.sql").read_text("utf-8")
    told_days = re.findall(r"macro calendar_(start|end)\(\) -%} {{ return\('(.{10})'\) }}", macros)
    days = {name: date.fromisoformat(day) for name, day in told_days}
    around = [days["start"] - timedelta(1), days["start"], days["end"], days["end"] + timedelta(1)]
    read = timestamps([day.isoformat() for day in around], len(around)).to_pylist()
    assert [moment is not None for moment in read] == [False, True, True, False]
