"""Exchange rates as one of the platform's sources: from settings to its connector."""

from __future__ import annotations

from datetime import timedelta

from retreasure_assets.settings import ECB_URL, Settings
from retreasure_assets.sources.api_source import ApiSource
from retreasure_assets.sources.fx.connector import FxConnector
from retreasure_assets.sources.fx.entities import ENTITIES


def _missing(settings: Settings) -> str | None:
    if settings.fx_enabled or settings.fx_url or settings.fx_intraday_url:
        return None
    return "Set RETREASURE_FX_ENABLED=true to read exchange rates from the ECB."


def _connect(settings: Settings) -> FxConnector:
    ecb_on = settings.fx_enabled or settings.fx_url is not None
    return FxConnector(
        ecb_url=(str(settings.fx_url) if settings.fx_url else ECB_URL) if ecb_on else None,
        intraday_url=str(settings.fx_intraday_url) if settings.fx_intraday_url else None,
        intraday_token=settings.fx_intraday_token.get_secret_value() if settings.fx_intraday_token else None,
    )


SOURCE = ApiSource(
    "fx",
    ENTITIES,
    _missing,
    _connect,
    # The ECB publishes nothing for five days around Easter and Christmas.
    silent_after=timedelta(days=6),
)
