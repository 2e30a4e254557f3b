"""Square as one of the platform's sources: from settings to its connector."""

from __future__ import annotations

from retreasure_assets.settings import Settings
from retreasure_assets.sources.api_source import ApiSource
from retreasure_assets.sources.square.connector import SquareConnector
from retreasure_assets.sources.square.entities import ENTITIES


def _missing(settings: Settings) -> str | None:
    if settings.square_token is None or not settings.square_token.get_secret_value():
        return "Set RETREASURE_SQUARE_TOKEN to read the till and the stock of the shop from Square."
    return None


def _connect(settings: Settings) -> SquareConnector:
    return SquareConnector(
        token=settings.square_token.get_secret_value() if settings.square_token else "",
        base_url=str(settings.square_url) if settings.square_url else None,
        history_start=settings.history_start,
    )


SOURCE = ApiSource("square", ENTITIES, _missing, _connect)
