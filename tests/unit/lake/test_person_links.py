"""Links reach the warehouse once, and a changed one counts as new."""

from __future__ import annotations

from datetime import datetime

import duckdb
import pytest

from retreasure_assets.lake.person_links import record_links
from retreasure_assets.lake.warehouse import open_warehouse
from retreasure_assets.settings import Settings


@pytest.fixture
def warehouse(settings: Settings) -> Settings:
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute("CREATE SCHEMA ops")
    return settings


def known(settings: Settings) -> dict[str, tuple[str, datetime]]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as engine:
        rows = engine.execute("SELECT person_id, merged_into, linked_at FROM ops.vault_links").fetchall()
    return {person: (merged, at) for person, merged, at in rows}


def test_a_link_keeps_the_moment_when_it_was_first_known(warehouse: Settings) -> None:
    nothing = record_links(warehouse, {})
    assert known(warehouse) == {}
    one = record_links(warehouse, {"p_2": "p_1"})
    first = known(warehouse)
    assert first["p_2"][0] == "p_1"
    assert record_links(warehouse, {"p_2": "p_1"}) == one != nothing
    assert known(warehouse) == first

    # p_1 turns out to be p_0: both are now, and p_2 counts as newly linked once more.
    record_links(warehouse, {"p_1": "p_0", "p_2": "p_0"})
    later = known(warehouse)
    assert {person: merged for person, (merged, _) in later.items()} == {"p_1": "p_0", "p_2": "p_0"}
    assert later["p_2"][1] > first["p_2"][1]


def test_a_link_that_the_vault_forgot_is_forgotten(warehouse: Settings) -> None:
    two = record_links(warehouse, {"p_2": "p_1", "p_4": "p_3"})
    assert record_links(warehouse, {"p_4": "p_3"}) != two
    assert set(known(warehouse)) == {"p_4"}
    assert record_links(warehouse, {"p_2": "p_1", "p_4": "p_3"}) == two
