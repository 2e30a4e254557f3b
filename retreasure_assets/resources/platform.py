"""The parts of the platform that assets work with, opened once and only when first needed.

What belongs here: turning settings into lake, vault and connectors. What does not: any decision about data.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Protocol

from retreasure_assets.allocator import share_arenas
from retreasure_assets.entities import Connector, Entity
from retreasure_assets.errors import ConfigurationError, RetreasureError
from retreasure_assets.lake.bronze import BatchResult
from retreasure_assets.lake.circuits import Circuits
from retreasure_assets.lake.helpers import HELPERS, Helpers
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.vault import Vault, open_vault
from retreasure_assets.quality.gate import Gates
from retreasure_assets.quality.intake import Intake
from retreasure_assets.quality.suite import Suite, suite_of
from retreasure_assets.quality.workplace import Workplace
from retreasure_assets.resources.readings import Readings
from retreasure_assets.resources.telling import Teller
from retreasure_assets.settings import Settings
from retreasure_assets.sources.files import FileMapping, connectors, load_mappings
from retreasure_assets.sources.files import entities as file_entities
from retreasure_assets.sources.geo import GeoIp
from retreasure_assets.sources.registry import configured_connectors, declared_entities


class Reporter(Protocol):
    """Told what happens while it happens; the command line shows progress with it."""

    def synced(self, entity: Entity, result: BatchResult) -> None:
        """A batch of an entity reached bronze."""

    def built(self, layer: str, table: str) -> None:
        """A model was built."""

    def noted(self, sentence: str) -> None:
        """Something a person should know of the work under way."""


class SilentReporter:
    """Reports nothing: runs in the UI tell their story through events and metadata."""

    def synced(self, entity: Entity, result: BatchResult) -> None:
        """See Reporter."""

    def built(self, layer: str, table: str) -> None:
        """See Reporter."""

    def noted(self, sentence: str) -> None:
        """See Reporter."""


@dataclass
class Platform:
    """Lake, vault and connectors for one settings object.

    Args:
        settings: what the environment says.
        reporter: told of each batch and model.
    """

    settings: Settings
    reporter: Reporter = field(default_factory=SilentReporter)
    #: What the run under way reads ahead of its steps.
    readings: Readings[Intake | None] = field(default_factory=Readings)

    @cached_property
    def lake(self) -> Lake:
        """The Delta tables."""
        return Lake(self.settings.lake_path)

    @cached_property
    def circuits(self) -> Circuits:
        """Which sources are left alone for a while."""
        return Circuits(self.lake)

    @cached_property
    def teller(self) -> Teller:
        """Who keeps the failure log and tells people."""
        return Teller(self.settings, self.lake)

    @cached_property
    def vault(self) -> Vault:
        """The privacy vault."""
        return open_vault(self.settings)

    @cached_property
    def helpers(self) -> Helpers:
        """Processes that judge what is large of all that is read; none where there is one core."""
        return Helpers(self.vault.keys.judging, HELPERS if self.settings.threads > 1 else 0)

    @cached_property
    def gates(self) -> Gates:
        """The gates between bronze and the models."""
        settings = self.settings
        return Gates(self.lake, settings.duckdb_memory_limit, settings.threads, settings.suites_path)

    @cached_property
    def workplace(self) -> Workplace:
        """The quarantine."""

        def suite(table: str) -> Suite:
            return suite_of("bronze", table, self.settings.suites_path)

        return Workplace(self.lake, self.entities, self.api_entities.keys(), lambda: self.vault, suite)

    @property
    def mappings(self) -> Sequence[FileMapping]:
        """File mappings, shipped and the user's own; the shipped ones alone while ``mapping_mistake`` stands."""
        return self._mappings[0]

    @property
    def mapping_mistake(self) -> ConfigurationError | None:
        """What is wrong with the user's own file mappings.

        It keeps dropped files from being read, as the mapping meant for one may be the wrong one, and nothing else.
        """
        return self._mappings[1]

    @cached_property
    def _mappings(self) -> tuple[Sequence[FileMapping], ConfigurationError | None]:
        try:
            return load_mappings(self.settings.mappings_path, taken=self.api_entities.keys()), None
        except ConfigurationError as mistake:
            told = ConfigurationError(mistake.message, remedy=f"{mistake.remedy} Until then no dropped file is read.")
            return load_mappings(None), told

    @cached_property
    def api_entities(self) -> Mapping[str, Entity]:
        """The entities that APIs feed, by bronze table."""
        return declared_entities()

    @cached_property
    def file_entities(self) -> Mapping[str, Entity]:
        """The entities that dropped files feed, by bronze table."""
        return file_entities(self.mappings)

    @cached_property
    def entities(self) -> Mapping[str, Entity]:
        """Every entity the platform can take in, by bronze table."""
        return dict(sorted({**self.api_entities, **self.file_entities}.items()))

    @cached_property
    def _apis(self) -> Mapping[str, Connector]:
        return configured_connectors(self.settings)

    @cached_property
    def _folders(self) -> Mapping[str, Connector]:
        database = self.settings.geoip_database
        return connectors(self.settings.drop_path, self.mappings, None if database is None else GeoIp(database))

    def open(self) -> None:
        """Open what threads share, before there are several; what cannot be opened says so to whoever needs it."""
        share_arenas(self.settings.threads)
        for name in ("lake", "gates", "vault", "helpers", "entities", "_apis", "_folders"):
            with suppress(RetreasureError):
                getattr(self, name)

    def connector_for(self, entity: Entity) -> Connector | None:
        """The connector that reads an entity, or None while its source is off."""
        return (self._apis if entity.table in self.api_entities else self._folders).get(entity.source)


def dbt_project_dir() -> Path:
    """Folder of the dbt project: beside the package, or where RETREASURE_DBT_PROJECT says."""
    named = os.environ.get("RETREASURE_DBT_PROJECT")
    return Path(named) if named else Path(__file__).resolve().parents[2] / "dbt_project"
