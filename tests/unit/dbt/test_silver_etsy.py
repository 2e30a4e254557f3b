"""Etsy from raw records to silver: one case of each rule."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from bronze_bench import Bench, Dbt
from etsy_cases import records

D = Decimal


@pytest.fixture(scope="module")
def world(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One build over every case."""
    bench = Bench(dbt, tmp_path_factory.mktemp("etsy"))
    bench.ingest(*records())
    bench.build()
    return bench


def order(world: Bench, number: int) -> dict[str, object]:
    return world.one(f"select * from silver.orders where channel = 'etsy' and order_id = '{number}'")


def amounts(row: dict[str, object]) -> list[object]:
    return [row[f"{name}_amount"] for name in ("gross", "discount", "shipping", "tax", "total")]


def test_vat_within_the_prices_is_taken_out_of_goods_and_delivery(world: Bench) -> None:
    row = order(world, 1)
    # 36.80 x 16.80 / 196.80 is on the delivery.
    assert amounts(row) == [D("166.3415"), D("20.0000"), D("13.6585"), D("36.8000"), D("196.8000")]
    assert (row["status"], row["payment_status"], row["fulfilment_status"]) == ("completed", "paid", "fulfilled")
    lines = world.query(
        "select line_id, item_id, product_id, quantity, discount_amount, tax_amount, line_total_amount"
        " from silver.order_lines where channel = 'etsy' and order_id = '1' order by line_id"
    )
    assert lines == [
        ("10", "RT-000010", "10010", 1, D("10.0000"), D("16.8293"), D("90.0000")),
        ("11", "RT-000011", "10011", 2, D("10.0000"), D("16.8292"), D("90.0000")),
    ]


def test_tax_on_top_and_the_channels_own_rate(world: Bench) -> None:
    row = order(world, 2)
    assert amounts(row) == [D("80.0000"), D("0.0000"), D("20.0000"), D("8.0000"), D("108.0000")]
    assert (row["currency"], row["settlement_currency"]) == ("USD", "EUR")
    assert row["channel_fx_rate"] == D("0.833333333333")
    assert row["status"] == "partially_refunded"


def test_vat_on_top_and_gift_wrapping(world: Bench) -> None:
    assert amounts(order(world, 3)) == [D("40.0000"), D("0.0000"), D("5.0000"), D("9.0000"), D("54.0000")]


def test_yen_unpaid_and_the_local_day(world: Bench) -> None:
    row = order(world, 4)
    assert row["total_amount"] == D("15000.0000")
    assert row["business_date"] == date(2026, 9, 2)
    assert (row["status"], row["payment_status"], row["is_paid"]) == ("open", "pending", False)


def test_states(world: Bench) -> None:
    found = {
        number: tuple(order(world, number)[name] for name in ("status", "payment_status", "is_paid", "cancelled_at"))
        for number in (5, 6, 7, 8)
    }
    at = datetime(2026, 9, 11, 10, tzinfo=UTC)
    assert found == {
        5: ("partially_refunded", "partially_refunded", True, None),
        6: ("cancelled", "voided", False, at),
        7: ("cancelled", "refunded", True, at),
        # A status that nobody knows: the order counts as what its flags say, and staging keeps the word.
        8: ("open", "paid", True, None),
    }
    assert world.query("select status from silver.stg_etsy__receipts where order_id = '8'") == [("awaiting dragon",)]
    assert world.query("select item_id from silver.order_lines where order_id = '8'") == [(None,)]


def test_what_breaks_a_rule_is_kept_out_with_its_reason(world: Bench) -> None:
    found = dict(world.query("select order_id, reject_reason from quarantine.silver_orders where channel = 'etsy'"))
    assert found == {
        "9": "totals do not add up; ",
        "91": "no order lines; ",
        "92": "lines do not add up; ",
    }


def test_one_refund_told_of_thrice_is_one(world: Bench) -> None:
    found = world.query(
        "select refund_id, refund_amount, refund_tax_amount, currency from silver.refunds"
        " where channel = 'etsy' order by refund_id"
    )
    assert found == [
        # 45.00 euros at the rate of the order's own charge, with its share of the tax.
        ("11:1", D("45.0000"), D("0.0000"), "EUR"),
        ("2:1", D("54.0000"), D("4.0000"), "USD"),
        ("5:1", D("20.0000"), D("0.0000"), "EUR"),
        ("5:2", D("5.0000"), D("0.0000"), "EUR"),
        ("7:1", D("10.0000"), D("0.0000"), "EUR"),
    ]
    told = world.query("select refund_id, told_by from silver.int_etsy__refunds order by refund_id")
    assert told == [("11:1", "payment"), ("2:1", "ledger"), ("5:1", "payment"), ("5:2", "receipt"), ("7:1", "receipt")]


def test_a_refund_is_of_the_lines_that_are_named_else_of_all_by_what_was_paid(world: Bench) -> None:
    found = world.query(
        "select refund_id, line_id, item_id, quantity, refund_amount, tax_amount from silver.refund_lines"
        " where channel = 'etsy' order by refund_id, line_id"
    )
    assert found == [
        ("11:1", "111", "RT-000111", 2, D("40.0000"), D("0.0000")),
        # Half of the receipt: of 86.40 paid for the line, tax within, the rest being delivery's.
        ("2:1", "20", "RT-000020", 0, D("40.0000"), D("3.2000")),
        ("5:1", "50", "RT-000050", 0, D("20.0000"), D("0.0000")),
        ("5:2", "50", "RT-000050", 0, D("5.0000"), D("0.0000")),
        ("7:1", "70", "RT-000070", 1, D("10.0000"), D("0.0000")),
    ]


