"""A lake, a vault and gates of each test's own, and orders as the shop sends them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from retreasure_assets.lake.bronze import BatchResult, BronzeWriter
from retreasure_assets.lake.storage import Lake
from retreasure_assets.lake.warehouse import open_warehouse, prepare_warehouse
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.quality.gate import Gates
from retreasure_assets.quality.result import GateResult
from retreasure_assets.quality.verdict import Reading
from retreasure_assets.settings import Settings
from tests.unit.lake.world import KEYS, ORDERS, batch
from tests.unit.lake.world import order as any_order

GOOD: dict[str, Any] = {
    "createdAt": "2026-03-01T10:00:00Z",
    "presentmentCurrencyCode": "EUR",
    "displayFulfillmentStatus": "UNFULFILLED",
    "totalPriceSet": {"presentmentMoney": {"amount": "12.50"}},
    "lineItems": {"nodes": []},
}


def order(number: int, **extra: Any) -> bytes:
    """A good order, but for what is said otherwise."""
    return any_order(number, **{**GOOD, **extra})


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


@pytest.fixture
def gates(lake: Lake) -> Gates:
    return Gates(lake)


@pytest.fixture
def receive(lake: Lake, vault: Vault, gates: Gates) -> Callable[..., GateResult]:
    """Write records to bronze and ask the gate."""

    def receive(records: Sequence[bytes], run_id: str = "run") -> GateResult:
        writer = BronzeWriter(lake, vault)
        try:
            written: BatchResult | None = writer.write(batch(records), run_id=run_id) if records else None
        finally:
            writer.close()
        reading = Reading(len(records), written.malformed if written is not None else 0)
        result = gates.check(ORDERS, run_id=run_id, reading=reading)
        assert result is not None
        return result

    return receive


@pytest.fixture
def shown(settings: Settings, lake: Lake, gates: Gates) -> Callable[[], list[str]]:
    """The orders that models see, by their numbers, as often as they see them."""

    def shown() -> list[str]:
        prepare_warehouse(settings, lake, [ORDERS.table], gates.admissions([ORDERS.table]))
        with open_warehouse(settings.warehouse_path, "256MB", 2, read_only=True) as engine:
            rows = engine.execute("SELECT natural_key FROM bronze.shopify_orders").fetchall()
        return sorted(key.rpartition("/")[2] for (key,) in rows)

    return shown
