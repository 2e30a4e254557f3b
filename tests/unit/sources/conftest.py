"""Fixtures of the API sources' tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import pytest

from retreasure_assets.sources.shopify import ShopifyConnector
from tests.unit.sources.fake_shop import TOKEN, FakeShop


@pytest.fixture
def shop() -> FakeShop:
    """An empty shop."""
    return FakeShop()


@pytest.fixture
def connect(shop: FakeShop) -> Iterator[Callable[..., ShopifyConnector]]:
    """Builds connectors to the shop; keyword arguments as ShopifyConnector's."""
    opened: list[ShopifyConnector] = []

    def build(**changes: object) -> ShopifyConnector:
        options = {
            "token": TOKEN,
            "shop": "retreasure",
            "transport": httpx.MockTransport(shop.handle),
            "sleep": shop.sleep,
            "monotonic": shop.monotonic,
            "now": shop.now,
            **changes,
        }
        opened.append(ShopifyConnector(**options))  # type: ignore[arg-type]
        return opened[-1]

    yield build
    for connector in opened:
        connector.close()
