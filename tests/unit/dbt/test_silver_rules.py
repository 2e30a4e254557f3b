"""Business rules from raw records to silver, in one build of a world with one case of each."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from bronze_bench import Bench, Dbt
from shop_cases import records

D = Decimal


@pytest.fixture(scope="module")
def world(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One build over every case."""
    bench = Bench(dbt, tmp_path_factory.mktemp("rules"))
    bench.ingest(*records())
    bench.build()
    return bench


def amounts(world: Bench, channel: str, order_id: str) -> tuple[Decimal, ...]:
    row = world.one(f"select * from silver.orders where channel = '{channel}' and order_id = '{order_id}'")
    names = ("gross_amount", "discount_amount", "shipping_amount", "tax_amount", "total_amount")
    return tuple(row[name] for name in names)


def test_an_orders_amounts_add_up(world: Bench) -> None:
    assert amounts(world, "shopify", "1") == (D("110"), D("6"), D("9"), D("25.99"), D("138.99"))


def test_tax_in_prices_is_taken_out_of_goods_and_shipping(world: Bench) -> None:
    assert amounts(world, "shopify", "2") == (D("102.30"), D("12.30"), D("5"), D("21.85"), D("116.85"))
    row = world.one("select * from silver.order_lines where order_id = '2' and channel = 'shopify'")
    assert (row["price_amount"], row["tax_amount"], row["line_total_amount"]) == (D("102.30"), D("20.70"), D("110.70"))


def test_lines_keep_the_unit_price_and_their_own_discounts(world: Bench) -> None:
    row = world.one("select * from silver.order_lines where line_id = '10'")
    assert (row["quantity"], row["price_amount"], row["discount_amount"], row["tax_amount"]) == (
        2,
        D("50"),
        D("6"),
        D("21.62"),
    )
    assert row["line_total_amount"] == D("115.62")
    assert (row["item_id"], row["product_id"], row["order_id"]) == ("RT-000010", "10", "1")


@pytest.mark.parametrize(
    ("order_id", "surcharge"), [("1", "0"), ("8", "19.50"), ("9", "0"), ("10", "0"), ("12", "4"), ("13", "4")]
)
def test_surcharges_are_what_makes_the_total(world: Bench, order_id: str, surcharge: str) -> None:
    row = world.one(f"select * from silver.orders where channel = 'shopify' and order_id = '{order_id}'")
    assert row["surcharge_amount"] == D(surcharge)
    parts = row["gross_amount"] - row["discount_amount"] + row["shipping_amount"] + row["tax_amount"]
    assert parts + row["surcharge_amount"] == row["total_amount"]


def test_surcharges_given_back_are_no_goods_given_back(world: Bench) -> None:
    rows = world.query(
        "select order_id, refund_amount, refund_surcharge_amount from silver.refunds"
        " where order_id in ('4', '8', '12') order by refund_id"
    )
    assert rows == [("4", D("110.70"), D("0")), ("8", D("112"), D("12")), ("12", D("104"), D("4"))]


def test_yen_and_the_business_date(world: Bench) -> None:
    row = world.one("select * from silver.orders where order_id = '3'")
    assert (row["currency"], row["total_amount"], row["settlement_currency"]) == ("JPY", D("15000"), "EUR")
    assert row["channel_fx_rate"] == D("0.006230000000")
    assert row["business_date"] == date(2026, 9, 2)
    assert row["ordered_at"] == datetime(2026, 9, 1, 23, 30, tzinfo=UTC)


def test_a_refund_is_an_event_on_its_own_date(world: Bench) -> None:
    row = world.one("select * from silver.refunds where channel = 'shopify' and order_id = '4'")
    assert row["business_date"] == date(2026, 9, 11)
    assert (row["refund_amount"], row["refund_tax_amount"], row["refund_shipping_amount"]) == (
        D("110.70"),
        D("20.70"),
        D("10"),
    )
    assert row["is_restocked"]
    part = world.one("select * from silver.refund_lines where refund_id = '900'")
    assert (part["line_id"], part["refund_amount"], part["tax_amount"]) == ("40", D("80"), D("18.40"))


@pytest.mark.parametrize(
    ("order_id", "status", "payment_status", "is_paid", "is_test"),
    [
        ("1", "open", "paid", True, False),
        ("2", "completed", "paid", True, False),
        ("4", "partially_refunded", "partially_refunded", True, False),
        ("5", "open", "paid", True, True),
        ("6", "cancelled", "voided", False, False),
        ("7", "open", "something_new", False, False),
    ],
)
def test_states(world: Bench, order_id: str, status: str, payment_status: str, is_paid: bool, is_test: bool) -> None:
    row = world.one(f"select * from silver.orders where channel = 'shopify' and order_id = '{order_id}'")
    assert (row["status"], row["payment_status"], row["is_paid"], row["is_test"]) == (
        status,
        payment_status,
        is_paid,
        is_test,
    )


