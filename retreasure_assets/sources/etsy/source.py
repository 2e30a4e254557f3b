"""Etsy as one of the platform's sources: from settings to its connector."""

from __future__ import annotations

from retreasure_assets.privacy.keys import load_keys
from retreasure_assets.privacy.secret_files import SecretFile
from retreasure_assets.settings import Settings
from retreasure_assets.sources.api_source import ApiSource
from retreasure_assets.sources.etsy.connector import EtsyConnector
from retreasure_assets.sources.etsy.entities import ENTITIES

_NEEDED = ("etsy_keystring", "etsy_shared_secret", "etsy_refresh_token", "etsy_shop_id")


def _missing(settings: Settings) -> str | None:
    wanting = [f"RETREASURE_{name.upper()}" for name in _NEEDED if not getattr(settings, name)]
    return f"Set {' and '.join(wanting)} to read Etsy." if wanting else None


def _connect(settings: Settings) -> EtsyConnector:
    keystring, secret, token = settings.etsy_keystring, settings.etsy_shared_secret, settings.etsy_refresh_token
    return EtsyConnector(
        keystring=keystring or "",
        shared_secret=secret.get_secret_value() if secret else "",
        refresh_token=token.get_secret_value() if token else "",
        shop_id=settings.etsy_shop_id or 0,
        store=SecretFile(settings.vault_path.with_name("etsy.tokens"), lambda: load_keys(settings).secrets),
        base_url=str(settings.etsy_url) if settings.etsy_url else None,
        history_start=settings.history_start,
    )


SOURCE = ApiSource("etsy", ENTITIES, _missing, _connect)
