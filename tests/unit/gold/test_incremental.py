"""A build on top of an older one gives what one build of everything gives, and rewrites only what was touched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from pprint import pformat

import duckdb
import pytest

from .conftest import Gold
from .silver import Silver
from .world import cost, fee, item, line, order, payout, payout_line, rate, refund, refund_line

DAYS = [f"2026-03-{day:02}" for day in range(2, 12)]


#: Reports as of the last day: tables, not increments.
MADE_ANEW = {
    "agg_daily_deliveries",
    "agg_daily_returns",
    "agg_daily_shipping",
    "feat_demand",
    "feat_items",
    "mkt_segments",
    "rpt_cohorts",
    "rpt_days_to_sell",
    "rpt_fulfilment_queue",
    "rpt_inventory_aging",
    "rpt_listing_quality",
    "rpt_oversell_risks",
    "rpt_roas",
    "rpt_sell_through",
}


def first_state(silver: Silver) -> None:
    """Ten days, an order a day in turns EUR and USD, a piece each, and what belongs to them."""
    silver.put(
        {
            "orders": [
                order(
                    f"{n}", day, person_id=f"person-{n % 4}", currency="USD" if n % 2 else "EUR", channel_fx_rate="0.91"
                )
                for n, day in enumerate(DAYS)
            ],
            "order_lines": [
                line(f"{n}", "1", f"item-{n}", day, currency="USD" if n % 2 else "EUR") for n, day in enumerate(DAYS)
            ],
            "fees": [fee(f"f{n}", f"{n}", day, "3.00", payout_id="P1") for n, day in enumerate(DAYS)],
            "items": [item(f"item-{n}", f"2025-12-{n + 1:02}") for n in range(12)],
            "item_costs": [cost(f"item-{n}", f"{10 + n}.00", "2026-03-02", currency="USD") for n in range(12)],
            # The 7th and 8th are a weekend: Friday's rate is carried forward.
            "fx_daily": [
                rate(day, "0.9", "2026-03-06" if day in {"2026-03-07", "2026-03-08"} else None) for day in DAYS
            ],
            "payouts": [payout("P1", "2026-03-09", "1280.00", "1250.00"), payout("P2", "2026-03-10", "10.00", "10.00")],
            "payout_lines": [payout_line("P1", "t1", "1280.00", "30.00", "1250.00")],
            "customers": [{"person_id": f"person-{n}", "country": "IE"} for n in range(4)],
        }
    )


def assert_same(gold: Gold, database: Path, full: Path) -> None:
    """Every table is equal, row for row; else a few rows that are in one of the two alone, by table."""
    found, expected = gold.tables(database), gold.tables(full)
    assert set(found) == set(expected)
    unlike = {
        name: {
            "columns": columns,
            "lacks": [row for row in rows if row not in found[name][1]][:3],
            "has instead": [row for row in found[name][1] if row not in rows][:3],
        }
        for name, (columns, rows) in expected.items()
        if found[name] != (columns, rows)
    }
    assert not unlike, pformat(unlike, width=160)


def keys(database: Path, name: str, *columns: str, where: str = "true") -> set[tuple[str, ...]]:
    """The distinct values of some columns of a gold table, as text."""
    listed = ", ".join(f"{column}::varchar" for column in columns)
    with duckdb.connect(str(database), read_only=True) as con:
        return set(con.execute(f"select distinct {listed} from gold.{name} where {where}").fetchall())


def rewritten(database: Path, name: str, *columns: str) -> set[tuple[str, ...]]:
    """The keys of the rows that the last build of the whole of gold wrote."""
    return keys(database, name, *columns, where="built_at = (select max(built_at) from gold.agg_kpis)")


@pytest.mark.long
def test_late_changes(gold: Gold, new_silver: Callable[[], Silver], built_in_full: Callable[[Silver], Path]) -> None:
    silver = new_silver()
    gold.run(silver.path)
    assert {name for name, (_, rows) in gold.tables(silver.path).items() if rows} == set(), "gold of nothing is empty"
    first_state(silver)
    gold.run(silver.path)

    # An order is corrected: cheaper, of another person, of another piece, and on another day.
    silver.put(
        {
            "orders": [order("3", "2026-02-20", person_id="person-9", gross_amount="80.00", total_amount="108.00")],
            "order_lines": [
                line("3", "1", "item-10", "2026-02-20", price_amount="80.00", line_total_amount="103.00"),
            ],
        }
    )
    gold.run(silver.path)
    assert rewritten(silver.path, "fct_orders", "order_id") == {("3",)}
    # The day it left has no row any more, the day it came to has one, and nothing between them was touched.
    assert rewritten(silver.path, "agg_daily_sales", "business_date") == {("2026-02-20",)}
    assert ("2026-03-05",) not in keys(silver.path, "agg_daily_sales", "business_date")
    assert ("2026-03-05",) not in keys(silver.path, "agg_kpis", "business_date", where="kpi = 'orders'")
    assert rewritten(silver.path, "dim_customer", "person_id") == {("person-3",), ("person-9",)}
    assert rewritten(silver.path, "dim_item", "item_id") == {("item-3",), ("item-10",)}

    # A refund, a fee and a fee's return come later; a weekend's rate becomes known. The build breaks off after the
    # facts: the aggregates stay older than two changes.
    silver.put(
        {
            "refunds": [
                refund("r1", "1", "2026-03-12", currency="USD"),
                refund("r2", None, "2026-03-12", channel="pos"),
            ],
            "refund_lines": [refund_line("r1", "1", "1", "item-1")],
            "fees": [fee("f20", "2", "2026-03-12", "1.50"), fee("f21", "2", "2026-03-12", "-0.50")],
            "fx_daily": [rate("2026-03-07", "0.95"), rate("2026-03-12", "0.93")],
        }
    )
    gold.run(silver.path, "--exclude", "agg_daily_sales+", "dim_customer", "fct_stock_spells+")
    # 1 refunded, 2 charged, 5 (7 March, USD) at another rate.
    written = keys(
        silver.path, "fct_orders", "order_id", where="built_at = (select max(built_at) from gold.fct_orders)"
    )
    assert written == {("1",), ("2",), ("5",)}

    # A line and a refund vanish with the next version of their orders; an order proves to be a test; one is cancelled
    # before payment; a cost comes late; a payout's ledger lines arrive; a piece is withdrawn; a person becomes known.
    silver.forget("refunds", refund_id="r1")
    silver.forget("refund_lines", refund_id="r1")
    silver.put(
        {
            "orders": [
                order("1", DAYS[1], currency="USD", person_id="person-1"),
                order("3", "2026-02-25", person_id="person-9"),
                order("4", DAYS[4], is_test=True, person_id="person-0"),
                order("9", DAYS[9], is_paid=False, payment_status="voided", person_id="person-1", currency="USD"),
            ],
            "refunds": [refund("r3", "4", "2026-03-11")],
            "item_costs": [cost("item-6", "25.00", "2026-03-11", seq=2, kind="restoration")],
            "payout_lines": [payout_line("P2", "t2", "12.00", "2.00", "10.00")],
            "listings": [
                {
                    "channel": "shopify",
                    "listing_id": "l11",
                    "item_id": "item-11",
                    "state": "archived",
                    "valid_from": "2026-03-05T10:00:00Z",
                    "is_current": True,
                }
            ],
            "customers": [{"person_id": "person-9", "country": "DE", "postcode_area": "101"}],
        }
    )
    gold.run(silver.path)
    assert rewritten(silver.path, "rpt_payout_reconciliation", "payout_id") == {("P2",)}
    full = built_in_full(silver)
    assert_same(gold, silver.path, full)

    # Nothing new: nothing is written but the reports that are made anew each time.
    gold.run(silver.path)
    assert_same(gold, silver.path, full)
    with duckdb.connect(str(silver.path), read_only=True) as con:
        ((last,),) = con.execute("select max(built_at) from gold.rpt_inventory_aging").fetchall()
        for name in gold.tables(silver.path).keys() - MADE_ANEW:
            ((written,),) = con.execute(f"select count(*) from gold.{name} where built_at = ?", [last]).fetchall()
            assert written == 0, name
