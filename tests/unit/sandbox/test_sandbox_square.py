"""The Square face over real HTTP: what it shows, what it refuses, and that each sale of the shop is seen once."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest

from retreasure_assets.sandbox.square import SCOPES, SQUARE_TOKEN
from retreasure_assets.sandbox.square_records import SquareRecords
from retreasure_assets.sandbox.till import receipts_by_day
from retreasure_assets.sandbox.truth import planted_personal_values, truth
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_square import SquareBooks
from retreasure_assets.sandbox.world_square_ids import location_id

Json = dict[str, Any]
HEADERS = {"Authorization": f"Bearer {SQUARE_TOKEN}", "Square-Version": "2025-08-20"}


@pytest.fixture(scope="module")
def books(world: World) -> SquareBooks:
    return SquareBooks(world)


def get(client: httpx.Client, path: str, **parameters: str) -> Json:
    answer = client.get(path, params=parameters, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def post(client: httpx.Client, path: str, body: Json) -> Json:
    answer = client.post(path, json=body, headers=HEADERS)
    assert answer.status_code == 200, answer.text
    found: Json = answer.json()
    return found


def pages(client: httpx.Client, path: str, name: str, body: Json) -> list[Json]:
    found: list[Json] = []
    cursor: Json = {}
    while True:
        page = post(client, path, body | cursor)
        found += page.get(name, [])
        if "cursor" not in page:
            return found
        cursor = {"cursor": page["cursor"]}


def orders_of(world: World) -> Json:
    return {"location_ids": [location_id(world.seed)], "limit": 20}


def test_each_sale_of_the_shop_is_seen_once(client: httpx.Client, world: World, books: SquareBooks) -> None:
    in_files = {receipt.receipt_id for receipts in receipts_by_day(world).values() for receipt in receipts}
    in_square = {sale.receipt.receipt_id for sale in books.sales} | {back.receipt.receipt_id for back in books.returns}
    assert not in_files & in_square
    assert in_files | in_square == {receipt.receipt_id for receipt in world.receipts}
    shown = pages(client, "/v2/orders/search", "orders", orders_of(world))
    assert len(shown) == len({order["id"] for order in shown}) == len(in_square)
    # Ids without meaning, and no till number anywhere.
    assert all(len(order["id"]) == 28 for order in shown)
    assert "DUB1-" not in str(shown)


def test_orders_payments_and_refunds_belong_together(client: httpx.Client, world: World) -> None:
    orders = {order["id"]: order for order in pages(client, "/v2/orders/search", "orders", orders_of(world))}
    payments = {payment["order_id"]: payment for payment in get(client, "/v2/payments")["payments"]}
    for order_id, payment in payments.items():
        order = orders[order_id]
        assert order["total_money"] == payment["total_money"] == order["tenders"][0]["amount_money"]
        lines = sum(line["total_money"]["amount"] for line in order["line_items"])
        beside = order["total_tip_money"]["amount"] + order["total_service_charge_money"]["amount"]
        beside += order.get("rounding_adjustment", {}).get("amount_money", {}).get("amount", 0)
        assert lines + beside == order["total_money"]["amount"]
        if payment["source_type"] == "CASH":
            details = payment["cash_details"]
            given = details["buyer_supplied_money"]["amount"] - details["change_back_money"]["amount"]
            assert given == payment["total_money"]["amount"] <= details["buyer_supplied_money"]["amount"]
            assert given % 5 in (0, 1, 2)
    refunds = get(client, "/v2/refunds")["refunds"]
    assert refunds
    for refund in refunds:
        back = orders[refund["order_id"]]
        assert "line_items" not in back
        assert back["total_money"]["amount"] == 0
        (returned,) = back["returns"]
        assert payments[returned["source_order_id"]]["id"] == refund["payment_id"]
        assert returned["return_amounts"]["total_money"] == refund["amount_money"]
        lines = sum(line["total_money"]["amount"] for line in returned["return_line_items"])
        assert lines == refund["amount_money"]["amount"]


def test_a_payout_is_the_sum_of_its_entries(client: httpx.Client, books: SquareBooks) -> None:
    payouts = get(client, "/v2/payouts", sort_order="ASC")["payouts"]
    assert len(payouts) == len(books.payouts) > 10
    charged = []
    for payout in payouts:
        entries = get(client, f"/v2/payouts/{payout['id']}/payout-entries")["payout_entries"]
        assert sum(entry["net_amount_money"]["amount"] for entry in entries) == payout["amount_money"]["amount"]
        charged += [entry["type_charge_details"]["payment_id"] for entry in entries if entry["type"] == "CHARGE"]
    assert len(charged) == len(set(charged))
    cards = {sale.payment_id for sale in books.sales if sale.source_type == "CARD"}
    assert set(charged) <= cards
    for payout, paid in zip(payouts, books.payouts, strict=True):
        assert payout["status"] == ("PAID" if paid.at + timedelta(hours=20) < books.world.clock else "SENT")


def test_the_books_of_some_days_are_the_first_part_of_longer_ones(world: World) -> None:
    earlier = world.as_of(world.clock - timedelta(days=9, hours=7))
    whole = SquareRecords(world)
    for name in ("orders", "payments", "refunds", "payouts", "objects"):
        then, now = getattr(SquareRecords(earlier), name), getattr(whole, name)
        later = {record["id"]: record for record in now}
        assert then
        for record in then:
            seen = later[record["id"]]
            if seen["updated_at"] == record["updated_at"]:
                assert seen == record
            else:
                assert seen["updated_at"] > record["updated_at"]
        # What came to be since is not there yet.
        assert len(then) < len(now)


def test_counts_and_catalogue_are_of_what_stands_in_the_shop(client: httpx.Client, world: World) -> None:
    counts = pages(client, "/v2/inventory/counts/batch-retrieve", "counts", {"limit": 700})
    objects = pages(client, "/v2/catalog/search", "objects", {"limit": 700})
    items = [record for record in objects if record["type"] == "ITEM"]
    variations = {each["item_data"]["variations"][0]["id"]: each for each in items}
    assert {each["catalog_object_id"] for each in counts} == set(variations)
    skus = {each["item_data"]["variations"][0]["item_variation_data"]["sku"] for each in items}
    assert skus == {listing.item_id for listing in world.listings if listing.channel == "pos"}
    times = [each["calculated_at"] for each in counts]
    assert times == sorted(times, reverse=True)
    for each in counts:
        if variations[each["catalog_object_id"]]["item_data"]["is_archived"]:
            assert each["quantity"] == "0"
    categories = {record["id"] for record in objects if record["type"] == "CATEGORY"}
    assert {each["item_data"]["reporting_category"]["id"] for each in items} <= categories


def test_begin_time_of_the_catalogue_is_exclusive(client: httpx.Client) -> None:
    objects = pages(client, "/v2/catalog/search", "objects", {})
    newest = max(record["updated_at"] for record in objects)
    assert pages(client, "/v2/catalog/search", "objects", {"begin_time": newest}) == []
    before = (datetime.fromisoformat(newest) - timedelta(milliseconds=1)).isoformat()
    assert pages(client, "/v2/catalog/search", "objects", {"begin_time": before})


def test_lists_are_of_the_main_location_and_of_a_year_unless_said_otherwise(
    client: httpx.Client, world: World, books: SquareBooks
) -> None:
    stall = location_id(world.seed, "stall")
    assert get(client, "/v2/payments", location_id=stall) == {}
    assert get(client, "/v2/payouts", location_id=stall) == {}
    assert get(client, "/v2/payments", end_time="2026-01-01T00:00:00Z") == {}
    # A limit that cannot be is ignored.
    assert len(get(client, "/v2/payments", limit="5000")["payments"]) == min(100, len(books.sales))
    assert len(get(client, "/v2/payments", limit="2")["payments"]) == 2


def test_customers_are_cardholders(client: httpx.Client, world: World, books: SquareBooks) -> None:
    query = {"filter": {"updated_at": {"start_at": "2026-01-01T00:00:00Z"}}, "sort": {"field": "CREATED_AT"}}
    found = pages(client, "/v2/customers/search", "customers", {"query": query, "limit": 10})
    assert {each["reference_id"] for each in found} == {
        receipt.loyalty_id
        for receipt in world.receipts
        if receipt.loyalty_id is not None and receipt.register_id == "R2"
    }
    assert len(found) == len(books.customers)
    # Nobody there is tied to an e-mail address, so cards and addresses stay apart, as the truth says.
    assert all("email_address" not in each for each in found)
    planted = set(planted_personal_values(world))
    for each in found:
        assert {each["given_name"], each["family_name"], each["reference_id"]} <= planted


def test_truth_counts_what_the_face_shows(client: httpx.Client, world: World) -> None:
    counted = truth(world)["counts"]
    assert counted["square_orders"] == len(pages(client, "/v2/orders/search", "orders", orders_of(world)))
    assert counted["square_locations"] == len(get(client, "/v2/locations")["locations"])
    totals = [Decimal(row["gross_amount"]) for row in truth(world)["fct_payouts"] if row["channel"] == "pos"]
    assert len(totals) == counted["square_payouts"]


def test_the_token_knows_its_scopes(client: httpx.Client) -> None:
    answer = client.post("/oauth2/token/status", headers=HEADERS)
    assert (answer.status_code, answer.json()["scopes"]) == (200, list(SCOPES))


ORDERS = {"location_ids": ["?"], "query": {"sort": {"sort_field": "UPDATED_AT"}}}
FILTER = {"date_time_filter": {"updated_at": {"start_at": "2026-01-05T00:00:00Z"}}}


@pytest.mark.parametrize(
    ("path", "body", "code"),
    [
        ("/v2/orders/search", {}, "MISSING_REQUIRED_PARAMETER"),
        ("/v2/orders/search", {"location_ids": ["L"] * 11}, "ARRAY_LENGTH_TOO_LONG"),
        ("/v2/orders/search", {"location_ids": ["somebody else's"]}, "FORBIDDEN"),
        ("/v2/orders/search", {**ORDERS, "limit": 1001}, "VALUE_TOO_HIGH"),
        ("/v2/orders/search", {**ORDERS, "cursor": "bm9uZQ=="}, "INVALID_CURSOR"),
        ("/v2/orders/search", {**ORDERS, "cursor": "é"}, "INVALID_CURSOR"),
        ("/v2/orders/search", {**ORDERS, "query": {"filter": FILTER}}, "BAD_REQUEST"),
        ("/v2/orders/search", {**ORDERS, "query": {"sort": {"sort_field": "NEWEST"}}}, "INVALID_VALUE"),
        ("/v2/orders/search", {**ORDERS, "page": 2}, "UNKNOWN_BODY_PARAMETER"),
        ("/v2/catalog/search", {"begin_time": "yesterday"}, "INVALID_TIME"),
        ("/v2/inventory/counts/batch-retrieve", {"limit": 1001}, "VALUE_TOO_HIGH"),
        ("/v2/customers/search", {"limit": 101}, "VALUE_TOO_HIGH"),
    ],
)
def test_what_square_refuses(client: httpx.Client, world: World, path: str, body: Json, code: str) -> None:
    if body.get("location_ids") == ["?"]:
        body = {**body, "location_ids": [location_id(world.seed)]}
    answer = client.post(path, json=body, headers=HEADERS)
    assert answer.status_code in (400, 403)
    assert answer.json()["errors"][0]["code"] == code


def test_a_cursor_belongs_to_its_query(client: httpx.Client, world: World) -> None:
    cursor = post(client, "/v2/orders/search", orders_of(world))["cursor"]
    other = {**orders_of(world), "limit": 21, "cursor": cursor}
    answer = client.post("/v2/orders/search", json=other, headers=HEADERS)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (400, "INVALID_CURSOR")
    listed = get(client, "/v2/payments", limit="2")["cursor"]
    refused = client.get("/v2/payments", params={"limit": "3", "cursor": listed}, headers=HEADERS)
    assert refused.status_code == 400


def test_token_version_parameters_and_addresses(client: httpx.Client) -> None:
    assert client.get("/v2/locations").status_code == 401
    wrong = {"Authorization": "Bearer EAAA", "Square-Version": "2025-08-20"}
    answer = client.get("/v2/locations", headers=wrong)
    assert answer.json()["errors"][0] == {
        "category": "AUTHENTICATION_ERROR",
        "code": "UNAUTHORIZED",
        "detail": "This request could not be authorized.",
    }
    for headers, path, status in (
        (HEADERS | {"Square-Version": "newest"}, "/v2/locations", 400),
        (HEADERS, "/v2/payments?updated_since=2026-01-01", 400),
        (HEADERS, "/v2/payments?sort_field=AMOUNT", 400),
        (HEADERS, "/v2/refunds?updated_at_begin_time=2026-01-01", 400),
        (HEADERS, "/v2/payouts?updated_at_begin_time=2026-01-01T00:00:00Z", 400),
        (HEADERS, "/v2/payouts/po_none/payout-entries", 404),
        (HEADERS, "/v2/payouts/po_none/payout-entries?page=2", 400),
    ):
        assert client.get(path, headers=headers).status_code == status, path
