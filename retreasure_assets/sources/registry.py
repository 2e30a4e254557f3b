"""Which API sources there are, and which of them are switched on.

What belongs here: the list of them. What does not: how a source is switched on (its own ``source`` module), and dropped
files, whose entities come from mappings. Nothing here opens a connection or a file.
"""

from __future__ import annotations

from collections.abc import Mapping

from retreasure_assets.entities import Connector, Entity
from retreasure_assets.errors import ConfigurationError
from retreasure_assets.settings import Settings
from retreasure_assets.sources.api_source import ApiSource
from retreasure_assets.sources.easypost.source import SOURCE as EASYPOST
from retreasure_assets.sources.ebay.source import SOURCE as EBAY
from retreasure_assets.sources.etsy.source import SOURCE as ETSY
from retreasure_assets.sources.fx.source import SOURCE as FX
from retreasure_assets.sources.media.source import SOURCE as MEDIA
from retreasure_assets.sources.shopify.source import SOURCE as SHOPIFY
from retreasure_assets.sources.square.source import SOURCE as SQUARE

API_SOURCES: tuple[ApiSource, ...] = (
    SHOPIFY,
    ETSY,
    EBAY,
    SQUARE,
    FX,
    EASYPOST,
    MEDIA,
)


def declared_entities() -> dict[str, Entity]:
    """Every entity of every API source, switched on or not, by its bronze table's name."""
    return {entity.table: entity for source in API_SOURCES for entity in source.entities.values()}


def tables_read_by(source: str) -> frozenset[str]:
    """The bronze tables of other sources that a source reads."""
    return next((api.reads for api in API_SOURCES if api.name == source), frozenset())


def configured_connectors(settings: Settings) -> dict[str, Connector]:
    """The connectors whose credentials or addresses are set, by source.

    Raises:
        ConfigurationError: a setting cannot be right, such as a shop's name with a blank in it.
    """
    return {source.name: source.connect(settings) for source in API_SOURCES if source.missing(settings) is None}


def missing_settings(settings: Settings) -> Mapping[str, str]:
    """Sources that are switched off -> what to set to switch them on, as a sentence."""
    wanting = {source.name: source.missing(settings) for source in API_SOURCES}
    return {name: remedy for name, remedy in wanting.items() if remedy is not None}


def half_configured(settings: Settings) -> Mapping[str, ConfigurationError]:
    """Sources that have some of their settings but cannot be read with them -> what is missing.

    A source without any setting is just off.
    """
    given = [name for name in settings.model_fields_set if getattr(settings, name)]
    return {
        source: ConfigurationError(f"The source {source} is configured in part only.", remedy=remedy)
        for source, remedy in missing_settings(settings).items()
        if any(name.startswith(f"{source}_") for name in given)
    }
