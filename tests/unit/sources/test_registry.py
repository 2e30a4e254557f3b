"""Which sources are switched on by which settings."""

from __future__ import annotations

from datetime import timedelta

import pytest

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.settings import ECB_URL, load_settings
from retreasure_assets.sources.ebay import EbayConnector
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


@pytest.mark.parametrize(
    ("least", "tables"),
    [
        (timedelta(hours=48), "shopify_orders etsy_receipts ebay_orders square_orders square_payments square_refunds"),
        (
            timedelta(days=90),
            "shopify_balance_transactions shopify_payouts etsy_ledger_entries etsy_payments ebay_transactions "
            "ebay_payouts square_payouts",
        ),
    ],
    ids=["orders", "finances"],
)
def test_what_changes_late_is_read_again_for_as_long_as_it_may(least: timedelta, tables: str) -> None:
    entities = declared_entities()
    assert [table for table in tables.split() if entities[table].overlap < least] == []


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


def test_etsy_needs_all_four(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = {
        "etsy_keystring": "key",
        "etsy_shared_secret": "secret",
        "etsy_refresh_token": "1.token",
        "etsy_shop_id": "41",
    }
    for name in whole:
        for other, value in whole.items():
            monkeypatch.setenv(f"RETREASURE_{other.upper()}", "" if other == name != "etsy_shop_id" else value)
        if name == "etsy_shop_id":
            monkeypatch.delenv("RETREASURE_ETSY_SHOP_ID")
        assert names(monkeypatch) == set()
        assert missing_settings(load_settings())["etsy"] == f"Set RETREASURE_{name.upper()} to read Etsy."
    assert names(monkeypatch, **whole) == {"etsy"}


def test_square_needs_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "RETREASURE_SQUARE_TOKEN" in missing_settings(load_settings())["square"]
    assert names(monkeypatch, square_url="http://127.0.0.1:8080/") == set()
    assert names(monkeypatch, square_token="") == set()
    assert names(monkeypatch, square_token="EAAA") == {"square"}
    assert configured_connectors(load_settings())["square"].url == "http://127.0.0.1:8080"  # type: ignore[attr-defined]
    monkeypatch.delenv("RETREASURE_SQUARE_URL")
    connector = configured_connectors(load_settings())["square"]
    assert connector.url == "https://connect.squareup.com"  # type: ignore[attr-defined]


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
        "square_orders",
        "square_payments",
        "square_refunds",
        "square_customers",
        "square_locations",
        "square_catalog_objects",
        "square_inventory_counts",
        "square_payouts",
        "square_payout_entries",
        "shopify_orders",
        "shopify_products",
        "shopify_customers",
        "shopify_locations",
        "shopify_inventory_levels",
        "shopify_payouts",
        "shopify_balance_transactions",
        "etsy_listings",
        "etsy_receipts",
        "etsy_ledger_entries",
        "etsy_payments",
        "ebay_orders",
        "ebay_fulfillments",
        "ebay_inventory_items",
        "ebay_offers",
        "ebay_transactions",
        "ebay_payouts",
        "fx_ecb_rates",
        "fx_intraday_rates",
        "easypost_trackers",
        "media_photos",
    }
    assert {table for table, entity in declared_entities().items() if entity.personal} == {
        "square_orders",
        "square_payments",
        "square_refunds",
        "square_customers",
        "shopify_orders",
        "shopify_customers",
        "etsy_receipts",
        "etsy_payments",
        "ebay_orders",
        "ebay_transactions",
        "easypost_trackers",
    }


EBAY = {
    "ebay_client_id": "App",
    "ebay_client_secret": "Cert",
    "ebay_refresh_token": "v^1.1",
    "ebay_marketplace": "EBAY_GB",
}


def test_ebay_needs_the_apps_keys_the_sellers_consent_and_the_marketplace(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in EBAY.items():
        assert names(monkeypatch) == set()
        assert f"RETREASURE_{name.upper()}" in missing_settings(load_settings())["ebay"]
        monkeypatch.setenv(f"RETREASURE_{name.upper()}", value)
    assert names(monkeypatch) == {"ebay"}
    assert load_settings().configured
    connector = configured_connectors(load_settings())["ebay"]
    assert isinstance(connector, EbayConnector)
    assert "v^1.1" not in repr(load_settings()) + repr(vars(connector))


def test_one_half_of_ebays_signing_key_is_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETREASURE_EBAY_SIGNING_KEY", "MC4CAQ")
    with pytest.raises(ConfigurationError, match="RETREASURE_EBAY_SIGNING_JWE"):
        names(monkeypatch, **EBAY)
    monkeypatch.setenv("RETREASURE_EBAY_SIGNING_JWE", "ey")
    with pytest.raises(ConfigurationError, match="no Ed25519 private key"):
        names(monkeypatch)
