"""Orders and products whose inner lists do not fit a page."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.errors import TransientSourceError
from retreasure_assets.sources.shopify import ENTITIES, ShopifyConnector
from tests.unit.sources.fake_shop import T0, Connect, FakeShop, order, stamp


def read(connector: ShopifyConnector, name: str = "orders") -> RawBatch:
    (batch,) = connector.batches(ENTITIES[name], None, Window())
    return batch


def payload(batch: RawBatch, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((batch.payloads or batch.records)[index])
    return found


def lines(node: dict[str, Any]) -> list[int]:
    return [line["n"] for line in node["lineItems"]["nodes"]]


@pytest.mark.parametrize("count", [49, 50])
def test_what_fits_is_not_asked_for_twice(shop: FakeShop, connect_shopify: Connect, count: int) -> None:
    shop.nodes["orders"] = [order(1, T0, lines=count)]
    batch = read(connect_shopify())
    assert lines(payload(batch)) == list(range(count))
    assert "OrdersById" not in shop.operations


@pytest.mark.parametrize("count", [51, 250])
def test_a_wider_page_holds_it(shop: FakeShop, connect_shopify: Connect, count: int) -> None:
    shop.nodes["orders"] = [order(1, T0, lines=count), order(2, T0 + timedelta(1))]
    batch = read(connect_shopify())
    assert batch.payloads is None
    assert lines(payload(batch)) == list(range(count))
    assert batch.records[0] == shop.sent["gid://shopify/Order/1"]
    assert shop.operations.count("OrdersById") == 1


@pytest.mark.parametrize("count", [251, 500, 501, 1234])
def test_beyond_250_the_rest_is_paged(shop: FakeShop, connect_shopify: Connect, count: int) -> None:
    shop.nodes["orders"] = [order(1, T0, lines=count), order(2, T0 + timedelta(1))]
    batch = read(connect_shopify())
    node = payload(batch)
    assert lines(node) == list(range(count))
    assert node["lineItems"]["pageInfo"]["hasNextPage"] is False
    parts = batch.records[0].split(b"\n")
    assert [len(json.loads(part)["lineItems"]["nodes"]) for part in parts] == [
        min(250, count - start) for start in range(0, count, 250)
    ]
    assert batch.payloads is not None
    assert batch.payloads[1] == batch.records[1]
    # Apart from the lines, the payload is the first part.
    first = json.loads(parts[0])
    assert {k: v for k, v in node.items() if k != "lineItems"} == {k: v for k, v in first.items() if k != "lineItems"}
    assert list(node) == list(first)


def test_an_order_that_changes_between_its_pages_is_read_again(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = [order(1, T0, lines=600)]
    changes = iter([1, 2])

    def change(name: str, variables: dict[str, Any]) -> None:
        if name == "Continuation" and (n := next(changes, None)):
            shop.nodes["orders"][0]["updatedAt"] = stamp(T0 + timedelta(hours=n))
            shop.nodes["orders"][0]["lineItems"]["nodes"].insert(0, {"id": f"x{n}", "n": -n})

    shop.before = change
    node = payload(read(connect_shopify()))
    assert lines(node) == [-2, -1, *range(600)]
    assert node["updatedAt"] == stamp(T0 + timedelta(hours=2))


def test_an_order_that_never_stands_still_is_transient(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = [order(1, T0, lines=600)]
    tick = iter(range(1, 100))

    def change(name: str, variables: dict[str, Any]) -> None:
        if name == "Continuation":
            shop.nodes["orders"][0]["updatedAt"] = stamp(T0 + timedelta(hours=next(tick)))

    shop.before = change
    with pytest.raises(TransientSourceError, match="changing"):
        read(connect_shopify())


def test_an_order_deleted_meanwhile_keeps_what_was_seen(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = [order(1, T0, lines=60)]

    def delete(name: str, variables: dict[str, Any]) -> None:
        if name == "OrdersById":
            shop.nodes["orders"] = []

    shop.before = delete
    assert lines(payload(read(connect_shopify()))) == list(range(50))


def test_a_list_that_cannot_say_that_it_goes_on(shop: FakeShop, connect_shopify: Connect) -> None:
    node = order(1, T0, refunds=1)
    node["refunds"][0]["refundLineItems"]["nodes"] = [{"id": f"rl{n}"} for n in range(120)]
    node["transactions"] = [{"id": f"t{n}"} for n in range(50)]
    shop.nodes["orders"] = [node]
    found = payload(read(connect_shopify()))
    assert len(found["refunds"][0]["refundLineItems"]["nodes"]) == 120
    assert len(found["transactions"]) == 50


def test_what_shopify_cannot_page_goes_to_quarantine(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = [order(1, T0, refunds=260), order(2, T0 + timedelta(1))]
    batch = read(connect_shopify())
    assert batch.problems is not None
    assert "refunds" in (batch.problems[0] or "")
    assert batch.problems[1] is None
    assert batch.payloads is not None
    assert batch.payloads[0] == b""
    assert len(json.loads(batch.records[0])["refunds"]) == 250
    assert batch.cursor == {"updated_at": stamp(T0 + timedelta(1))}


def test_too_costly_for_250_is_asked_for_with_less(shop: FakeShop, connect_shopify: Connect) -> None:
    shop.nodes["orders"] = [order(1, T0, lines=400)]
    refused: list[int] = []

    def refuse(name: str, variables: dict[str, Any]) -> httpx.Response | None:
        wide = name == "OrdersById" and len(refused) < 2
        if wide or (name == "Continuation" and variables["first"] > 70):
            refused.append(1)
            error = {"message": "Query cost is 1234", "extensions": {"code": "MAX_COST_EXCEEDED", "cost": 1234}}
            return httpx.Response(200, json={"errors": [error]})
        return None

    shop.before = refuse
    assert lines(payload(read(connect_shopify()))) == list(range(400))
    assert len(refused) >= 3


def test_products_with_many_variants(shop: FakeShop, connect_shopify: Connect) -> None:
    variants = [{"id": f"gid://shopify/ProductVariant/{n}"} for n in range(300)]
    product = {
        "id": "gid://shopify/Product/1",
        "updatedAt": stamp(T0),
        "variants": {"nodes": variants},
        "media": {"nodes": []},
        "metafields": {"nodes": []},
    }
    shop.nodes["products"] = [product]
    assert len(payload(read(connect_shopify(), "products"))["variants"]["nodes"]) == 300
