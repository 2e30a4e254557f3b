"""eBay as one of the platform's sources: from settings to its connector."""

from __future__ import annotations

from pydantic import SecretStr

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.settings import Settings
from retreasure_assets.sources.api_source import ApiSource
from retreasure_assets.sources.ebay.connector import API_URL, FINANCES_URL, EbayConnector
from retreasure_assets.sources.ebay.entities import ENTITIES
from retreasure_assets.sources.ebay.signing import signer


def _text(secret: SecretStr | None) -> str:
    return secret.get_secret_value() if secret else ""


def _missing(settings: Settings) -> str | None:
    wanted = {
        "RETREASURE_EBAY_CLIENT_ID": settings.ebay_client_id,
        "RETREASURE_EBAY_CLIENT_SECRET": _text(settings.ebay_client_secret),
        "RETREASURE_EBAY_REFRESH_TOKEN": _text(settings.ebay_refresh_token),
        "RETREASURE_EBAY_MARKETPLACE": settings.ebay_marketplace,
    }
    empty = [name for name, value in wanted.items() if not value]
    return f"Set {', '.join(empty)} to read eBay." if empty else None


def _connect(settings: Settings) -> EbayConnector:
    key, jwe = _text(settings.ebay_signing_key), _text(settings.ebay_signing_jwe)
    if bool(key) != bool(jwe):
        absent = "RETREASURE_EBAY_SIGNING_JWE" if key else "RETREASURE_EBAY_SIGNING_KEY"
        raise ConfigurationError(
            "eBay's signing key is given in part only.", remedy=f"Set {absent} too; both come from one key."
        )
    # A sandbox or proxy that stands in for one host stands in for both, unless it is told otherwise.
    url = str(settings.ebay_url) if settings.ebay_url else API_URL
    finances = settings.ebay_finances_url or settings.ebay_url
    return EbayConnector(
        client_id=settings.ebay_client_id or "",
        client_secret=_text(settings.ebay_client_secret),
        refresh_token=_text(settings.ebay_refresh_token),
        marketplace=settings.ebay_marketplace or "",
        url=url,
        finances_url=str(finances) if finances else FINANCES_URL,
        signer=signer(key, jwe) if key else None,
        history_start=settings.history_start,
    )


SOURCE = ApiSource("ebay", ENTITIES, _missing, _connect)
