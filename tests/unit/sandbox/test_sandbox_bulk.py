"""Bulk operations: their life, their files, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sandbox_asking import GRAPHQL, Clock

from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.shopify import SHOPIFY_TOKEN, ShopifyOptions
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world

HEADERS = {"X-Shopify-Access-Token": SHOPIFY_TOKEN}

RUN = """mutation($query: String!, $grouped: Boolean! = false) {
  bulkOperationRunQuery(query: $query, groupObjects: $grouped) {
    bulkOperation { id status url } userErrors { code field message }
  }
}"""
STATUS = "query($id: ID!) { bulkOperation(id: $id) { id status url objectCount rootObjectCount fileSize errorCode } }"
ORDERS = """{ orders { edges { node { id name
  lineItems { edges { node { __typename id sku } } } shippingLines { edges { node { __typename id title } } } } } } }"""


class Shop:
    """A shop whose clock only moves when told to."""

    def __init__(self, client: httpx.Client, clock: Clock) -> None:
        self.client = client
        self.clock = clock

    def ask(self, document: str, /, **variables: Any) -> Any:
        answer = self.client.post(GRAPHQL, json={"query": document, "variables": variables}).json()
        assert "errors" not in answer, answer
        return answer["data"]

    def run(self, query: str, *, grouped: bool = False) -> Any:
        return self.ask(RUN, query=query, grouped=grouped)["bulkOperationRunQuery"]

    def status(self, operation: str) -> Any:
        return self.ask(STATUS, id=operation)["bulkOperation"]

    def lines(self, query: str, *, grouped: bool = False) -> list[dict[str, Any]]:
        started = self.run(query, grouped=grouped)
        assert started["userErrors"] == []
        self.clock.now += 100
        done = self.status(started["bulkOperation"]["id"])
        content = self.client.get(done["url"]).content
        assert int(done["fileSize"]) == len(content)
        found = [json.loads(line) for line in content.splitlines()]
        assert int(done["objectCount"]) == len(found)
        assert int(done["rootObjectCount"]) == sum("__parentId" not in line for line in found)
        return found


@pytest.fixture(scope="module")
def small_world() -> World:
    return generate_world(WorldSpec(seed=11, days=20, scale=0.1))


@pytest.fixture
def shop(small_world: World) -> Iterator[Shop]:
    clock = Clock()
    options = ShopifyOptions(clock=clock, bulk_seconds=10, bulk_at_once=2)
    with running_sandbox(small_world, shopify=options) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        yield Shop(client, clock)


def test_an_operation_is_created_runs_and_completes(shop: Shop) -> None:
    assert shop.ask("{ currentBulkOperation { id } }")["currentBulkOperation"] is None
    started = shop.run(ORDERS)
    assert started["userErrors"] == []
    operation = started["bulkOperation"]["id"]
    assert started["bulkOperation"]["status"] == "CREATED"
    shop.clock.now += 5
    running = shop.status(operation)
    assert (running["status"], running["url"], running["fileSize"]) == ("RUNNING", None, None)
    shop.clock.now += 6
    done = shop.status(operation)
    assert done["status"] == "COMPLETED"
    assert done["errorCode"] is None
    assert shop.ask("{ currentBulkOperation { id status } }")["currentBulkOperation"]["id"] == operation
    assert shop.status("gid://shopify/BulkOperation/1") is None


@pytest.mark.parametrize("grouped", [True, False])
def test_the_file_holds_every_object_once(shop: Shop, small_world: World, grouped: bool) -> None:
    lines = shop.lines(ORDERS, grouped=grouped)
    roots = {line["id"]: line for line in lines if "__parentId" not in line}
    assert roots.keys() == {f"gid://shopify/Order/{order.order_id}" for order in small_world.orders}
    for order in small_world.orders:
        parent = f"gid://shopify/Order/{order.order_id}"
        children = [line for line in lines if line.get("__parentId") == parent]
        skus = [child["sku"] for child in children if child["__typename"] == "LineItem"]
        assert skus == [line.item_id for line in order.lines]
        assert len(children) - len(skus) == (order.shipping is not None)
    assert all("lineItems" not in root and "shippingLines" not in root for root in roots.values())
    if grouped:
        current = None
        for line in lines:
            current = line["id"] if "__parentId" not in line else current
            assert line.get("__parentId", current) == current
    else:
        assert ["__parentId" in line for line in lines] == sorted("__parentId" in line for line in lines)


def test_a_file_is_written_with_escaped_slashes_and_can_be_fetched_in_part(shop: Shop) -> None:
    started = shop.run(ORDERS)
    shop.clock.now += 100
    url = shop.status(started["bulkOperation"]["id"])["url"]
    content = shop.client.get(url, headers={"X-Shopify-Access-Token": ""}).content
    assert content.startswith(b'{"id":"gid:\\/\\/shopify\\/Order\\/')
    part = shop.client.get(url, headers={"Range": "bytes=100-"})
    assert part.status_code == 206
    assert part.content == content[100:]
    assert part.headers["content-range"] == f"bytes 100-{len(content) - 1}/{len(content)}"
    assert shop.client.get(url, headers={"Range": "bytes=10-19"}).content == content[10:20]
    assert shop.client.get(url, headers={"Range": f"bytes={len(content)}-"}).status_code == 416
    assert shop.client.get("/bulk/bulk-1.jsonl").status_code == 404


def test_a_filter_applies_and_nothing_found_leaves_no_file(shop: Shop, small_world: World) -> None:
    cut = small_world.orders[10].order_id
    found = shop.lines(f'{{ orders(query: "id:<={cut}") {{ edges {{ node {{ id }} }} }} }}')
    assert len(found) == 11
    started = shop.run('{ orders(query: "id:<1") { edges { node { id } } } }')
    shop.clock.now += 100
    done = shop.status(started["bulkOperation"]["id"])
    assert (done["status"], done["url"], done["objectCount"]) == ("COMPLETED", None, "0")


def test_a_connection_below_plain_objects_can_be_exported(shop: Shop, small_world: World) -> None:
    query = "{ shopifyPaymentsAccount { balanceTransactions { nodes { id net { amount } } } } }"
    assert len(shop.lines(query)) == len(small_world.movements)


def test_more_than_the_limit_at_once_is_refused(shop: Shop) -> None:
    first, second, third = (shop.run(ORDERS) for _ in range(3))
    assert second["userErrors"] == []
    assert third["bulkOperation"] is None
    assert third["userErrors"][0]["code"] == "LIMIT_REACHED"
    cancel = "mutation($id: ID!) { bulkOperationCancel(id: $id) { bulkOperation { status } userErrors { message } } }"
    cancelled = shop.ask(cancel, id=first["bulkOperation"]["id"])["bulkOperationCancel"]
    assert cancelled == {"bulkOperation": {"status": "CANCELED"}, "userErrors": []}
    assert shop.run(ORDERS)["userErrors"] == []
    shop.clock.now += 100
    late = shop.ask(cancel, id=second["bulkOperation"]["id"])["bulkOperationCancel"]
    assert late["bulkOperation"]["status"] == "COMPLETED"
    assert late["userErrors"]
    gone = shop.ask(cancel, id="gid://shopify/BulkOperation/1")["bulkOperationCancel"]
    assert gone["bulkOperation"] is None


def test_older_versions_allowed_one(small_world: World) -> None:
    options = ShopifyOptions(bulk_seconds=10, bulk_at_once=1, clock=Clock())
    with running_sandbox(small_world, shopify=options) as url, httpx.Client(base_url=url, headers=HEADERS) as client:
        shop = Shop(client, Clock())
        shop.run(ORDERS)
        assert shop.run(ORDERS)["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("{ orders { edges { node { id } }", "Invalid bulk query"),
        ("{ orders { edges { node { id colour } } } }", "Invalid bulk query"),
        ("{ shop { name } }", "at least one connection"),
        ("{ orders { edges { node { id } } } products { edges { node { id } } } }", "exactly one top-level field"),
        ('{ nodes(ids: ["gid://shopify/Order/1"]) { id } }', "node and nodes"),
        ("query($a: String) { orders(query: $a) { edges { node { id } } } }", "variables"),
        ("mutation { bulkOperationCancel(id: 1) { userErrors { message } } }", "exactly one query"),
        ("{ orders { edges { node { name lineItems { edges { node { id } } } } } } }", "must select the 'id' field"),
        ("{ orders { edges { node { x: id lineItems { edges { node { id } } } } } } }", "must select the 'id' field"),
        ("{ orders { edges { node { id refunds { refundLineItems { nodes { id } } } } } } }", "within a list field"),
        ("{ orders { pageInfo { hasNextPage } } }", "must select its nodes"),
        (
            "{ products { nodes { id a: media { nodes { id } } b: media { nodes { id } } c: media { nodes { id } } "
            "d: variants { nodes { id } } e: variants { nodes { id } } } } }",
            "more than 5 connections",
        ),
        (
            "{ orders { nodes { id lineItems { nodes { id product { id variants { nodes { id "
            "inventoryItem { id } } } media { nodes { id } } } } } } } }",
            None,
        ),
        (
            "{ locations { nodes { id inventoryLevels { nodes { id location { id inventoryLevels { nodes { id "
            "location { id inventoryLevels { nodes { id } } } } } } } } } } }",
            "nested more than 2 levels",
        ),
    ],
)
def test_queries_that_cannot_run_are_refused_before_they_start(shop: Shop, query: str, message: str | None) -> None:
    started = shop.run(query)
    if message is None:
        assert started["userErrors"] == []
        return
    assert started["bulkOperation"] is None
    assert started["userErrors"][0]["code"] == "INVALID"
    assert message in started["userErrors"][0]["message"]
