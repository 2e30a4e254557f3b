"""Which API sources there are, and which of them are switched on.

What belongs here: from settings to connectors. What does not: dropped files, whose entities come from mappings.
Nothing here opens a connection or a file.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from retreasure_assets.entities import Connector, Entity
from retreasure_assets.settings import ECB_URL, Settings
from retreasure_assets.sources.fx import ENTITIES as FX_ENTITIES
from retreasure_assets.sources.fx import FxConnector
from retreasure_assets.sources.shopify import ENTITIES as SHOPIFY_ENTITIES
from retreasure_assets.sources.shopify import ShopifyConnector


def declared_entities() -> dict[str, Entity]:
    """Every entity of every API source, switched on or not, by its bronze table's name."""
    return {entity.table: entity for entity in chain(SHOPIFY_ENTITIES.values(), FX_ENTITIES.values())}


def configured_connectors(settings: Settings) -> dict[str, Connector]:
    """The connectors whose credentials or addresses are set, by source.

    Raises:
        ConfigurationError: a setting cannot be right, such as a shop's name with a blank in it.
    """
    found: dict[str, Connector] = {}
    if "shopify" not in missing_settings(settings) and settings.shopify_token is not None:
        found["shopify"] = ShopifyConnector(
            token=settings.shopify_token.get_secret_value(),
            shop=settings.shopify_shop,
            base_url=str(settings.shopify_url) if settings.shopify_url else None,
            history_start=settings.history_start,
        )
    if "fx" not in missing_settings(settings):
        ecb_on = settings.fx_enabled or settings.fx_url is not None
        found["fx"] = FxConnector(
            ecb_url=(str(settings.fx_url) if settings.fx_url else ECB_URL) if ecb_on else None,
            intraday_url=str(settings.fx_intraday_url) if settings.fx_intraday_url else None,
            intraday_token=settings.fx_intraday_token.get_secret_value() if settings.fx_intraday_token else None,
        )
    return found


def missing_settings(settings: Settings) -> Mapping[str, str]:
    """Sources that are switched off -> what to set to switch them on, as a sentence."""
    missing: dict[str, str] = {}
    if settings.shopify_token is None or not settings.shopify_token.get_secret_value():
        missing["shopify"] = "Set RETREASURE_SHOPIFY_TOKEN and RETREASURE_SHOPIFY_SHOP to read Shopify."
    elif settings.shopify_shop is None and settings.shopify_url is None:
        missing["shopify"] = "Set RETREASURE_SHOPIFY_SHOP to the shop that the token belongs to."
    if not (settings.fx_enabled or settings.fx_url or settings.fx_intraday_url):
        missing["fx"] = "Set RETREASURE_FX_ENABLED=true to read exchange rates from the ECB."
    return missing
