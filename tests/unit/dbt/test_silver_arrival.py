"""Silver does not depend on how its records arrived: late, twice, in one batch or in many.

A dbt start costs seconds, so the cases share builds: each fixture is one story, and remembers what silver looked like
after each of its builds.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from random import Random
from types import ModuleType
from typing import Any, ClassVar

import duckdb
import ebay_cases
import etsy_cases
import pytest
import square_cases
from bronze_bench import Bench, Dbt, Record
from payloads import balance, ecb, exported, line, order, payout, product, refund, till, transaction

D = Decimal
Rows = list[tuple[Any, ...]]
Snapshot = dict[str, Rows]


def history() -> list[Record]:
    """Records of three weeks in the order of their change, several versions of some."""
    back = refund(5, "2026-09-12T10:00:00Z", "100.00", lines=[(1, "100.00", "0.00")])
    paid = transaction(1, "100.00", "2026-09-01T09:00:00Z")
    given_back = transaction(11, "100.00", "2026-09-12T10:00:00Z", kind="REFUND")
    exported_two = {"item_id": "Z", "quantity": "1", "unit_price": "100.00", "order_total": "100.00"}
    return [
        ecb("2026-08-28", USD="1.1000", JPY="160.00"),
        product(1, "2026-08-01T10:00:00Z", price="120.00"),
        product(1, "2026-08-10T10:00:00Z", price="100.00"),
        product(1, "2026-08-20T10:00:00Z", price="100.00", quantity=0),
        product(1, "2026-09-02T10:00:00Z", price="100.00", status="ARCHIVED", quantity=0),
        product(2, "2026-08-01T10:00:00Z", variants=2),
        order(1, updated="2026-09-01T09:00:00Z", status="PENDING", transactions=[]),
        order(1, updated="2026-09-01T10:00:00Z", transactions=[paid]),
        order(1, updated="2026-09-12T10:00:00Z", status="REFUNDED", refunds=[back], transactions=[paid, given_back]),
        order(2, person="p_2", currency="USD", lines=[line(2, currency="USD")], shop_total="90.91"),
        exported("shopify_orders_export", "2", **exported_two, status="refunded", order_refunded="100.00"),
        exported("shopify_orders_export", "77", item_id="Z", quantity="1", unit_price="8.00", order_total="8.00"),
        exported(
            "etsy_sold_order_items", "E1", item_id="A", quantity="1", unit_price="40.00", paid_at="2026-09-01T09:00:00Z"
        ),
        exported("etsy_sold_orders", "E1", order_total="44.00", order_shipping="4.00"),
        till("T1", "1", person="p_2"),
        till("T1", "2", total="20.00"),
        till("T2", "1", total="-20.00", quantity="-1", kind="return", at="2026-09-15T12:00:00Z"),
        ecb("2026-09-01", USD="1.2000", JPY="161.00"),
        ecb("2026-09-03", USD="1.3000", JPY="162.00"),
        balance(1),
        balance(2, order_number=2, payout=7),
        payout(7, "97.00"),
    ]


class Settled:
    """All of ``history`` in one build, a build of nothing, the history again, and a later day."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        bench.ingest(*history())
        bench.build()
        self.first = bench.snapshot(stamps=True)
        self.expected = bench.snapshot()
        bench.build_all()
        self.second = bench.snapshot(stamps=True)
        self.tests = bench.build("--exclude", "path:models/gold", command="test")
        self.stamp = bench.query("select max(built_at) from silver.orders")[0][0]
        later = "2026-09-20T09:00:00Z"
        bench.ingest(order(3, created=later, updated=later), till("T9", at=later))
        bench.build()


