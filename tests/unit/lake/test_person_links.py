"""Links reach the warehouse once, and a changed one counts as new."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from retreasure_assets.lake.person_links import record_links
from retreasure_assets.lake.query import query
from retreasure_assets.lake.storage import Lake
from retreasure_assets.lake.warehouse import open_warehouse
from retreasure_assets.settings import Settings


@pytest.fixture
def warehouse(settings: Settings) -> Settings:
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute("CREATE SCHEMA ops")
    return settings


def record(settings: Settings, links: dict[str, str]) -> str:
    return record_links(settings, Lake(settings.lake_path), links)


def known(settings: Settings) -> dict[str, tuple[str, datetime]]:
    """What the warehouse knows, which is what the lake does: other engines read it there."""
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        rows = engine.execute("SELECT person_id, merged_into, linked_at FROM ops.vault_links ORDER BY ALL").fetchall()
    lake = Lake(settings.lake_path)
    assert rows == (query(lake, "SELECT * FROM ops.vault_links ORDER BY ALL").rows if rows else [])
    return {person: (merged, at) for person, merged, at in rows}


def test_a_link_keeps_the_moment_when_it_was_first_known(warehouse: Settings) -> None:
    nothing = record(warehouse, {})
    assert known(warehouse) == {}
    assert not Lake(warehouse.lake_path).exists("ops", "vault_links")
    one = record(warehouse, {"p_2": "p_1"})
    first = known(warehouse)
    assert first["p_2"][0] == "p_1"
    assert record(warehouse, {"p_2": "p_1"}) == one != nothing
    assert known(warehouse) == first

    # p_1 turns out to be p_0: both are now, and p_2 counts as newly linked once more.
    record(warehouse, {"p_1": "p_0", "p_2": "p_0"})
    later = known(warehouse)
    assert {person: merged for person, (merged, _) in later.items()} == {"p_1": "p_0", "p_2": "p_0"}
    assert later["p_2"][1] > first["p_2"][1]


def test_a_warehouse_made_anew_knows_since_when(warehouse: Settings) -> None:
    record(warehouse, {"p_2": "p_1"})
    before = known(warehouse)
    warehouse.warehouse_path.unlink()
    with open_warehouse(warehouse.warehouse_path, warehouse.duckdb_memory_limit, warehouse.threads) as engine:
        engine.execute("CREATE SCHEMA ops")
    record(warehouse, {"p_2": "p_1"})
    assert known(warehouse) == before


def test_of_a_link_that_the_vault_forgot_both_are_themselves_again(warehouse: Settings) -> None:
    two = record(warehouse, {"p_2": "p_1", "p_4": "p_3"})
    first = known(warehouse)
    assert record(warehouse, {"p_4": "p_3"}) != two
    later = known(warehouse)
    told = {person: merged for person, (merged, _) in later.items()}
    assert told == {"p_1": "p_1", "p_2": "p_2", "p_4": "p_3"}
    assert later["p_4"] == first["p_4"]
    assert later["p_2"][1] == later["p_1"][1] > first["p_2"][1]
    # No earlier version tells who was who.
    folder = warehouse.lake_path / "ops" / "vault_links"
    assert len(list(folder.glob("*.parquet"))) == 1
    assert not [file for file in (folder / "_delta_log").iterdir() if b"p_" in file.read_bytes()]
    # Known once is enough.
    record(warehouse, {"p_4": "p_3"})
    assert known(warehouse) == later