def test_variations_with_their_own_numbers_are_listings_of_their_own(world: Bench) -> None:
    found = world.query(
        "select listing_id, product_id, item_id, price_amount, quantity from silver.listings"
        " where channel = 'etsy' and product_id in ('2', '3') order by item_id"
    )
    assert found == [
        ("2", "2", "RT-2A", D("60.0000"), 1),
        ("2-RT-2B", "2", "RT-2B", D("70.0000"), 3),
        ("3", "3", "RT-3", D("50.0000"), 1),
    ]


def test_payments(world: Bench) -> None:
    found = world.query(
        "select payment_id, order_id, kind, status, currency, payment_amount from silver.payments"
        " where channel = 'etsy' and payment_id not like 'export%' order by payment_id"
    )
    assert found == [
        ("1100", "11", "sale", "success", "EUR", D("105.0000")),
        ("200", "2", "sale", "success", "USD", D("108.0000")),
        ("500", "5", "sale", "success", "EUR", D("100.0000")),
        ("adjustment:90", "5", "refund", "success", "EUR", D("20.0000")),
        ("adjustment:91", "5", "refund", "failure", "EUR", D("7.0000")),
        ("adjustment:95", "11", "refund", "success", "EUR", D("45.0000")),
    ]


def test_fees_find_their_order_and_their_payout(world: Bench) -> None:
    found = world.query(
        "select fee_id, fee_type, order_id, payout_id, fee_amount from silver.fees"
        " where channel = 'etsy' and fee_id not like '%|%' order by cast(fee_id as int)"
    )
    assert found == [
        ("2", "processing_fee", "5", "9", D("4.3000")),
        ("5", "transaction", "2", "9", D("4.3300")),
        ("6", "vat_seller_services", "2", "9", D("1.0000")),
        ("7", "listing", None, "9", D("0.1800")),
        ("8", "suspense", None, "9", D("0.0700")),
        ("13", "shipping_labels", None, "14", D("5.0000")),
        ("15", "offsite_ads_fee", "5", None, D("3.0000")),
    ]


def test_an_unknown_type_of_entry_warns(world: Bench) -> None:
    outcome = world.build("--select", "etsy_ledger_types_are_known", command="test")
    assert outcome["etsy_ledger_types_are_known"] == "warn"
    assert world.query("select ledger_type from silver.int_etsy__ledger where is_suspense") == [("moon_phase_fee",)]


def test_a_payout_equals_its_entries_and_the_balances_around_it(world: Bench) -> None:
    payouts = world.query(
        "select payout_id, gross_amount, net_amount, status from silver.payouts where channel = 'etsy' order by 1"
    )
    assert payouts == [
        ("14", D("108.4500"), D("103.4500"), "paid"),
        ("9", D("138.3300"), D("128.4500"), "paid"),
    ]
    sums = world.query(
        "select payout_id, sum(net_amount) from silver.payout_lines"
        " where channel = 'etsy' and transaction_type <> 'transfer' and payout_id is not null group by 1 order by 1"
    )
    assert sums == [("14", D("103.4500")), ("9", D("128.4500"))]
    kinds = dict(world.query("select transaction_id, transaction_type from silver.payout_lines where channel = 'etsy'"))
    assert kinds["1"] == "charge"
    assert kinds["10"] == "refund"
    assert kinds["9"] == "transfer"
    # What the bank sent back is money that the next payout takes along.
    assert kinds["12"] == "disburse_failure"
    assert kinds["9:carried_forward"] == "balance_carried_forward"


def test_the_account_wins_over_the_statement_and_the_api_over_the_file(world: Bench) -> None:
    statement = world.query("select business_date, fee_amount from silver.fees where fee_id like '%|%'")
    assert statement == [(date(2026, 8, 20), D("1.0000"))]
    assert order(world, 5)["source_table"] == "etsy_receipts"
    assert order(world, 55)["source_table"] == "etsy_sold_order_items"


def test_shipments(world: Bench) -> None:
    found = world.query(
        "select shipment_id, order_id, carrier, tracking_number from silver.shipments where channel = 'etsy' order by 1"
    )
    assert found == [("1:2", "1", None, None), ("7", "1", "An Post", "RT1IE")]


def test_listings_are_a_history(world: Bench) -> None:
    found = world.query(
        "select listing_id, item_id, state, price_amount, is_current from silver.listings"
        " where channel = 'etsy' and product_id = '1' order by valid_from"
    )
    assert found == [
        ("1", "RT-1", "active", D("50.0000"), False),
        ("1", "RT-1", "active", D("45.0000"), False),
        ("1", "RT-1", "sold_out", D("45.0000"), True),
    ]


def test_everything_holds_that_must(world: Bench) -> None:
    outcome = world.build("--exclude", "path:models/gold", command="test")
    warned = {name for name, status in outcome.items() if status == "warn" and "etsy" in name}
    assert any("status" in name for name in warned)
    assert "etsy_ledger_types_are_known" in warned