@pytest.fixture(scope="module")
def settled(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Settled:
    """The story of a quiet shop."""
    return Settled(Bench(dbt, tmp_path_factory.mktemp("settled")))


def test_a_second_build_changes_nothing_at_all(settled: Settled) -> None:
    assert settled.second == settled.first


def test_the_data_and_unit_tests_pass(settled: Settled) -> None:
    assert len(settled.tests) > 90
    assert {name for name, status in settled.tests.items() if status == "warn"} == {"orphan_items_are_in_no_catalogue"}


def test_money_that_is_lost_on_the_way_from_staging_is_missed(settled: Settled, dbt: Dbt, tmp_path: Path) -> None:
    copy = tmp_path / "warehouse.duckdb"
    shutil.copy(settled.bench.path, copy)
    lost = 0
    with duckdb.connect(str(copy)) as con:
        for table, key in (
            ("payouts", "payout_id"),
            ("payout_lines", "transaction_id"),
            ("int_payments", "payment_id"),
        ):
            newest = f"select {key} from silver.{table} where channel = 'shopify' order by {key} desc limit 1"
            con.execute(f"delete from silver.{table} where channel = 'shopify' and {key} = ({newest})")
            lost += 1
    # Whatever is staged is looked at, as after a build anew.
    with duckdb.connect(str(copy)) as con:
        for table in ("stg_shopify__payouts", "stg_shopify__balance_transactions", "stg_shopify__orders"):
            con.execute(f"update silver.{table} set built_at = (select max(built_at) from silver.{table})")
    outcome = dbt.invoke(copy, "test", "--select", "money_is_in_silver_as_it_was_staged")
    [failures] = [each.failures for each in outcome.result.results if each.node.resource_type == "test"]
    assert failures == lost


@pytest.mark.parametrize(
    ("table", "count"),
    [("orders", 2), ("order_lines", 2), ("payments", 2), ("refunds", 0), ("listings", 0), ("fx_daily", 0)],
)
def test_only_what_is_new_is_written(settled: Settled, table: str, count: int) -> None:
    written = settled.bench.query(f"select count(*) from silver.{table} where built_at > '{settled.stamp}'")
    assert written == [(count,)]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))])
def test_any_order_and_split_of_arrival_gives_the_same_silver(
    settled: Settled, new_bench: Callable[[], Bench], seed: int
) -> None:
    rng = Random(seed)
    records = history()
    # Some of it twice: a poll overlaps the one before.
    records += rng.sample(records, 6)
    rng.shuffle(records)
    bench = new_bench()
    cuts = sorted(rng.sample(range(1, len(records)), 3 if seed == 1 else 6))
    for start, end in zip([0, *cuts], [*cuts, len(records)], strict=True):
        bench.ingest(*records[start:end])
        if end == len(records) or rng.random() < 0.7:
            bench.build()
    got = bench.snapshot()
    for name, rows in settled.expected.items():
        assert got[name] == rows, name


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("cases", [ebay_cases, etsy_cases, square_cases], ids=["ebay", "etsy", "square"])
def test_every_rule_of_a_channel_holds_whatever_the_order_of_arrival(
    dbt: Dbt, new_bench: Callable[[], Bench], tmp_path: Path, cases: ModuleType
) -> None:
    """All at once, or in three builds, in another order and some of it twice: the same silver, and then it rests."""
    at_once, in_parts = Bench(dbt, tmp_path), new_bench()
    at_once.ingest(*cases.records())
    at_once.build()
    in_parts.ingest_in_parts(cases.records(), 3, seed=3)
    expected, found = at_once.snapshot(), in_parts.snapshot()
    assert {name: rows for name, rows in found.items() if rows != expected[name]} == {}
    assert expected["silver.orders"]
    before = in_parts.snapshot(stamps=True)
    in_parts.build_all()
    assert in_parts.snapshot(stamps=True) == before


class Changes:
    """Three builds over orders, listings and rates that change under way; what was asked after each, by name."""

    QUESTIONS: ClassVar[dict[str, str]] = {
        "late": "select payment_status from silver.orders where order_id = '1'",
        "late payments": "select count(*) from silver.payments where order_id = '1'",
        "tie": "select payment_status from silver.orders where order_id = '2'",
        "tie in the ledger": "select payout_id from silver.payout_lines where transaction_id = '2'",
        "vanished refund": "select refund_id from silver.refunds where order_id = '3'",
        "vanished line": "select line_id from silver.order_lines where order_id = '4' order by 1",
        "last good": "select total_amount from silver.orders where order_id = '5'",
        "quarantine": "select total_amount, reject_reason from quarantine.silver_orders",
        "receipt": "select total_amount from silver.orders where order_id = 'T1'",
        "receipt lines": "select count(*) from silver.order_lines where order_id = 'T1'",
        "listing": "select state, price_amount, quantity, valid_from, valid_to, is_current"
        " from silver.listings order by valid_from",
        "rate": "select fx_rate from silver.fx_daily where currency = 'USD' and rate_date = '2026-09-02'",
        "later rate": "select fx_rate from silver.fx_daily where currency = 'USD' and rate_date = '2026-09-03'",
        "missed": "select order_id from silver.orders where order_id in ('6', '7') order by 1",
    }

    def __init__(self, bench: Bench) -> None:
        self.bench = bench
        self.versions = [
            product(1, "2026-08-01T10:00:00Z", price="120.00"),
            product(1, "2026-08-05T10:00:00Z", price="120.00", quantity=3),
            product(1, "2026-08-10T10:00:00Z", price="100.00"),
            product(1, "2026-08-20T10:00:00Z", price="120.00"),
            product(1, "2026-09-02T10:00:00Z", price="120.00", status="ARCHIVED"),
        ]
        hundred = {"item_id": "Z", "quantity": "1", "unit_price": "100.00", "order_total": "100.00"}
        bench.ingest(
            order(1, updated="2026-09-02T00:00:00Z", status="PAID"),
            order(2, status="PENDING"),
            balance(2, order_number=2),
            exported("shopify_orders_export", "3", **hundred, status="refunded", order_refunded="100.00"),
            order(4, lines=[line(40), line(41)], total="200.00"),
            order(5),
            till("T1", "1"),
            *(self.versions[index] for index in (0, 1, 3, 4)),
            ecb("2026-08-31", USD="2.0000"),
            ecb("2026-09-03", USD="4.0000"),
        )
        bench.build()
        self.before = self._asked()
        # A build that got no further than staging, and a later one that has to catch up with it.
        bench.ingest(order(6))
        bench.build("--select", "stg_shopify__orders")
        bench.ingest(
            order(1, updated="2026-09-01T00:00:00Z", status="PENDING", transactions=[]),
            order(2, status="PAID"),
            balance(2, order_number=2, payout=7),
            order(3),
            order(4, updated="2026-09-03T00:00:00Z", lines=[line(40)]),
            order(5, updated="2026-09-03T00:00:00Z", total="999.00"),
            order(7),
            till("T1", "2", total="20.00"),
            self.versions[2],
            ecb("2026-09-01", USD="5.0000"),
        )
        bench.build()
        self.between = self._asked()
        bench.ingest(order(5, updated="2026-09-04T00:00:00Z", lines=[line(5, price="999.00")], total="999.00"))
        bench.build()
        self.after = self._asked()

    def _asked(self) -> Snapshot:
        return {name: self.bench.query(sql) for name, sql in self.QUESTIONS.items()}


