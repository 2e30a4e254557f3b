"""Settings, from the environment alone, typed and checked once.

What belongs here: every variable the platform reads. What does not: defaults that depend on the machine at
import time; nothing here touches the disk.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, HttpUrl, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from retreasure_assets.errors import ConfigurationError

ECB_URL = "https://www.ecb.europa.eu/stats/eurofxref"

#: The settings of which each switches a source on.
_SWITCHES = (
    "shopify_token",
    "etsy_refresh_token",
    "ebay_refresh_token",
    "square_token",
    "fx_enabled",
    "fx_url",
    "fx_intraday_url",
    "easypost_api_key",
)


class Settings(BaseSettings):
    """Everything that can be set, each as ``RETREASURE_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="RETREASURE_", extra="ignore", frozen=True)

    home: Path = Field(Path(".retreasure"), description="folder that holds all state")
    target: Literal["local", "azure"] = Field("local", description="where the lake and the warehouse are")
    reporting_currency: str = Field("EUR", pattern="^[A-Z]{3}$", description="currency of every *_base amount")
    business_timezone: str = Field("Europe/Dublin", description="IANA zone that decides a sale's business date")
    history_start: date = Field(date(2020, 1, 1), description="first day that a first sync asks a source for")
    duckdb_memory_limit: str = Field("1500MB", description="DuckDB's share of memory, such as 1200MB")
    threads: int = Field(2, ge=1, le=64, description="cores that bronze, DuckDB and dbt use")

    quarantine_retention_days: int = Field(
        365, ge=1, description="days that rows in quarantine are kept after they were replayed, discarded or closed"
    )

    vault_key: SecretStr | None = Field(None, description="master key, base64 of 32 bytes; else a file in the home")

    shopify_url: HttpUrl | None = Field(None, description="other server than https://<shop>.myshopify.com")
    shopify_shop: str | None = Field(None, description="the shop's myshopify name, without the domain")
    shopify_token: SecretStr | None = Field(None, description="Admin API access token (shpat_...)")

    etsy_url: HttpUrl | None = Field(None, description="other server than https://openapi.etsy.com")
    etsy_keystring: str | None = Field(None, description="the Etsy app's keystring")
    etsy_shared_secret: SecretStr | None = Field(None, description="the Etsy app's shared secret")
    etsy_refresh_token: SecretStr | None = Field(None, description="OAuth refresh token of the shop's connection")
    etsy_shop_id: int | None = Field(None, ge=1, description="the shop's number on Etsy")
    ebay_url: HttpUrl | None = Field(None, description="other server than https://api.ebay.com")
    ebay_finances_url: HttpUrl | None = Field(None, description="other server than https://apiz.ebay.com")
    ebay_client_id: str | None = Field(None, description="App ID (client id) of the eBay application")
    ebay_client_secret: SecretStr | None = Field(None, description="Cert ID (client secret) of the eBay application")
    ebay_refresh_token: SecretStr | None = Field(None, description="refresh token of the seller's consent")
    ebay_marketplace: str | None = Field(None, pattern="^EBAY_[A-Z_]+$", description="the seller's own, as EBAY_GB")
    ebay_signing_key: SecretStr | None = Field(None, description="Ed25519 private key, for sellers in the EU and UK")
    ebay_signing_jwe: SecretStr | None = Field(None, description="that key's JWE from eBay's Key Management API")
    square_url: HttpUrl | None = Field(None, description="other server than https://connect.squareup.com")
    square_token: SecretStr | None = Field(None, description="Square access token (EAAA...)")

    fx_url: HttpUrl | None = Field(None, description=f"folder of the ECB files; the public one is {ECB_URL}")
    fx_enabled: bool = Field(False, description="read exchange rates from the ECB")
    fx_intraday_url: HttpUrl | None = Field(None, description="JSON endpoint of {base, rates, timestamp}")
    fx_intraday_token: SecretStr | None = Field(None, description="bearer token of the intraday provider")

    easypost_url: HttpUrl | None = Field(None, description="other server than https://api.easypost.com")
    easypost_api_key: SecretStr | None = Field(None, description="production API key of EasyPost (EZAK...)")

    media_enabled: bool = Field(False, description="fetch each photo of what is on offer once, to find duplicates")
    media_url: HttpUrl | None = Field(None, description="mirror that serves photos at <it>/<host>/<path>")
    media_photos_per_listing: int = Field(
        10, ge=1, le=24, description="photos looked at of each listing, the main one first"
    )

    slack_token: SecretStr | None = Field(None, description="bot token of the Slack app that posts alerts (xoxb-...)")
    slack_channel: str | None = Field(None, description="Slack channel for alerts: its id, or #name")
    slack_url: HttpUrl | None = Field(None, description="other server than https://slack.com/api")
    alert_urls: SecretStr | None = Field(None, description="further channels as apprise addresses, between blanks")
    alert_repeat_hours: int = Field(24, ge=1, description="hours until an open failure is told again")
    dagster_url: HttpUrl | None = Field(None, description="where the Dagster UI is, for links in alerts")
    docs_url: HttpUrl = Field(
        HttpUrl("http://127.0.0.1:3001"), description="where `retreasure up` serves the documentation, for links"
    )
    runbook_url: str = Field("docs/runbook.md", description="where the runbook is, for links in alerts")

    geoip_database: Path | None = Field(None, description="MaxMind database (.mmdb) that tells where an address is")
    ship_from: str = Field(
        "",
        pattern="^([A-Z]{2} [A-Z0-9]{2,4})?$",
        description="country and postcode area that parcels leave from: IE T12",
    )

    @property
    def configured(self) -> bool:
        """Whether the platform has any source: an API's credentials, or a file somebody dropped."""
        if any(getattr(self, name) for name in _SWITCHES):
            return True
        refused: list[OSError] = []
        if any(files for _, _, files in os.walk(self.drop_path, onerror=refused.append)):
            return True
        # Somebody made what may not be looked into; reading it tells what is wrong.
        return any(isinstance(error, PermissionError) for error in refused)

    @property
    def lake_path(self) -> Path:
        """Folder of the Delta tables, one per ``<layer>/<table>``."""
        return self.home / "lake"

    @property
    def vault_path(self) -> Path:
        """The privacy vault's database."""
        return self.home / "vault" / "vault.sqlite"

    @property
    def drop_path(self) -> Path:
        """Where files are dropped, under ``<source>/<entity>/``."""
        return self.home / "drop"

    @property
    def mappings_path(self) -> Path:
        """Where a user keeps file mappings of their own."""
        return self.home / "mappings"

    @property
    def suites_path(self) -> Path:
        """Where a user keeps suites that take the place of the shipped ones."""
        return self.home / "suites"

    @property
    def warehouse_path(self) -> Path:
        """The DuckDB file that builds silver and gold: private to the build, disposable."""
        return self.home / "build" / "warehouse.duckdb"


def active_settings() -> Settings:
    """The settings to work with: while no source is configured, those of the sandbox's own state folder.

    The sandbox's state lives apart, so that the first real source starts clean.

    Raises:
        ConfigurationError: as ``load_settings``.
    """
    settings = load_settings()
    return settings if settings.configured else settings.model_copy(update={"home": settings.home / "sandbox"})


def load_settings() -> Settings:
    """Read the settings from the environment.

    Raises:
        ConfigurationError: a variable has a value that does not fit; the value itself is not repeated.
    """
    try:
        return Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        name = "RETREASURE_" + "_".join(str(part) for part in first["loc"]).upper()
        raise ConfigurationError(f"{name} is not valid: {first['msg']}.", remedy=f"Correct {name}.") from None
