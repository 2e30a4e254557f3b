"""The truth: consistent in itself, and what one gets by reckoning from the faces' payloads."""

from __future__ import annotations

import json
from collections import defaultdict
from datetime import timedelta
from decimal import Decimal
from importlib.resources import files
from typing import Any

import pytest
from sandbox_asking import Ask

from retreasure_assets.sandbox.truth import truth
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world
from retreasure_assets.sandbox.world_ebay_ledger import ebay_business
from retreasure_assets.sandbox.world_square import SquareBooks

ZERO = Decimal(0)


@pytest.fixture(scope="module")
def facts(world: World) -> dict[str, Any]:
    return truth(world)


def money(row: dict[str, Any], name: str) -> Decimal:
    return Decimal(row[name])


def test_it_is_json_with_four_decimals(facts: dict[str, Any]) -> None:
    assert json.loads(json.dumps(facts)) == facts
    for table in ("fct_orders", "fct_order_lines", "fct_refunds", "fct_payments", "fct_fees", "fct_payouts"):
        assert facts[table]
        for row in facts[table]:
            for name, value in row.items():
                if name.endswith(("_amount", "_base")):
                    assert value is None or len(value.partition(".")[2]) == 4


def test_orders_add_up(facts: dict[str, Any]) -> None:
    lines: dict[tuple[str, str], list[dict[str, Any]]] = defaultdict(list)
    for line in facts["fct_order_lines"]:
        lines[line["channel"], line["order_id"]].append(line)
        assert money(line, "line_total_amount") == (
            money(line, "gross_amount") - money(line, "discount_amount") + money(line, "tax_amount")
        )
        # Whole orders of 2, 4 or 5 pieces split into unit prices of four decimals.
        assert money(line, "price_amount") * line["quantity"] == money(line, "gross_amount")
    back: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for refund in facts["fct_refunds"]:
        back[refund["channel"], refund["order_id"]] += (
            money(refund, "refund_amount")
            - money(refund, "refund_tax_amount")
            - money(refund, "refund_surcharge_amount")
        )
    for order in facts["fct_orders"]:
        own = lines[order["channel"], order["order_id"]]
        for name in ("gross", "discount"):
            assert sum(money(line, f"{name}_amount") for line in own) == money(order, f"{name}_amount")
        assert money(order, "total_amount") == (
            money(order, "gross_amount")
            - money(order, "discount_amount")
            + money(order, "shipping_amount")
            + money(order, "tax_amount")
            + (money(order, "surcharge_amount") if order["channel"] == "shopify" else ZERO)
        )
        assert sum(line["quantity"] for line in own) == order["units"]
        assert money(order, "net_amount") == (
            money(order, "gross_amount")
            - money(order, "discount_amount")
            + money(order, "shipping_amount")
            - back[order["channel"], order["order_id"]]
        )
        if order["currency"] == "EUR":
            assert money(order, "total_base") == money(order, "total_amount")


def test_every_table_agrees_with_its_parts(facts: dict[str, Any], world: World) -> None:
    orders = {(row["channel"], row["order_id"]): row for row in facts["fct_orders"]}
    assert len(orders) == len(facts["fct_orders"])
    for table, key in (("fct_refunds", "refund_id"), ("fct_payments", "payment_id"), ("fct_fees", "fee_id")):
        assert len({(row["channel"], row[key]) for row in facts[table]}) == len(facts[table])
    refunds: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for refund in facts["fct_refunds"]:
        if refund["order_id"] is not None:
            refunds[refund["channel"], refund["order_id"]] += money(refund, "refund_amount")
    fees: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for fee in facts["fct_fees"]:
        if fee["order_id"] is not None:
            fees[fee["channel"], fee["order_id"]] += money(fee, "fee_base")
    paid: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for payment in facts["fct_payments"]:
        if payment["status"] == "success" and payment["kind"] in ("sale", "capture"):
            paid[payment["channel"], payment["order_id"]] += money(payment, "payment_amount")
    # What is on a Square payment and is no part of the sale.
    beside = {("pos", sale.order_id): sale.tip + sale.rounding for sale in SquareBooks(world).sales}
    for key, order in orders.items():
        assert money(order, "refund_amount") == refunds[key]
        assert money(order, "fee_base") == fees[key]
        assert paid[key] == (money(order, "total_amount") + beside.get(key, ZERO) if order["is_paid"] else ZERO)
        assert not (order["payment_status"] in ("pending", "voided", "authorized") and order["is_paid"])
    ledger: dict[tuple[str, str], Decimal] = defaultdict(lambda: ZERO)
    for movement in world.movements:
        if movement.payout_id is not None and movement.type != "TRANSFER":
            ledger["shopify", str(movement.payout_id)] += movement.net
    business = ebay_business(world)
    for entry in business.entries:
        if entry.payout_id is not None:
            ledger["ebay", entry.payout_id] += entry.signed
    for ebay_payout in business.payouts:
        ledger["ebay", ebay_payout.payout_id] -= ebay_payout.express_fee
    for paid_out in SquareBooks(world).payouts:
        ledger["pos", paid_out.payout_id] = paid_out.net
    for payout in facts["fct_payouts"]:
        if payout["channel"] == "etsy":
            continue  # Etsy pays out a balance: its own tests hold it against the ledger.
        assert money(payout, "net_amount") == ledger[payout["channel"], payout["payout_id"]]
        assert money(payout, "gross_amount") - money(payout, "fee_amount") == money(payout, "net_amount")
    assert {row["value"] for row in facts["kpis"] if row["kpi"] == "payout_difference"} == {"0.00000000"}


