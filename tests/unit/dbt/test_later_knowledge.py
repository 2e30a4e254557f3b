"""What is told later or better changes gold and leaves nothing of the old behind: one story from bronze to gold.

A build of all of gold costs ten seconds, so the cases share two: what is known at first, and what comes after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import ebay_payloads as ebay
import etsy_payloads as etsy
import payloads as shop
import pytest
import square_payloads as square
from bronze_bench import Bench, Record

pytestmark = pytest.mark.long

D = Decimal
Rows = list[tuple[Any, ...]]
#: The pieces of the other channels are not those of Shopify's and the till's.
OFFERED, SHELVED = "RT-000001", "RT-000077"

QUESTIONS = {
    "payments": "select payment_id, payment_amount from gold.fct_payments where order_id = '2'",
    "order": "select refund_base, net_base from gold.fct_orders where order_id = '2' and channel = 'shopify'",
    "fees": "select fee_amount from gold.fct_fees where channel = 'etsy' and order_id = '9' order by 1",
    "fees of the order": "select fee_base from gold.fct_orders where channel = 'etsy'",
    "days with fees": "select distinct business_date::varchar from gold.agg_daily_fees order by 1",
    "shares": "select order_key, refund_base from gold.int_refund_shares where refund_id = 'T6'",
    "day's refunds": "select sum(refund_base) from gold.agg_daily_category_sales where channel = 'pos'",
    "unreadable": "select count(*) from gold.fct_payments where payment_id = 'P8'",
    "title": f"select title from gold.dim_listing where item_id = '{OFFERED}' and channel = 'ebay'",
    "category": f"select category from gold.dim_item where item_id = '{SHELVED}'",
}


def statement(day: str, amount: str, info: str = "") -> Record:
    """A line of Etsy's statement."""
    row = {
        "type": "Fee",
        "title": "Transaction fee",
        "info": info,
        "currency": "EUR",
        "fees_taxes": amount,
        "date": day,
    }
    return Record("etsy_statement", row)


def at_first() -> list[Record]:
    """Files and the first halves of things."""
    return [
        shop.ecb("2026-08-31", USD="1.1000"),
        shop.exported(
            "shopify_orders_export",
            "2",
            item_id="RT-000002",
            quantity="1",
            unit_price="100.00",
            order_total="100.00",
            status="refunded",
            order_refunded="100.00",
        ),
        etsy.receipt(9, [etsy.sold(90, "40.00")], "40.00", goods="40.00", person=None),
        statement("2026-09-01", "-2.60", "Order #9"),
        statement("2026-09-05", "-1.00"),
        statement("2026-10-05", "-3.00"),
        shop.till("T6", "2", total="-4.00", quantity="-1", kind="return"),
        square.square_order("O8", square.sold("L8", 10_000), total=10_000),
        square.payment("P8", "O8", 10_000),
        ebay.offer("25.00", "ACTIVE", 1),
        square.catalog_item("I77", "V77", SHELVED, category="C1"),
    ]


def afterwards() -> list[Record]:
    """The account behind the files, and the second halves."""
    return [
        shop.order(2, updated="2026-09-02T10:00:00Z"),
        etsy.entry(5, "transaction", -260, refers=("transaction", 90)),
        etsy.entry(7, "listing", -18, at="2026-09-20T09:00:00Z"),
        shop.till("T6", "1", total="10.00"),
        square.payment("P8", "O8", 10**17, updated="2026-09-02T12:00:00.000Z"),
        Record("ebay_inventory_items", {"sku": OFFERED, "product": {"title": "Clock"}}),
        square.category("C1", "Sideboards"),
    ]


@pytest.fixture(scope="module")
def told(new_bench: Callable[[], Bench]) -> tuple[Mapping[str, Rows], Mapping[str, Rows]]:
    """The answers after each build; all that must hold of gold holds after the second."""
    bench = new_bench()
    answers = []
    for records in (at_first(), afterwards()):
        bench.ingest(*records)
        bench.build("--select", "path:models")
        answers.append({name: bench.query(sql) for name, sql in QUESTIONS.items()})
    bench.build("--select", "path:models", "path:tests", "--exclude", "test_type:unit", command="test")
    return answers[0], answers[1]


@pytest.mark.parametrize(
    ("name", "before", "after"),
    [
        # An export knows one payment and one refund of an order; the API knows the order itself.
        ("payments", [("export:2", D(100))], [("2", D(100))]),
        ("order", [(D(100), D(0))], [(D(0), D(100))]),
        # Etsy's statement until the account tells of the same days.
        ("fees", [(D("2.6"),)], [(D("2.6"),)]),
        ("fees of the order", [(D("2.6"),)], [(D("2.6"),)]),
        (
            "days with fees",
            [("2026-09-01",), ("2026-09-05",), ("2026-10-05",)],
            [("2026-09-01",), ("2026-09-20",), ("2026-10-05",)],
        ),
        # A return whose receipt is not known yet is of no order.
        ("shares", [("refund:T6", D(4))], [("T6", D(4))]),
        # What cannot be read any more is kept out; what it was before is not true any more.
        ("unreadable", [(1,)], [(0,)]),
        ("day's refunds", [(D(4),)], [(D(4),)]),
        # What a piece is called, and what it is, may be told by a record of its own.
        ("title", [(None,)], [("Clock",)]),
        ("category", [(None,)], [("Sideboards",)]),
    ],
)
def test_gold_follows(
    told: tuple[Mapping[str, Rows], Mapping[str, Rows]], name: str, before: Rows, after: Rows
) -> None:
    assert (told[0][name], told[1][name]) == (before, after)
