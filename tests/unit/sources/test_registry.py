"""Which sources are switched on by which settings."""

from __future__ import annotations

import pytest

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.settings import ECB_URL, load_settings
from retreasure_assets.sources.registry import (
    API_SOURCES,
    configured_connectors,
    declared_entities,
    missing_settings,
)


def names(monkeypatch: pytest.MonkeyPatch, **settings: str) -> set[str]:
    for name, value in settings.items():
        monkeypatch.setenv(f"RETREASURE_{name.upper()}", value)
    loaded = load_settings()
    connectors = configured_connectors(loaded)
    assert set(connectors) | set(missing_settings(loaded)) == {source.name for source in API_SOURCES}
    assert not set(connectors) & set(missing_settings(loaded))
    for source, connector in connectors.items():
        assert connector.source == source
        for entity in connector.entities.values():
            assert declared_entities()[entity.table] == entity
    return set(connectors)


def test_nothing_set_nothing_on(monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(monkeypatch) == set()
    assert "RETREASURE_SHOPIFY_TOKEN" in missing_settings(load_settings())["shopify"]


def test_shopify_needs_a_token_and_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    assert names(monkeypatch, shopify_shop="retreasure") == set()
    assert names(monkeypatch, shopify_token="") == set()
    assert names(monkeypatch, shopify_token="shpat_x") == {"shopify"}
    monkeypatch.delenv("RETREASURE_SHOPIFY_SHOP")
    assert names(monkeypatch) == set()
    assert "RETREASURE_SHOPIFY_SHOP" in missing_settings(load_settings())["shopify"]
    assert names(monkeypatch, shopify_url="http://127.0.0.1:8080/shop/") == {"shopify"}
    connector = configured_connectors(load_settings())["shopify"]
    assert connector.url == "http://127.0.0.1:8080/shop/admin/api/2026-10/graphql.json"  # type: ignore[attr-defined]


def test_a_shops_name_that_cannot_be_right(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETREASURE_SHOPIFY_SHOP", "my shop")
    monkeypatch.setenv("RETREASURE_SHOPIFY_TOKEN", "shpat_x")
    with pytest.raises(ConfigurationError):
        configured_connectors(load_settings())


@pytest.mark.parametrize(
    ("settings", "entities"),
    [
        ({"fx_enabled": "true"}, {"ecb_rates"}),
        ({"fx_url": "http://127.0.0.1:8080/fx"}, {"ecb_rates"}),
        ({"fx_intraday_url": "http://127.0.0.1:8080/rates"}, {"intraday_rates"}),
        ({"fx_enabled": "true", "fx_intraday_url": "http://127.0.0.1/rates"}, {"ecb_rates", "intraday_rates"}),
    ],
)
def test_fx(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], entities: set[str]) -> None:
    assert names(monkeypatch, **settings) == {"fx"}
    assert set(configured_connectors(load_settings())["fx"].entities) == entities


def test_the_public_address_of_the_ecb_is_the_default(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ECB_URL == "https://www.ecb.europa.eu/stats/eurofxref"
    assert names(monkeypatch, fx_enabled="true") == {"fx"}


def test_tables() -> None:
    assert set(declared_entities()) == {
        "shopify_orders",
        "shopify_products",
        "shopify_customers",
        "shopify_locations",
        "shopify_inventory_levels",
        "shopify_payouts",
        "shopify_balance_transactions",
        "fx_ecb_rates",
        "fx_intraday_rates",
        "easypost_trackers",
    }
    assert {table for table, entity in declared_entities().items() if entity.personal} == {
        "shopify_orders",
        "shopify_customers",
        "easypost_trackers",
    }
