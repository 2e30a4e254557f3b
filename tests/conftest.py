"""What every test shares: the published contracts, and settings that never touch a person's own state."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
CONTRACTS = REPOSITORY.parent / "shared" / "contracts"


@pytest.fixture(scope="session")
def contracts() -> Path:
    """Folder of the published API contracts and real data files; absent on a user's machine."""
    if not CONTRACTS.is_dir():
        if os.environ.get("RETREASURE_REQUIRE_CONTRACTS"):
            pytest.fail("RETREASURE_REQUIRE_CONTRACTS is set, but ../shared/contracts is not there.")
        pytest.skip("the published contracts (../shared/contracts) are not on this machine")
    return CONTRACTS


@pytest.fixture(autouse=True)
def _no_ambient_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in list(os.environ):
        if name.startswith("RETREASURE_") and name != "RETREASURE_REQUIRE_CONTRACTS":
            monkeypatch.delenv(name)
    monkeypatch.setenv("RETREASURE_HOME", str(tmp_path / "home"))
