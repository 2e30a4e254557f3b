"""A small world and its faces, built once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sandbox_asking import GRAPHQL, Ask

from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.shopify import SHOPIFY_TOKEN, ShopifyOptions
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world


@pytest.fixture(scope="session")
def world() -> World:
    """Sixty days of a quarter of the business."""
    return generate_world(WorldSpec(seed=7, days=60, scale=0.25))


@pytest.fixture(scope="session")
def full_world() -> World:
    """The default world: ninety days of the whole business."""
    return generate_world()


@pytest.fixture(scope="session")
def client(world: World) -> Iterator[httpx.Client]:
    """The faces of ``world`` over real HTTP, without limits that get in the way."""
    with (
        running_sandbox(world, shopify=ShopifyOptions(restore_rate=1e6, bucket=1e9)) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        yield client


@pytest.fixture(scope="session")
def ask(client: httpx.Client) -> Ask:
    """Ask the Shopify face; returns the whole answer."""

    def send(document: str, /, **variables: Any) -> dict[str, Any]:
        answer = client.post(
            GRAPHQL, json={"query": document, "variables": variables}, headers={"X-Shopify-Access-Token": SHOPIFY_TOKEN}
        )
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    return send
