"""The Shopify connector against the sandbox's Shopify, over real HTTP."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.errors import PermanentSourceError
from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.shopify import SHOPIFY_TOKEN, ShopifyOptions
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world
from retreasure_assets.sources.shopify import ENTITIES, ShopifyConnector


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world(WorldSpec(days=12, scale=0.3))


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    # Shopify's smallest plan, with a small bucket: waits are met, and refusals would be.
    with running_sandbox(world, shopify=ShopifyOptions(restore_rate=2000, bucket=1000, pagination_cap=400)) as base:
        yield base


def read(url: str, name: str, cursor: Any = None, **options: Any) -> list[RawBatch]:
    connector = ShopifyConnector(token=SHOPIFY_TOKEN, base_url=url, **{"cap": 400, **options})
    try:
        batches = list(connector.batches(ENTITIES[name], cursor, Window()))
        assert connector.http.counters.retries == 0
        return batches
    finally:
        connector.close()


def nodes(batches: list[RawBatch]) -> dict[str, Any]:
    found = {}
    for batch in batches:
        assert batch.problems is None
        for payload in batch.payloads or batch.records:
            node = json.loads(payload)
            for connection in ("lineItems", "variants"):
                if connection in node:
                    # Only pages know a page's end.
                    node[connection]["pageInfo"].pop("endCursor")
            found[node["id"]] = node
    return found


@pytest.mark.parametrize("name", sorted(ENTITIES))
def test_a_second_sync_adds_nothing(url: str, name: str) -> None:
    first = read(url, name)
    assert first
    known = {record for batch in first for record in batch.records}
    again = read(url, name, first[-1].cursor)
    assert {record for batch in again for record in batch.records} <= known
    assert again[-1].cursor == first[-1].cursor


@pytest.mark.parametrize("name", ["orders", "products"])
def test_bulk_and_pages_give_the_same(url: str, name: str) -> None:
    bulk = read(url, name, bulk_threshold=20)
    assert any("bulk" in (batch.cursor or {}) for batch in bulk)
    paged = read(url, name, bulk_threshold=10**6)
    assert nodes(bulk) == nodes(paged)
    known = {record for batch in bulk for record in batch.records}
    again = read(url, name, bulk[-1].cursor)
    assert {record for batch in again for record in batch.records} <= known


def test_a_wrong_token_is_named(url: str) -> None:
    connector = ShopifyConnector(token="shpat_wrong", base_url=url)
    with pytest.raises(PermanentSourceError, match="RETREASURE_SHOPIFY_TOKEN"):
        connector.check()


def test_a_wrong_address_is_named(url: str) -> None:
    connector = ShopifyConnector(token=SHOPIFY_TOKEN, base_url=f"{url}/elsewhere")
    with pytest.raises(PermanentSourceError, match="RETREASURE_SHOPIFY_URL"):
        connector.check()
