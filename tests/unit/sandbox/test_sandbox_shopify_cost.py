"""What queries cost on the sandbox's Shopify face, and how its bucket throttles."""

from __future__ import annotations

from typing import Any

import httpx
from hypothesis import given
from hypothesis import strategies as st
from sandbox_asking import GRAPHQL, HEADERS, Ask, Clock, code, document

from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.shopify import ShopifyOptions
from retreasure_assets.sandbox.shopify_cost import Bucket, weight
from retreasure_assets.sandbox.world import World


def test_the_published_example_costs_what_it_was_seen_to_cost(ask: Ask) -> None:
    answer = ask(
        '{ product(id: "gid://shopify/Product/1") { variants(first: 250) { nodes { inventoryItem { id tracked } } } } }'
    )
    assert answer["extensions"]["cost"]["requestedQueryCost"] == 25
    assert answer["extensions"]["cost"]["actualQueryCost"] == 0
    assert [weight(nodes) for nodes in (0, 1, 2, 10, 50, 250)] == [0, 1, 1, 4, 7, 11]


def test_costs_are_told_and_never_grow(ask: Ask) -> None:
    cost = ask(document("orders"), first=50)["extensions"]["cost"]
    assert 100 < cost["requestedQueryCost"] < 1000
    assert 0 < cost["actualQueryCost"] <= cost["requestedQueryCost"]
    assert cost["throttleStatus"].keys() == {"maximumAvailable", "currentlyAvailable", "restoreRate"}
    assert ask("{ shop { name } }")["extensions"]["cost"]["requestedQueryCost"] == 1


def test_a_query_that_costs_too_much_is_refused(ask: Ask) -> None:
    inner = "lineItems(first: 250) { nodes { product { id } variant { id product: taxable } } }"
    answer = ask(f"{{ orders(first: 250) {{ nodes {{ id a: {inner} b: {inner} c: {inner} d: {inner} }} }} }}")
    assert code(answer) == "MAX_COST_EXCEEDED"
    assert "exceeds the single query max cost limit (1000)" in answer["errors"][0]["message"]


def test_the_connectors_pages_of_100_fit(ask: Ask) -> None:
    for name in ("orders", "products", "customers"):
        assert "errors" not in ask(document(name), first=100)


def test_an_empty_bucket_throttles_until_it_is_refilled(world: World) -> None:
    clock = Clock()
    options = ShopifyOptions(restore_rate=100, bucket=2000, clock=clock)
    asked = {"query": document("orders"), "variables": {"first": 100}}
    with running_sandbox(world, shopify=options) as url, httpx.Client(base_url=url, headers=HEADERS) as client:

        def post() -> dict[str, Any]:
            answer = client.post(GRAPHQL, json=asked)
            assert answer.status_code == 200
            found: dict[str, Any] = answer.json()
            return found

        answer = post()
        for _ in range(30):
            if "errors" in answer:
                break
            answer = post()
        assert answer["errors"][0]["message"] == "Throttled"
        assert code(answer) == "THROTTLED"
        assert "data" not in answer
        cost = answer["extensions"]["cost"]
        assert cost["actualQueryCost"] is None
        missing = cost["requestedQueryCost"] - cost["throttleStatus"]["currentlyAvailable"]
        assert missing > 0
        clock.now += missing / 100 + 0.1
        assert "errors" not in post()


@given(st.lists(st.tuples(st.floats(0, 20), st.integers(0, 1500)), max_size=40))
def test_a_bucket_never_overflows_nor_goes_below_empty(steps: list[tuple[float, int]]) -> None:
    clock = Clock()
    bucket = Bucket(100, 1000, clock)
    for seconds, points in steps:
        clock.now += seconds
        before = bucket.status()["currentlyAvailable"]
        taken = bucket.take(points)
        assert taken or points >= before
        assert 0 <= bucket.status()["currentlyAvailable"] <= 1000
