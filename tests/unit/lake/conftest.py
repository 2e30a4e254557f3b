"""A lake and a vault of each test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.settings import Settings
from tests.unit.lake.world import KEYS


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "it's home")


@pytest.fixture
def lake(settings: Settings) -> Lake:
    return Lake(settings.lake_path)


@pytest.fixture
def vault(settings: Settings) -> Iterator[Vault]:
    with Vault(settings.vault_path, KEYS) as vault:
        yield vault
