"""Shopify as one of the platform's sources: from settings to its connector."""

from __future__ import annotations

from retreasure_assets.settings import Settings
from retreasure_assets.sources.api_source import ApiSource
from retreasure_assets.sources.shopify.connector import ShopifyConnector
from retreasure_assets.sources.shopify.entities import ENTITIES


def _missing(settings: Settings) -> str | None:
    if settings.shopify_token is None or not settings.shopify_token.get_secret_value():
        return "Set RETREASURE_SHOPIFY_TOKEN and RETREASURE_SHOPIFY_SHOP to read Shopify."
    if settings.shopify_shop is None and settings.shopify_url is None:
        return "Set RETREASURE_SHOPIFY_SHOP to the shop that the token belongs to."
    return None


def _connect(settings: Settings) -> ShopifyConnector:
    return ShopifyConnector(
        token=settings.shopify_token.get_secret_value() if settings.shopify_token else "",
        shop=settings.shopify_shop,
        base_url=str(settings.shopify_url) if settings.shopify_url else None,
        history_start=settings.history_start,
    )


SOURCE = ApiSource("shopify", ENTITIES, _missing, _connect)
