"""Fixtures of the API sources' tests: accounts in memory, and what connects to them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from typing import Protocol, TypeVar

import pytest

from retreasure_assets.sources.ebay import EbayConnector
from retreasure_assets.sources.etsy import EtsyConnector
from retreasure_assets.sources.shopify import ShopifyConnector
from tests.unit.sources import fake_etsy, fake_seller, fake_shop
from tests.unit.sources.fake_etsy import FakeEtsy
from tests.unit.sources.fake_seller import FakeSeller
from tests.unit.sources.fake_shop import FakeShop


class _Closeable(Protocol):
    def close(self) -> None: ...


C = TypeVar("C", bound=_Closeable)


@pytest.fixture
def shop() -> FakeShop:
    """An empty Shopify shop."""
    return FakeShop()


@pytest.fixture
def connect_shopify(shop: FakeShop) -> Iterator[Callable[..., ShopifyConnector]]:
    """Builds connectors to ``shop``; keyword arguments as ShopifyConnector's."""
    yield from _connecting(fake_shop.connector, shop)


@pytest.fixture
def seller() -> FakeSeller:
    """An empty eBay account."""
    return FakeSeller()


@pytest.fixture
def connect_ebay(seller: FakeSeller) -> Iterator[Callable[..., EbayConnector]]:
    """Builds connectors to ``seller``; keyword arguments as EbayConnector's."""
    yield from _connecting(fake_seller.connector, seller)


@pytest.fixture
def etsy() -> FakeEtsy:
    """An empty Etsy shop."""
    return FakeEtsy()


@pytest.fixture
def connect_etsy(etsy: FakeEtsy) -> Iterator[Callable[..., EtsyConnector]]:
    """Builds connectors to ``etsy``; keyword arguments as EtsyConnector's."""
    yield from _connecting(fake_etsy.connector, etsy)


def _connecting(connector: Callable[..., C], account: object) -> Iterator[Callable[..., C]]:
    """Connectors to one account, closed at the end."""
    with ExitStack() as opened:
        yield lambda **changes: opened.enter_context(closing(connector(account, **changes)))