def test_days_add_up_to_the_facts(facts: dict[str, Any]) -> None:
    days = facts["agg_daily_sales"]
    sales = [order for order in facts["fct_orders"] if order["is_sale"]]
    assert sum(day["orders"] for day in days) == len(sales)
    assert sum(day["units"] for day in days) == sum(order["units"] for order in sales)
    for name in ("gross", "discount", "shipping", "tax", "item_cost"):
        assert sum(money(day, f"{name}_base") for day in days) == sum(money(order, f"{name}_base") for order in sales)
    back = [refund for refund in facts["fct_refunds"] if refund["is_counted"]]
    assert sum(money(day, "refund_base") for day in days) == sum(money(r, "refund_ex_tax_base") for r in back)
    for day in days:
        assert money(day, "net_base") == (
            money(day, "gross_base")
            + money(day, "shipping_base")
            - money(day, "discount_base")
            - money(day, "refund_base")
        )


def test_kpis_of_all_channels_are_those_of_each_together(facts: dict[str, Any]) -> None:
    values: dict[tuple[str, str], dict[str, Decimal]] = defaultdict(dict)
    for row in facts["kpis"]:
        assert row["channel"] not in values[row["business_date"], row["kpi"]]
        values[row["business_date"], row["kpi"]][row["channel"]] = Decimal(row["value"])
    for (day, kpi), by_channel in values.items():
        if kpi in ("gmv", "net_revenue", "orders", "units", "contribution_margin", "payout_difference"):
            everything = by_channel.pop("all")
            assert everything == sum(by_channel.values()), (day, kpi)
        elif kpi == "repeat_rate_365d":
            assert all(0 <= value <= 1 for value in by_channel.values())
    names = {row["kpi"] for row in facts["kpis"]}
    assert names >= {"gmv", "net_revenue", "fee_ratio", "contribution_margin", "aov", "refund_rate"}


def test_tests_and_unpaid_orders_are_no_sales(facts: dict[str, Any], full_world: World) -> None:
    rows = {row["order_id"]: row for row in truth(full_world)["fct_orders"]}
    checked = 0
    for order in full_world.orders:
        row = rows[str(order.order_id)]
        if order.test or (order.cancelled_at and not order.refunds):
            checked += 1
            assert not row["is_sale"]
        if order.cancelled_at:
            assert row["status"] == "cancelled"
    assert checked > 20


def amount(bag: dict[str, Any]) -> Decimal:
    return Decimal(bag["presentmentMoney"]["amount"])


