"""Paging the sandbox's Shopify face: every node once, in both directions, up to the platform's cap."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sandbox_asking import GRAPHQL, HEADERS, Ask, document, walk

from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.shopify import ShopifyOptions
from retreasure_assets.sandbox.shopify_connections import cursor_of, slice_of
from retreasure_assets.sandbox.shopify_orders import updated_at
from retreasure_assets.sandbox.world import World


@pytest.mark.parametrize(
    ("name", "path", "first"),
    [
        ("orders", ("orders",), 40),
        ("products", ("products",), 97),
        ("customers", ("customers",), 50),
        ("locations", ("locations",), 1),
        ("payouts", ("shopifyPaymentsAccount", "payouts"), 7),
        ("balance_transactions", ("shopifyPaymentsAccount", "balanceTransactions"), 33),
    ],
)
def test_pages_cover_everything_exactly_once(
    world: World, ask: Ask, name: str, path: tuple[str, ...], first: int
) -> None:
    nodes = walk(ask, name, path, first)
    expected = {
        "orders": len(world.orders),
        "products": sum(listing.channel == "shopify" for listing in world.listings),
        "customers": sum(person.shopify_id is not None for person in world.people),
        "locations": 2,
        "payouts": len(world.payouts),
        "balance_transactions": len(world.movements),
    }[name]
    assert len(nodes) == len({node["id"] for node in nodes}) == expected
    if "updatedAt" in nodes[0] and name != "locations":
        times = [node["updatedAt"] for node in nodes]
        assert times == sorted(times)


def test_stock_is_paged_by_location(world: World, ask: Ask) -> None:
    places = [node["id"] for node in ask(document("locations"), first=10)["data"]["locations"]["nodes"]]
    counts = [
        len(walk(ask, "inventory_levels", ("location", "inventoryLevels"), 200, location=place)) for place in places
    ]
    assert counts == [sum(listing.channel == "shopify" for listing in world.listings), 0]


@settings(max_examples=25, deadline=None)
@given(day=st.integers(0, 60), second=st.integers(0, 86399), first=st.integers(3, 250), span=st.integers(1, 30))
def test_a_window_is_paged_exactly_once(world: World, ask: Ask, day: int, second: int, first: int, span: int) -> None:
    since = datetime(2026, 1, 5, tzinfo=UTC) + timedelta(days=day, seconds=second)
    until = since + timedelta(days=span)
    text = f"updated_at:>='{since:%Y-%m-%dT%H:%M:%SZ}' AND updated_at:<'{until:%Y-%m-%dT%H:%M:%SZ}'"
    found = []
    after = None
    query = """query($first: Int!, $after: String, $query: String) {
        orders(first: $first, after: $after, query: $query, sortKey: UPDATED_AT) {
            nodes { legacyResourceId } pageInfo { hasNextPage endCursor } } }"""
    while True:
        connection = ask(query, first=first, after=after, query=text)["data"]["orders"]
        found += [int(node["legacyResourceId"]) for node in connection["nodes"]]
        after = connection["pageInfo"]["endCursor"]
        if not connection["pageInfo"]["hasNextPage"]:
            break
    wanted = [order for order in world.orders if since <= updated_at(order) < until]
    assert found == [order.order_id for order in sorted(wanted, key=lambda order: (updated_at(order), order.order_id))]


def test_a_list_can_be_read_backwards_and_from_its_end(ask: Ask) -> None:
    def ids(arguments: str) -> list[str]:
        answer = ask(f"{{ orders({arguments}, sortKey: UPDATED_AT) {{ nodes {{ id }} pageInfo {{ endCursor }} }} }}")
        connection = answer["data"]["orders"]
        return [node["id"] for node in connection["nodes"]] + [connection["pageInfo"]["endCursor"]]

    *forward, _ = ids("first: 250")
    *start, cursor = ids("first: 6, reverse: true")
    *rest, _ = ids(f'first: 250, reverse: true, after: "{cursor}"')
    assert len({*start, *rest}) == len(start) + len(rest)
    *newest, _ = ids("last: 6")
    assert newest == start[::-1]
    *_, cursor = ids("first: 5")
    *before, _ = ids(f'last: 3, before: "{cursor}"')
    assert before == forward[1:4]


@given(
    values=st.lists(st.integers(0, 9), max_size=40),
    size=st.integers(1, 12),
    reverse=st.booleans(),
)
def test_pages_of_any_list_join_to_the_list(values: list[int], size: int, reverse: bool) -> None:
    keys = sorted((value, number) for number, value in enumerate(values))
    seen: list[tuple[int, int]] = []
    arguments: dict[str, Any] = {"first": size, "reverse": reverse}
    while True:
        piece = slice_of(keys, arguments)
        seen += piece.of(keys)
        if piece.stop == piece.length:
            break
        arguments["after"] = cursor_of(seen[-1])
    assert seen == (keys[::-1] if reverse else keys)


def test_paging_ends_at_the_cap(world: World) -> None:
    options = ShopifyOptions(pagination_cap=60)
    query = "query($after: String) { orders(first: 40, after: $after) { pageInfo { hasNextPage endCursor } } }"
    with running_sandbox(world, shopify=options) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        first = client.post(GRAPHQL, json={"query": query}).json()["data"]["orders"]["pageInfo"]
        assert first["hasNextPage"]
        second = client.post(GRAPHQL, json={"query": query, "variables": {"after": first["endCursor"]}}).json()
    assert "limited to 60 objects" in second["errors"][0]["message"]
