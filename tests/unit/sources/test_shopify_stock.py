"""Stock is read location by location, since Shopify lists none by itself: nothing lost, whatever happens on the way."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.entities import Window
from retreasure_assets.errors import MalformedInputError, PermanentSourceError
from retreasure_assets.sources.shopify import ENTITIES
from tests.unit.sources.fake_shop import T0, Connect, FakeShop, connector, ids, read, stamp, store


def stock(shop: FakeShop, per_location: int = 150) -> None:
    shop.nodes["locations"] = [{"id": f"gid://shopify/Location/{n}", "updatedAt": stamp(T0)} for n in (1, 2, 3)]
    shop.levels = {
        f"gid://shopify/Location/{place}": [
            {"id": f"gid://shopify/InventoryLevel/{place}{n:04}", "updatedAt": stamp(T0 + timedelta(minutes=n))}
            for n in range(per_location)
        ]
        for place in (1, 3)
    }


def test_stock_of_all_locations(shop: FakeShop, connect_shopify: Connect) -> None:
    stock(shop)
    batches = read(connect_shopify(), "inventory_levels")
    assert len(set(ids(batches))) == len(ids(batches)) == 300
    assert batches[-1].cursor == {"updated_at": stamp(T0 + timedelta(minutes=149))}
    assert read(connect_shopify(), "inventory_levels", batches[-1].cursor) != []


@pytest.mark.parametrize("broken", [{"id": None}, {"name": "x"}, "text"])
def test_a_location_without_an_id_stops_the_stock_and_is_said(
    shop: FakeShop, connect_shopify: Connect, broken: Any
) -> None:
    stock(shop)
    shop.before = lambda name, variables: (
        httpx.Response(200, json={"data": {"locations": {"nodes": [broken], "pageInfo": {"hasNextPage": False}}}})
        if name == "LocationIds"
        else None
    )
    with pytest.raises(MalformedInputError, match="locations has no id"):
        read(connect_shopify(), "inventory_levels")


def test_a_killed_stock_sync_goes_on_at_its_location(shop: FakeShop, connect_shopify: Connect) -> None:
    stock(shop)
    stream = connect_shopify().batches(ENTITIES["inventory_levels"], None, Window())
    taken = [next(stream), next(stream)]
    stream.close()
    rest = read(connect_shopify(), "inventory_levels", taken[-1].cursor)
    assert len(set(ids(taken + rest))) == 300
    assert len(ids(rest)) < 300


@pytest.mark.parametrize("window", [Window(), Window(since=T0), Window(until=T0 + timedelta(days=99))])
def test_more_stock_than_can_be_paged_is_read_in_parts(
    shop: FakeShop, connect_shopify: Connect, window: Window
) -> None:
    stock(shop, per_location=1500)
    batches = read(connect_shopify(cap=500), "inventory_levels", None, window)
    assert len(set(ids(batches))) == 3000
    # Half a part is read twice here, where ids are in the order of time.
    assert len(ids(batches)) < 9000
    if window == Window():
        assert batches[-1].cursor == {"updated_at": stamp(T0 + timedelta(minutes=1499))}


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_stock_sync_killed_anywhere_loses_nothing(data: st.DataObject) -> None:
    shop = FakeShop()
    stock(shop, per_location=0)
    for place in shop.levels:
        minutes = data.draw(st.lists(st.integers(0, 5000), max_size=400))
        shop.levels[place] = [
            {"id": f"{place}/{n:04}", "updatedAt": stamp(T0 + timedelta(minutes=minute))}
            for n, minute in enumerate(minutes)
        ]
    durable: dict[str, str] = {}
    cursor = None
    for _ in range(data.draw(st.integers(0, 4))):
        stop = data.draw(st.integers(0, 3))
        for index, batch in enumerate(connector(shop, cap=350).batches(ENTITIES["inventory_levels"], cursor, Window())):
            store(durable, batch)
            cursor = batch.cursor
            if index >= stop:
                break
    for batch in connector(shop, cap=350).batches(ENTITIES["inventory_levels"], cursor, Window()):
        store(durable, batch)
        cursor = batch.cursor
    assert durable == {node["id"]: node["updatedAt"] for nodes in shop.levels.values() for node in nodes}
    assert cursor is None or set(cursor) == {"updated_at"}


def test_too_much_stock_that_changed_in_one_second_is_named(shop: FakeShop, connect_shopify: Connect) -> None:
    stock(shop, per_location=600)
    for node in shop.levels["gid://shopify/Location/1"]:
        node["updatedAt"] = stamp(T0)
    with pytest.raises(PermanentSourceError, match="inventory levels changed in the same second"):
        read(connect_shopify(cap=400), "inventory_levels")


def test_a_stale_stock_sync_starts_anew(shop: FakeShop, connect_shopify: Connect) -> None:
    stock(shop)
    stream = connect_shopify().batches(ENTITIES["inventory_levels"], None, Window())
    taken = [next(stream), next(stream)]
    stream.close()
    shop.time += 25 * 3600
    assert len(set(ids(read(connect_shopify(), "inventory_levels", taken[-1].cursor)))) == 300


def test_what_is_left_of_a_stock_sync_may_be_gone(shop: FakeShop, connect_shopify: Connect) -> None:
    stock(shop)
    stream = connect_shopify().batches(ENTITIES["inventory_levels"], None, Window())
    taken = [next(stream), next(stream)]
    stream.close()
    shop.levels["gid://shopify/Location/3"] = []
    shop.levels["gid://shopify/Location/1"] = shop.levels["gid://shopify/Location/1"][:50]
    again = read(connect_shopify(), "inventory_levels", taken[-1].cursor)
    assert len(ids(again)) == 50
    assert again[-1].cursor is not None
    assert set(again[-1].cursor) == {"updated_at"}


def test_locations_are_read_whole_each_time(shop: FakeShop, connect_shopify: Connect) -> None:
    stock(shop)
    cursor = read(connect_shopify(), "locations")[-1].cursor
    assert len(ids(read(connect_shopify(), "locations", cursor))) == 3
