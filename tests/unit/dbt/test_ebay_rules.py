"""eBay's rules from raw records to silver: what is charged and kept back, whose tax it is, and whose word counts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from bronze_bench import Bench, Dbt, Record
from ebay_cases import records
from ebay_payloads import Json, line, offer, order, parcel, refund, summary

D = Decimal


@pytest.fixture(scope="module")
def world(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """One build over every case."""
    bench = Bench(dbt, tmp_path_factory.mktemp("ebay"))
    bench.ingest(*records())
    bench.build()
    return bench


def the_order(world: Bench, number: int) -> Json:
    return world.one(f"select * from silver.orders where order_id = '01-0000{number}-00000'")


def amounts(row: Json) -> tuple[Decimal, ...]:
    return tuple(row[f"{name}_amount"] for name in ("gross", "discount", "shipping", "tax", "total"))


@pytest.mark.parametrize(
    ("number", "expected"),
    [
        (1, ("150", "10", "7", "0", "147")),
        (2, ("100", "0", "0", "0", "100")),
        (3, ("100", "0", "0", "0", "100")),
        (4, ("100", "0", "0", "8", "108")),
        (5, ("100", "0", "10", "0", "110")),
        (6, ("100", "4", "0", "0", "96")),
    ],
)
def test_amounts(world: Bench, number: int, expected: tuple[str, ...]) -> None:
    assert amounts(the_order(world, number)) == tuple(map(D, expected))
    lines = world.one(
        "select sum(price_amount * quantity), sum(discount_amount), sum(tax_amount) from silver.order_lines"
        f" where order_id = '01-0000{number}-00000'"
    )
    assert tuple(lines.values()) == tuple(D(expected[place]) for place in (0, 1, 3))


def test_a_converted_order_is_told_as_charged_with_ebays_own_rate(world: Bench) -> None:
    row = the_order(world, 5)
    assert (row["currency"], row["settlement_currency"], row["channel_fx_rate"]) == ("GBP", "EUR", D("1.15"))
    assert world.query("select currency, refund_amount from silver.refunds where refund_id = 'R5'") == [("GBP", D(10))]
    assert the_order(world, 1)["channel_fx_rate"] is None


def test_lowered_prices_are_shared_by_price(world: Bench) -> None:
    rows = world.query(
        "select discount_amount from silver.order_lines where order_id = '01-00006-00000' order by line_id"
    )
    assert rows == [(D(3),), (D(1),)]


def test_payments_are_without_the_tax_that_ebay_remits(world: Bench) -> None:
    rows = world.query(
        "select order_id, payment_id, kind, payment_amount from silver.payments where channel = 'ebay'"
        " and order_id in ('01-00002-00000', '01-00005-00000', '01-00007-00000') order by all"
    )
    assert rows == [
        ("01-00002-00000", "P2", "sale", D(100)),
        ("01-00005-00000", "P5", "sale", D(110)),
        ("01-00005-00000", "refund:R5", "refund", D(10)),
    ]


def test_states(world: Bench) -> None:
    rows = world.query(
        "select substr(order_id, 8, 1), status, payment_status, fulfilment_status, is_paid, cancelled_at is not null"
        " from silver.orders where channel = 'ebay' and order_id like '01-%' order by order_id"
    )
    assert [row for row in rows if row[0] in "1789"] == [
        ("1", "completed", "paid", "fulfilled", True, False),
        ("7", "cancelled", "voided", "unfulfilled", False, True),
        ("8", "cancelled", "refunded", "unfulfilled", True, True),
        ("9", "open", "paid_in_kind", "teleported", False, False),
    ]


def test_refunds_are_those_that_were_paid_out(world: Bench) -> None:
    rows = world.query(
        "select refund_id, refund_amount from silver.refunds where order_id = '01-00008-00000' order by all"
    )
    # The one without any id is the second by amount of that order's.
    assert rows == [("01-00008-00000:2", D(2)), ("R1", D(40)), ("REF4", D(1))]
    [line_back] = world.query(
        "select refund_id, line_id, quantity, refund_amount from silver.refund_lines where channel = 'ebay'"
    )
    assert line_back == ("R1", "10", 1, D(40))


def test_what_does_not_add_up_is_quarantined_with_its_lines(world: Bench) -> None:
    assert world.query("select order_id, reject_reason from quarantine.silver_orders where channel = 'ebay'") == [
        ("01-00000-00000", "totals do not add up; ")
    ]
    assert world.query("select line_id from quarantine.silver_order_lines where channel = 'ebay'") == [("12",)]
    for table in ("payments", "refunds", "shipments"):
        assert world.query(f"select * from silver.{table} where order_id = '01-00000-00000'") == []


def test_the_api_wins_over_the_export(world: Bench) -> None:
    assert world.query("select title from silver.order_lines where order_id = '01-00001-00000' order by line_id") == [
        ("Clock",),
        ("Clock",),
    ]
    assert world.query("select source_table from silver.orders where order_id = '99-99999-99999'") == [
        ("ebay_orders_report",)
    ]


def test_parcels(world: Bench) -> None:
    assert world.query(
        "select shipment_id, tracking_number, order_id from silver.shipments where channel = 'ebay'"
    ) == [("TRACK1", "TRACK1", "01-00001-00000")]


def test_a_parcels_time_may_come_before_its_order_or_after_it(bench: Bench) -> None:
    link = "https://api.ebay.com/sell/fulfillment/v1/order/1/shipping_fulfillment"
    sent = {"orderFulfillmentStatus": "FULFILLED"}
    left = {"shippedDate": "2026-09-02T07:30:00.000Z", "shippingCarrierCode": "AnPost"}
    tracked = parcel(1, "RR1IE", shipmentTrackingNumber="RR1IE", **left)
    # Ids that eBay makes up for parcels without a number are the same for all orders.
    untracked = parcel(2, "999", **left)

    def shipments() -> list[tuple[Any, ...]]:
        return bench.query(
            "select order_id, shipment_id, carrier, tracking_number, strftime(shipped_at, '%d %H:%M')"
            " from silver.shipments order by all"
        )

    bench.ingest(order(1, [line(1, "40.00")], "40.00", fulfillmentHrefs=[f"{link}/RR1IE"], **sent), untracked)
    bench.build()
    assert shipments() == [("01-00001-00000", "RR1IE", None, "RR1IE", None)]
    bench.ingest(tracked, order(2, [line(2, "40.00")], "40.00", fulfillmentHrefs=[f"{link}/999"], **sent))
    bench.build()
    told = [
        ("01-00001-00000", "RR1IE", "AnPost", "RR1IE", "02 07:30"),
        ("01-00002-00000", "999", "AnPost", None, "02 07:30"),
    ]
    assert shipments() == told
    # The same of another order is another parcel, and a correction replaces what was said.
    moved = {**left, "shippedDate": "2026-09-03T07:30:00.000Z"}
    bench.ingest(parcel(3, "999", **left), parcel(1, "RR1IE", shipmentTrackingNumber="RR1IE", **moved))
    bench.build()
    assert shipments() == [(*told[0][:4], "03 07:30"), told[1]]
    bench.build("--full-refresh")
    assert shipments() == [(*told[0][:4], "03 07:30"), told[1]]


def test_fees_have_their_sign_and_their_order(world: Bench) -> None:
    rows = world.query(
        "select fee_id, order_id, payout_id, fee_type, fee_amount from silver.fees where channel = 'ebay' order by all"
    )
    assert rows == [
        ("non_sale_charge:F1:debit:ad_fee", "01-00001-00000", "PO1", "ad_fee", D("2.5")),
        ("payout:PO1:express_payout_fee", None, "PO1", "express_payout_fee", D(2)),
        ("refund:T2:debit:1:final_value_fee", "01-00008-00000", "PO1", "final_value_fee", D(-5)),
        ("sale:T1:credit:1:final_value_fee", "01-00001-00000", "PO1", "final_value_fee", D("18.65")),
        ("sale:T1:credit:1:fixed", "01-00001-00000", "PO1", "fixed", D("0.35")),
        ("shipping_label:L1:credit:shipping_label", "01-00001-00000", "PO1", "shipping_label", D(-7)),
        ("shipping_label:L1:debit:shipping_label", "01-00001-00000", "PO1", "shipping_label", D(7)),
    ]


def test_a_payout_is_the_sum_of_its_lines(world: Bench) -> None:
    rows = world.query("select payout_id, status, gross_amount, net_amount from silver.payouts where channel = 'ebay'")
    assert sorted(rows) == [("PO1", "paid", D("87.5"), D("85.5")), ("PO2", "failed", D(5), D(5))]
    lines = world.query(
        "select transaction_type, amount, fee_amount, net_amount from silver.payout_lines"
        " where channel = 'ebay' and payout_id = 'PO1' order by all"
    )
    assert lines == [
        ("balance_transfer", D(-3), D(0), D(-3)),
        ("non_sale_charge", D("-2.5"), D(0), D("-2.5")),
        ("payout_fee", D(-2), D(0), D(-2)),
        ("refund", D(-40), D(-5), D(-35)),
        ("sale", D(147), D(19), D(128)),
        ("shipping_label", D(-7), D(0), D(-7)),
        ("shipping_label", D(7), D(0), D(7)),
    ]
    assert sum(line[3] for line in lines) == D("85.5")
    assert world.query("select net_amount from silver.payout_lines where transaction_type = 'gift_from_ebay'") == [
        (D("1.5"),)
    ]


def test_every_test_of_the_models_holds(world: Bench) -> None:
    statuses = world.build("--exclude", "path:models/gold", command="test")
    assert {name: status for name, status in statuses.items() if status == "warn" and "ebay" in name} == {}


def test_a_listing_that_is_sold_and_offered_again_has_three_stretches(bench: Bench) -> None:
    bench.ingest(
        Record("ebay_inventory_items", {"sku": "RT-000001", "product": {"title": "Clock"}}),
        offer("10.00", "ACTIVE", 1),
    )
    bench.build()
    bench.ingest(offer("10.00", "OUT_OF_STOCK", 0))
    bench.build()
    bench.ingest(offer("10.00", "ACTIVE", 1))
    bench.build()
    stretches = bench.query(
        "select listing_id, title, state, currency, price_amount, quantity, is_current from silver.listings"
        " order by valid_from"
    )
    assert stretches == [
        ("110", "Clock", "active", "GBP", D(10), 1, False),
        ("110", "Clock", "sold_out", "GBP", D(10), 0, False),
        ("110", "Clock", "active", "GBP", D(10), 1, True),
    ]
    bench.build("--full-refresh")
    assert len(bench.query("select * from silver.listings")) == 3


def test_an_orders_newer_version_replaces_all_that_hangs_on_it(bench: Bench) -> None:
    lines = [line(1, "40.00")]
    back = summary("40.00", [refund("2026-09-10T08:00:00.000Z", "4.00", refundId="R1")])
    later = {"lastModifiedDate": "2026-09-11T10:00:00.000Z", "orderPaymentStatus": "PARTIALLY_REFUNDED"}
    newest = {"lastModifiedDate": "2026-09-12T10:00:00.000Z"}
    bench.ingest(order(1, lines, "40.00", paymentSummary=back, **later))
    bench.build()
    assert bench.query("select refund_id from silver.refunds") == [("R1",)]
    bench.ingest(order(1, lines, "40.00", **newest))
    bench.build()
    assert bench.query("select refund_id from silver.refunds") == []
    assert bench.query("select payment_id from silver.payments") == [("P1",)]
    # What comes late does not overwrite.
    bench.ingest(order(1, lines, "40.00", paymentSummary=back, **later))
    bench.build()
    assert bench.query("select refund_id from silver.refunds") == []
    assert bench.query("select status from silver.orders") == [("open",)]
