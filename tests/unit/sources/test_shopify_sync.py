"""Incremental syncs: nothing lost, nothing needless, whatever happens on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.errors import ConfigurationError, PermanentSourceError, TransientSourceError
from retreasure_assets.sources.shopify import ENTITIES, ShopifyConnector
from tests.unit.sources.fake_shop import T0, Connect, FakeShop, connector, ids, order, read, stamp, store

ORDERS = ENTITIES["orders"]


def orders(count: int, step: timedelta = timedelta(hours=1)) -> list[dict[str, Any]]:
    return [order(n, T0 + n * step) for n in range(1, count + 1)]


def test_reads_all_pages_byte_for_byte(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = orders(130)
    batches = read(connect_shopify(), "orders")
    assert len(batches) > 1
    assert ids(batches) == [node["id"] for node in shop.nodes["orders"]]
    for batch in batches:
        assert batch.payloads is None
        for record in batch.records:
            assert record == shop.sent[json.loads(record)["id"]]
    assert batches[-1].cursor == {"updated_at": shop.nodes["orders"][-1]["updatedAt"]}


def test_the_next_sync_reads_back_by_the_overlap_only(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = orders(200)
    cursor = read(connect_shopify(), "orders")[-1].cursor
    again = read(connect_shopify(), "orders", cursor)
    assert ids(again) == [f"gid://shopify/Order/{n}" for n in range(200 - 48, 201)]
    assert again[-1].cursor == cursor


def test_an_order_that_was_changed_in_the_future_hides_none_from_later_syncs(
    shop: FakeShop, connect_shopify: Connect
) -> None:
    shop.nodes["orders"] = orders(3)
    shop.nodes["orders"][1]["updatedAt"] = "2049-01-01T00:00:00Z"
    now = T0 + timedelta(days=9)
    cursor = read(connect_shopify(now=lambda: now), "orders")[-1].cursor
    assert cursor == {"updated_at": stamp(now)}
    shop.nodes["orders"].append(order(4, now))
    assert "gid://shopify/Order/4" in ids(read(connect_shopify(now=lambda: now), "orders", cursor))


def test_an_empty_shop_gives_no_batches(shop: FakeShop, connect_shopify: Connect) -> None:
    for name in ENTITIES:
        assert read(connect_shopify(), name) == []


def test_records_that_change_while_they_are_read_are_not_lost(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = orders(120)
    seen: dict[str, str] = {}
    moved = iter(range(1, 6))

    def change(name: str, variables: dict[str, Any]) -> None:
        # With each page a record that was read, and one that was not, moves to the end of the sort.
        if name == "Orders" and (n := next(moved, None)):
            for node in (shop.nodes["orders"][n], shop.nodes["orders"][119 - n]):
                node["updatedAt"] = stamp(T0 + timedelta(days=30, hours=n))

    shop.before = change
    for batch in read(connect_shopify(), "orders"):
        for record in batch.records:
            node = json.loads(record)
            seen[node["id"]] = node["updatedAt"]
    assert seen == {node["id"]: node["updatedAt"] for node in shop.nodes["orders"]}


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_sync_killed_anywhere_any_number_of_times_loses_nothing(data: st.DataObject) -> None:
    shop = FakeShop()
    count = data.draw(st.integers(1, 120))
    # Few distinct times, so that pages end in the middle of one instant.
    hours = data.draw(st.lists(st.integers(0, 200), min_size=count, max_size=count))
    # At most 30 at one instant: more than the cap of them could not be paged through at all.
    shop.nodes["orders"] = [
        order(n, T0 + timedelta(hours=hour, seconds=hours[:n].count(hour) // 30)) for n, hour in enumerate(hours)
    ]
    cap = data.draw(st.sampled_from([10_000, 60, 90]))
    durable: dict[str, str] = {}
    cursor = None
    for run in range(data.draw(st.integers(0, 5))):
        for stop, batch in enumerate(connector(shop, cap=cap).batches(ORDERS, cursor, Window())):
            store(durable, batch)
            cursor = batch.cursor or cursor
            if stop >= data.draw(st.integers(0, 2)):
                break
        if data.draw(st.booleans()) and shop.nodes["orders"]:
            node = shop.nodes["orders"][data.draw(st.integers(0, count - 1))]
            node["updatedAt"] = stamp(T0 + timedelta(hours=201 + 10 * run + data.draw(st.integers(0, 9))))
    for batch in connector(shop, cap=cap).batches(ORDERS, cursor, Window()):
        store(durable, batch)
        cursor = batch.cursor or cursor
    for batch in connector(shop, cap=cap).batches(ORDERS, cursor, Window()):
        store(durable, batch)
    assert durable == {node["id"]: node["updatedAt"] for node in shop.nodes["orders"]}


def test_a_killed_sync_goes_on_at_its_page(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = orders(120)
    stream = connect_shopify().batches(ORDERS, None, Window())
    first = next(stream)
    stream.close()
    rest = read(connect_shopify(), "orders", first.cursor)
    assert ids([first]) + ids(rest) == [node["id"] for node in shop.nodes["orders"]]


def test_a_dead_page_cursor_falls_back_to_the_last_time_seen(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = orders(120)
    stream = connect_shopify().batches(ORDERS, None, Window())
    first = next(stream)
    stream.close()
    refused = []

    def refuse(name: str, variables: dict[str, Any]) -> httpx.Response | None:
        if name == "Orders" and not refused:
            refused.append(variables["after"])
            return httpx.Response(200, json={"errors": [{"message": "Invalid cursor"}]})
        return None

    shop.before = refuse
    rest = read(connect_shopify(), "orders", first.cursor)
    assert refused[0] is not None
    assert set(ids([first]) + ids(rest)) == {node["id"] for node in shop.nodes["orders"]}
    assert len(ids([first]) + ids(rest)) == 121


def test_a_refused_first_query_is_not_tried_again(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.before = lambda name, variables: httpx.Response(200, json={"errors": [{"message": "no"}]})
    with pytest.raises(PermanentSourceError):
        read(connect_shopify(bulk_threshold=10**6), "customers")
    assert len(shop.operations) == 1


def test_what_is_left_of_a_sync_may_be_gone(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = orders(60)
    stream = connect_shopify().batches(ORDERS, None, Window())
    first = next(stream)
    stream.close()
    shop.nodes["orders"] = shop.nodes["orders"][:20]
    again = read(connect_shopify(), "orders", first.cursor)
    assert again[-1].cursor == {"updated_at": shop.nodes["orders"][-1]["updatedAt"]}


def test_the_pagination_cap_is_never_reached(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = orders(700)
    batches = read(connect_shopify(cap=300), "orders")
    assert set(ids(batches)) == {node["id"] for node in shop.nodes["orders"]}
    assert len({v["query"] for v in shop.variables if "query" in v and "first" in v}) >= 3
    assert batches[-1].cursor == {"updated_at": shop.nodes["orders"][-1]["updatedAt"]}


def test_too_many_changes_in_one_second_are_named(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["customers"] = [order(n, datetime(2020, 1, 1, tzinfo=UTC)) for n in range(900)]
    with pytest.raises(PermanentSourceError, match="same second"):
        read(connect_shopify(cap=600), "customers")


def test_a_window_reads_just_that_and_leaves_the_cursor(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = orders(100)
    window = Window(T0 + timedelta(hours=10), T0 + timedelta(hours=60))
    batches = read(connect_shopify(), "orders", {"updated_at": "2030-01-01T00:00:00Z"}, window)
    assert ids(batches) == [f"gid://shopify/Order/{n}" for n in range(10, 60)]
    assert all(batch.cursor is None for batch in batches)


def test_an_open_window(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = orders(100)
    assert len(ids(read(connect_shopify(), "orders", None, Window(since=T0 + timedelta(hours=91))))) == 10
    assert len(ids(read(connect_shopify(), "orders", None, Window(until=T0 + timedelta(hours=11))))) == 10


@pytest.mark.parametrize(
    ("name", "key", "time_key"),
    [("payouts", "payouts", "issuedAt"), ("balance_transactions", "balanceTransactions", "transactionDate")],
)
def test_finances_are_read_again_for_90_days(
    shop: FakeShop, connect_shopify: Connect, name: str, key: str, time_key: str
) -> None:
    days = [T0 + timedelta(days=n) for n in range(200)]
    shop.nodes[key] = [{"id": f"gid://shopify/X/{n}", time_key: stamp(day)} for n, day in enumerate(days)]
    first = read(connect_shopify(), name)
    assert len(ids(first)) == 200
    again = read(connect_shopify(), name, first[-1].cursor)
    assert len(ids(again)) == 91


def test_a_shop_without_shopify_payments_has_no_payouts(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.has_payments = False
    assert read(connect_shopify(), "payouts") == []
    assert read(connect_shopify(), "balance_transactions") == []


def test_a_record_with_invalid_utf8_leaves_the_others(shop: FakeShop, connect_shopify: Connect) -> None:
    body = b'{"data":{"customers":{"nodes":[{"id":"a","updatedAt":"2026-01-01T00:00:00Z","firstName":"\xff"},'
    body += b'{"id":"b","updatedAt":"2026-01-02T00:00:00Z"},{"id":"c","updatedAt":"nonsense"},{"id":"d"}],'
    body += b'"pageInfo":{"hasNextPage":false}}}}'
    shop.before = lambda name, variables: httpx.Response(200, content=body)
    (batch,) = read_raw(connect_shopify(), "customers")
    assert len(batch.records) == 4
    assert b"\xff" in batch.records[0]
    assert batch.cursor == {"updated_at": "2026-01-02T00:00:00Z"}


def read_raw(connector: ShopifyConnector, name: str) -> list[RawBatch]:
    return list(connector.batches(ENTITIES[name], None, Window()))


def test_a_malformed_order_goes_through_to_bronze(shop: FakeShop, connect_shopify: Connect) -> None:
    body = b'{"data":{"orders":{"nodes":[{"id":"a","updatedAt":"2026-01-01T00:00:00Z","email":"\xff"}],'
    body += b'"pageInfo":{"hasNextPage":false}}}}'

    def answer(name: str, variables: dict[str, Any]) -> httpx.Response | None:
        return httpx.Response(200, content=body) if name == "Orders" else None

    shop.before = answer
    (batch,) = read_raw(connect_shopify(), "orders")
    assert len(batch.records) == 1


@pytest.mark.parametrize("cursor", [{"updated_at": 5}, {"scan": {"since": 1}}, {"scan": []}])
def test_a_foreign_cursor_is_named(connect_shopify: Connect, cursor: dict[str, Any]) -> None:
    with pytest.raises(PermanentSourceError, match="stored cursor"):
        read(connect_shopify(), "orders", cursor)


def test_a_watermark_that_is_no_time_is_named(connect_shopify: Connect) -> None:
    with pytest.raises(PermanentSourceError, match="watermark"):
        read(connect_shopify(), "orders", {"updated_at": "yesterday"})


@pytest.mark.parametrize(
    ("shop_name", "url"),
    [
        ("ReTreasure", "https://retreasure.myshopify.com"),
        ("retreasure.myshopify.com", "https://retreasure.myshopify.com"),
        ("https://retreasure-2.myshopify.com/", "https://retreasure-2.myshopify.com"),
    ],
)
def test_the_shops_name_in_any_form(shop_name: str, url: str) -> None:
    assert ShopifyConnector(token="t", shop=shop_name).url == f"{url}/admin/api/2026-10/graphql.json"


@pytest.mark.parametrize("shop_name", ["", "two words", "shop.example.com", "a/b", "@evil"])
def test_a_wrong_shops_name_is_named(shop_name: str) -> None:
    with pytest.raises(ConfigurationError, match="RETREASURE_SHOPIFY_SHOP"):
        ShopifyConnector(token="t", shop=shop_name)


def test_check(shop: FakeShop, connect_shopify: Connect) -> None:
    assert connect_shopify().check() == []
    with pytest.raises(PermanentSourceError, match="RETREASURE_SHOPIFY_TOKEN"):
        connect_shopify(token="shpat_wrong").check()


def test_check_names_missing_scopes_and_another_shop(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.scopes = ("read_orders", "read_products", "read_customers", "read_locations", "read_shopify_payments")
    shop.domain = "elsewhere.myshopify.com"
    wrong, all_orders, stock = connect_shopify(shop="retreasure.myshopify.com").check()
    assert "elsewhere" in wrong
    assert "RETREASURE_SHOPIFY_SHOP" in wrong
    assert "read_all_orders" in all_orders
    assert "read_inventory" in stock
    shop.domain = "retreasure.myshopify.com"
    assert connect_shopify(shop="ReTreasure").check() == [all_orders, stock]


def test_a_failing_page_keeps_the_earlier_batches(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = orders(200)
    stream = connect_shopify().batches(ORDERS, None, Window())
    got: list[RawBatch] = []
    calls = {"n": 0}

    def fail_later(name: str, variables: dict[str, Any]) -> httpx.Response | None:
        calls["n"] += 1
        return httpx.Response(503) if calls["n"] > 3 else None

    shop.before = fail_later
    with pytest.raises(TransientSourceError):
        got.extend(stream)
    assert got
    shop.before = None
    rest = read(connect_shopify(), "orders", got[-1].cursor)
    assert set(ids(got + rest)) == {node["id"] for node in shop.nodes["orders"]}
