"""Photos as one of the platform's sources: from settings to its connector."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

from retreasure_assets.lake.photos import known_photos, newer_payloads
from retreasure_assets.lake.storage import Lake
from retreasure_assets.settings import Settings
from retreasure_assets.sources.api_source import ApiSource
from retreasure_assets.sources.media.addresses import READERS
from retreasure_assets.sources.media.connector import MediaConnector, Shelf
from retreasure_assets.sources.media.entities import ENTITIES


def _missing(settings: Settings) -> str | None:
    if settings.media_enabled:
        return None
    return "Set RETREASURE_MEDIA_ENABLED=true to look for duplicate photos: each is fetched once and not kept."


def _connect(settings: Settings) -> MediaConnector:
    lake = Lake(settings.lake_path)
    return MediaConnector(
        Shelf(newer=partial(newer_payloads, lake), known=partial(known_photos, lake)),
        mirror=str(settings.media_url) if settings.media_url else None,
        photos_per_listing=settings.media_photos_per_listing,
    )


SOURCE = ApiSource(
    "media",
    ENTITIES,
    _missing,
    _connect,
    # New only when something is listed.
    silent_after=timedelta(days=30),
    reads=frozenset(READERS),
)