def test_what_breaks_a_rule_is_in_quarantine_with_the_reason(world: Bench) -> None:
    rows = world.query("select coalesce(order_name, order_id), reject_reason from quarantine.silver_orders")
    assert {name: reason.rstrip("; ") for name, reason in rows} == {
        "#90": "negative or missing quantity on a sale; totals do not add up",
        "#91": "unknown currency",
        "#92": "totals do not add up",
        "#94": "totals do not add up",
        "#93": "no order lines; totals do not add up",
        "": "missing order id",
        "#95": "missing order time",
        "T3": "negative or missing quantity on a sale",
        "T4": "line is neither sale nor return",
    }
    kept_out = {"90", "91", "92", "93", "94", "95", "T3", "T4", ""}
    assert not kept_out & {order_id for (order_id,) in world.query("select order_id from silver.orders")}
    assert not kept_out & {order_id for (order_id,) in world.query("select order_id from silver.order_lines")}


def test_lines_of_kept_out_orders_are_in_quarantine(world: Bench) -> None:
    rows = world.query("select channel, order_id from quarantine.silver_order_lines where reject_reason is not null")
    assert sorted(order_id for channel, order_id in rows if channel == "shopify") == ["90", "91", "92", "94", "95"]
    assert sorted(order_id for channel, order_id in rows if channel == "pos") == ["", "T3", "T4", "T5"]


def test_a_receipt_becomes_an_order_whichever_way_its_tax_is_stated(world: Bench) -> None:
    # Line 1: 61.50 paid with 11.50 tax inside after 6.15 off; line 2: 100.00 paid with 23.00 tax on top.
    assert amounts(world, "pos", "T1") == (D("156.15"), D("6.15"), D("0"), D("34.50"), D("184.50"))
    row = world.one("select * from silver.orders where order_id = 'T1'")
    assert (row["person_id"], row["store_id"], row["status"], row["is_paid"]) == ("p_9", "DUB1", "completed", True)
    assert world.one("select price_amount from silver.order_lines where item_id = 'ORPHAN'") == {
        "price_amount": D("25")
    }


def test_returns_of_the_till_are_refunds_not_negative_sales(world: Bench) -> None:
    row = world.one("select * from silver.refunds where refund_id = 'T2'")
    assert (row["order_id"], row["business_date"]) == (None, date(2026, 9, 20))
    assert (row["refund_amount"], row["refund_tax_amount"]) == (D("61.50"), D("11.50"))
    part = world.one("select * from silver.refund_lines where refund_id = 'T2'")
    assert (part["quantity"], part["refund_amount"], part["tax_amount"]) == (1, D("50"), D("11.50"))
    mixed = world.one("select * from silver.refunds where refund_id = 'T6'")
    assert (mixed["order_id"], mixed["refund_amount"]) == ("T6", D("4"))
    assert amounts(world, "pos", "T6")[0] == D("10")
    assert not world.query("select 1 from silver.order_lines where quantity < 0")


def test_items_no_catalogue_knows_stay_in_sales_and_are_listed(world: Bench) -> None:
    row = world.one("select * from silver.orphan_items where item_id = 'ORPHAN'")
    assert (row["line_count"], row["quantity"], row["line_total_amount"]) == (1, 4, D("123"))


def test_payments(world: Bench) -> None:
    rows = world.query(
        "select payment_id, kind, payment_amount from silver.payments where order_id in ('4', 'T1', '77') order by 1"
    )
    assert rows == [
        ("400", "sale", D("110.70")),
        ("401", "refund", D("110.70")),
        ("T1", "sale", D("184.50")),
        ("export:77", "sale", D("123")),
    ]
    assert world.one("select kind, payment_amount from silver.payments where payment_id = 'T2:return'") == {
        "kind": "refund",
        "payment_amount": D("61.50"),
    }


def test_where_the_api_knows_an_exported_order_its_row_wins(world: Bench) -> None:
    assert world.query("select source_table from silver.orders where channel = 'shopify' and order_id = '1'") == [
        ("shopify_orders",)
    ]
    assert world.query("select count(*) from silver.order_lines where channel = 'shopify' and order_id = '1'") == [(2,)]