def test_reckoning_from_shopifys_payloads_gives_the_same(world: World, ask: Ask, facts: dict[str, Any]) -> None:
    """The other way round: from what the API says, by the rules of the conformed model."""
    folder = files("retreasure_assets.sources.shopify") / "queries"
    document = (folder / "orders.graphql").read_text() + (folder / "order_fields.graphql").read_text()
    document = document.replace("lineItems(first: 50)", "lineItems(first: 100)")
    rows = {row["order_id"]: row for row in facts["fct_orders"] if row["channel"] == "shopify"}
    refunds = {row["refund_id"]: row for row in facts["fct_refunds"]}
    after, seen = None, 0
    while True:
        connection = ask(document, first=50, after=after)["data"]["orders"]
        for node in connection["nodes"]:
            seen += 1
            row, included = rows[node["legacyResourceId"]], node["taxesIncluded"]
            gross = discount = tax = ZERO
            for line in node["lineItems"]["nodes"]:
                line_tax = sum((amount(part["priceSet"]) for part in line["taxLines"]), ZERO)
                gross += amount(line["originalUnitPriceSet"]) * line["quantity"] - (line_tax if included else ZERO)
                discount += sum((amount(part["allocatedAmountSet"]) for part in line["discountAllocations"]), ZERO)
                tax += line_tax
            shipping = sum((amount(line["discountedPriceSet"]) for line in node["shippingLines"]["nodes"]), ZERO)
            shipping_tax = sum(
                (amount(part["priceSet"]) for line in node["shippingLines"]["nodes"] for part in line["taxLines"]), ZERO
            )
            assert money(row, "gross_amount") == gross
            assert money(row, "discount_amount") == discount
            assert money(row, "shipping_amount") == shipping - (shipping_tax if included else ZERO)
            assert money(row, "tax_amount") == tax + shipping_tax == amount(node["totalTaxSet"])
            beside = amount(node["totalTipReceivedSet"])
            if node["originalTotalDutiesSet"] is not None and not node["dutiesIncluded"]:
                beside += amount(node["originalTotalDutiesSet"])
            if node["originalTotalAdditionalFeesSet"] is not None:
                beside += amount(node["originalTotalAdditionalFeesSet"])
            assert money(row, "surcharge_amount") == beside
            assert money(row, "total_amount") == amount(node["totalPriceSet"])
            assert row["payment_status"] == node["displayFinancialStatus"].lower()
            assert row["fulfilment_status"] == node["displayFulfillmentStatus"].lower()
            for refund in node["refunds"]:
                given = refunds[refund["legacyResourceId"]]
                back = [amount(line["totalTaxSet"]) for line in refund["refundLineItems"]["nodes"]]
                back += [amount(line["taxAmountSet"]) for line in refund["refundShippingLines"]["nodes"]]
                assert money(given, "refund_amount") == amount(refund["totalRefundedSet"])
                assert money(given, "refund_tax_amount") == sum(back, ZERO)
                parts = sum((amount(line["subtotalSet"]) for line in refund["refundLineItems"]["nodes"]), ZERO)
                parts += sum(
                    (amount(line["subtotalAmountSet"]) for line in refund["refundShippingLines"]["nodes"]), ZERO
                )
                parts -= sum((amount(line["amountSet"]) for line in refund["orderAdjustments"]["nodes"]), ZERO)
                parts += sum((amount(duty["amountSet"]) for duty in refund["duties"]), ZERO)
                assert money(given, "refund_amount") == parts + (ZERO if included else sum(back, ZERO))
        if not connection["pageInfo"]["hasNextPage"]:
            break
        after = connection["pageInfo"]["endCursor"]
    assert seen == len(rows)


def test_a_longer_worlds_truth_contains_the_shorter_ones_finished_facts() -> None:
    short = generate_world(WorldSpec(days=15, scale=0.1))
    longer = generate_world(WorldSpec(days=22, scale=0.1))
    assert truth(longer.as_of(short.clock)) == truth(short)
    before, after = truth(short), truth(longer)
    # What has been charged stays charged: only what came later (refunds, payment, parcels) changes an order.
    totals = {row["order_id"]: row["total_amount"] for row in after["fct_orders"]}
    assert all(totals[row["order_id"]] == row["total_amount"] for row in before["fct_orders"])
    kept = {row["refund_id"]: row for row in after["fct_refunds"]}
    # A rate published after the clock may still apply to the last local day.
    last = (short.clock - timedelta(days=1)).date().isoformat()
    assert all(kept[row["refund_id"]] == row for row in before["fct_refunds"] if row["business_date"] <= last)


def test_counts_are_those_of_the_faces(world: World, ask: Ask, facts: dict[str, Any]) -> None:
    counts = facts["counts"]
    answer = ask("{ ordersCount { count precision } productsCount(limit: 5) { count precision } }")["data"]
    assert answer["ordersCount"] == {"count": counts["shopify_orders"], "precision": "EXACT"}
    assert answer["productsCount"] == {"count": 5, "precision": "AT_LEAST"}
    assert counts["shopify_customers"] <= counts["persons"] <= len(world.people) * 2
    assert counts["items"] == len(world.items)
