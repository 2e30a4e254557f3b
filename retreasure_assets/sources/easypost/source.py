"""EasyPost as one of the platform's sources: from settings to its connector."""

from __future__ import annotations

from retreasure_assets.settings import Settings
from retreasure_assets.sources.api_source import ApiSource
from retreasure_assets.sources.easypost.connector import EasyPostConnector
from retreasure_assets.sources.easypost.entities import ENTITIES


def _missing(settings: Settings) -> str | None:
    if settings.easypost_api_key is None or not settings.easypost_api_key.get_secret_value():
        return "Set RETREASURE_EASYPOST_API_KEY to follow parcels through EasyPost."
    return None


def _connect(settings: Settings) -> EasyPostConnector:
    return EasyPostConnector(
        key=settings.easypost_api_key.get_secret_value() if settings.easypost_api_key else "",
        base_url=str(settings.easypost_url) if settings.easypost_url else None,
        history_start=settings.history_start,
    )


SOURCE = ApiSource("easypost", ENTITIES, _missing, _connect)