def test_exports_say_neither_where_tax_is_nor_what_a_discount_covers(world: Bench) -> None:
    assert amounts(world, "shopify", "77") == (D("100"), D("0"), D("0"), D("23"), D("123"))
    assert amounts(world, "shopify", "78") == (D("90"), D("10"), D("5"), D("8"), D("93"))
    lines = world.query(
        "select line_id, discount_amount, tax_amount, line_total_amount from silver.order_lines"
        " where order_id = '78' order by 1"
    )
    assert lines == [
        ("1", D("6.6667"), D("5.3333"), D("58.6666")),
        ("2", D("3.3333"), D("2.6667"), D("29.3334")),
    ]
    # Etsy collected the tax itself: the order adds up without it.
    assert amounts(world, "etsy", "E1") == (D("40"), D("0"), D("4"), D("0"), D("44"))
    assert amounts(world, "ebay", "B1")[4] == D("20")
    assert world.one("select refund_amount, refund_tax_amount from silver.refunds where order_id = '77'") == {
        "refund_amount": D("12.30"),
        "refund_tax_amount": D("2.30"),
    }


def test_items_and_costs(world: Bench) -> None:
    row = world.one("select * from silver.items where item_id = 'RT-000001'")
    assert (row["category"], row["material"], row["acquired_date"]) == ("furniture", "walnut", date(2026, 7, 1))
    costs = world.query("select item_id, cost_date, currency, cost_amount from silver.item_costs order by 1")
    assert costs == [
        ("RT-000001", date(2026, 7, 1), "GBP", D("30")),
        ("RT-000002", date(2026, 8, 1), "EUR", D("40")),
    ]


def test_fees_come_from_the_ledger(world: Bench) -> None:
    rows = world.query(
        "select fee_type, order_id, payout_id, fee_amount from silver.fees where channel = 'shopify' order by 1"
    )
    assert rows == [("processing_fee", "1", "7", D("3")), ("shipping_label", "1", "7", D("8.5"))]


def test_shipments(world: Bench) -> None:
    row = world.one("select * from silver.shipments")
    assert (row["order_id"], row["carrier"], row["tracking_number"], row["status"]) == (
        "2",
        "An Post",
        "RT1IE",
        "delivered",
    )


def test_rates_are_carried_over_days_without_one_but_not_for_long(world: Bench) -> None:
    rows = dict(
        world.query("select rate_date::varchar, source_rate_date::varchar from silver.fx_daily where currency = 'USD'")
    )
    assert "2026-08-27" not in rows
    assert rows["2026-08-30"] == rows["2026-08-31"] == "2026-08-28"
    assert rows["2026-09-01"] == rows["2026-09-08"] == "2026-09-01"
    assert "2026-09-09" not in rows
    rate = world.one("select fx_rate from silver.fx_daily where currency = 'USD' and rate_date = '2026-09-01'")
    assert rate == {"fx_rate": D("0.833333333333")}


def test_people_of_all_channels(world: Bench) -> None:
    row = world.one("select * from silver.customers where person_id = 'p_1'")
    assert (row["country"], row["postcode_area"], row["locale"], row["email_consent"]) == ("IE", "D02", "en-IE", True)
    assert row["channels"] == "shopify"
    assert world.one("select channels from silver.customers where person_id = 'p_9'") == {"channels": "pos"}


def test_money_is_decimal_and_never_float(world: Bench) -> None:
    money = world.query(
        "select table_name, column_name, data_type from information_schema.columns "
        "where table_schema in ('silver', 'quarantine') and "
        "(column_name in ('price', 'unit_cost', 'unit_price') or regexp_matches(column_name, '(_amount|_base)$'))"
    )
    assert len(money) > 100
    assert [row for row in money if not (row[2].startswith("DECIMAL(") and row[2].endswith(",4)"))] == []
    floats = "select table_name, column_name from information_schema.columns where data_type in ('FLOAT', 'DOUBLE')"
    assert {name for _, name in world.query(f"{floats} and table_schema = 'silver'")} <= {
        "latitude", "longitude", "distance_km", "spread_km"
    }  # fmt: skip


def test_the_columns_in_the_yaml_are_the_columns_of_the_tables(dbt: Dbt, world: Bench) -> None:
    for node in dbt.manifest.nodes.values():
        if node.resource_type != "model" or node.schema not in ("silver", "quarantine"):
            continue
        columns = world.query(
            "select column_name from information_schema.columns"
            f" where table_schema = '{node.schema}' and table_name = '{node.name}' order by ordinal_position"
        )
        assert [name for (name,) in columns] == list(node.columns), node.name
        assert all(column.description.strip() for column in node.columns.values()), node.name