@pytest.fixture(scope="module")
def changes(new_bench: Callable[[], Bench]) -> Changes:
    """The story of a busy shop."""
    return Changes(new_bench())


def test_a_late_older_version_never_overwrites(changes: Changes) -> None:
    assert changes.before["late"] == changes.between["late"] == [("paid",)]
    assert changes.between["late payments"] == [(1,)]


def test_of_two_versions_with_one_time_the_last_ingested_counts(changes: Changes) -> None:
    assert (changes.before["tie"], changes.between["tie"]) == ([("pending",)], [("paid",)])
    assert (changes.before["tie in the ledger"], changes.between["tie in the ledger"]) == ([(None,)], [("7",)])


def test_what_a_newer_version_lacks_goes(changes: Changes) -> None:
    # The API knows order 3 only later, and of no refund; order 4 was edited.
    assert (changes.before["vanished refund"], changes.between["vanished refund"]) == ([("export:3",)], [])
    assert (changes.before["vanished line"], changes.between["vanished line"]) == ([("40",), ("41",)], [("40",)])


def test_an_order_whose_newer_version_breaks_a_rule_keeps_its_last_good_one(changes: Changes) -> None:
    assert changes.between["last good"] == [(D("100"),)]
    assert changes.between["quarantine"] == [(D("999"), "totals do not add up; ")]
    assert (changes.after["last good"], changes.after["quarantine"]) == ([(D("999"),)], [])


def test_the_second_half_of_a_receipt_may_come_later(changes: Changes) -> None:
    assert (changes.before["receipt"], changes.between["receipt"]) == ([(D("100"),)], [(D("120"),)])
    assert changes.between["receipt lines"] == [(2,)]


def test_listings_are_a_history_of_price_and_state(changes: Changes) -> None:
    def at(day: int, month: int = 8) -> datetime:
        return datetime(2026, month, day, 10, tzinfo=UTC)

    assert changes.before["listing"] == [
        ("active", D("120"), 1, at(1), at(2, 9), False),
        ("archived", D("120"), 1, at(2, 9), None, True),
    ]
    # The version in the middle came last: it splits what was one stretch.
    assert changes.between["listing"] == [
        ("active", D("120"), 3, at(1), at(10), False),
        ("active", D("100"), 1, at(10), at(20), False),
        ("active", D("120"), 1, at(20), at(2, 9), False),
        ("archived", D("120"), 1, at(2, 9), None, True),
    ]


def test_a_rate_that_comes_late_takes_its_days_back(changes: Changes) -> None:
    assert (changes.before["rate"], changes.between["rate"]) == ([(D("0.5"),)], [(D("0.2"),)])
    assert changes.before["later rate"] == changes.between["later rate"] == [(D("0.25"),)]


def test_a_build_that_failed_in_between_is_caught_up_with(changes: Changes) -> None:
    assert changes.between["missed"] == [("6",), ("7",)]
