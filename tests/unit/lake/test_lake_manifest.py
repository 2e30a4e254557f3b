"""Published gold as its readers meet it: whole runs, and snapshots that nobody takes away."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import pytest
from deltalake import DeltaTable

from retreasure_assets.errors import BuildError, LakeError
from retreasure_assets.lake import storage
from retreasure_assets.lake.manifest import NAME, Entry, follow, open_published, read_manifest
from retreasure_assets.lake.publish import publish
from retreasure_assets.lake.query import query
from retreasure_assets.lake.storage import Lake, add_actions, files, maintain
from retreasure_assets.settings import Settings
from tests.conftest import REPOSITORY

TABLES = [("gold", "agg_daily_sales"), ("gold", "fct_orders")]
BOTH = "SELECT (SELECT sum(net_base) FROM gold.agg_daily_sales), (SELECT sum(net_base) FROM gold.fct_orders)"


@pytest.fixture
def build(settings: Settings) -> Callable[[int], None]:
    """Makes both tables of so many orders over three months, built at a moment of their own; 1 each."""
    settings.warehouse_path.parent.mkdir(parents=True, exist_ok=True)

    def run(orders: int) -> None:
        stamp = f"TIMESTAMP '2026-06-01 10:00:00' + INTERVAL {orders} MINUTE AS built_at"
        with duckdb.connect(str(settings.warehouse_path)) as engine:
            engine.execute("CREATE SCHEMA IF NOT EXISTS gold")
            engine.execute(
                "CREATE OR REPLACE TABLE gold.fct_orders AS SELECT i AS order_id, "
                "DATE '2026-01-01' + CAST(i % 90 AS INTEGER) AS business_date, "
                f"CAST(1 AS DECIMAL(18, 4)) AS net_base, {stamp} FROM range({orders}) t(i)"
            )
            engine.execute(
                "CREATE OR REPLACE TABLE gold.agg_daily_sales AS SELECT business_date, "
                f"CAST(sum(net_base) AS DECIMAL(18, 4)) AS net_base, {stamp} FROM gold.fct_orders GROUP BY ALL"
            )

    return run


def test_a_run_shows_whole_or_not_at_all(settings: Settings, lake: Lake, build: Callable[[int], None]) -> None:
    assert read_manifest(lake).tables == {}
    build(100)
    publish(settings, lake, TABLES)
    first = read_manifest(lake)
    assert first.tables == {"gold.agg_daily_sales": Entry(0, 90), "gold.fct_orders": Entry(0, 100)}
    # The next run breaks off between its tables.
    build(200)
    with pytest.raises(BuildError):
        publish(settings, lake, [TABLES[0], ("gold", "missing"), TABLES[1]])
    assert lake.table(*TABLES[0]).version() == 1
    assert read_manifest(lake) == first
    assert query(lake, BOTH).rows == [(100, 100)]
    publish(settings, lake, TABLES)
    assert query(lake, BOTH).rows == [(200, 200)]
    assert read_manifest(lake).tables == {"gold.agg_daily_sales": Entry(1, 90), "gold.fct_orders": Entry(1, 200)}


def test_nothing_new_leaves_the_manifest_alone(settings: Settings, lake: Lake, build: Callable[[int], None]) -> None:
    build(100)
    publish(settings, lake, TABLES)
    before = (lake.root / NAME).read_bytes()
    publish(settings, lake, TABLES)
    publish(settings, lake, TABLES[:1])
    assert (lake.root / NAME).read_bytes() == before


def test_a_damaged_manifest_is_named(lake: Lake) -> None:
    lake.root.mkdir(parents=True, exist_ok=True)
    (lake.root / NAME).write_text("{")
    with pytest.raises(LakeError, match="damaged"):
        read_manifest(lake)


def paths(lake: Lake, table: DeltaTable) -> list[str]:
    """The files of a snapshot of the orders."""
    return files(lake, *TABLES[1], add_actions(table))


def total(lake: Lake, table: DeltaTable) -> Any:
    """Net revenue, as DuckDB reads the files of a snapshot."""
    return duckdb.execute("SELECT sum(net_base) FROM read_parquet(?)", [paths(lake, table)]).fetchone()


def age(folder: Path, hours: float) -> None:
    """Make every file as old as that."""
    then = time.time() - hours * 3600
    for path in folder.rglob("*"):
        os.utime(path, (then, then))


def test_a_reader_of_an_old_snapshot_is_not_disturbed(
    settings: Settings, lake: Lake, build: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_MANY_FILES", 2)
    build(100)
    publish(settings, lake, TABLES)
    held = lake.table(*TABLES[1])
    # Half-way through the files when four runs replace all of them, and upkeep compacts and vacuums.
    reader = duckdb.connect()
    rows = reader.execute("SELECT net_base FROM read_parquet(?)", [paths(lake, held)])
    assert rows.fetchone() == (1,)
    for orders in (200, 300, 400, 500):
        build(orders)
        publish(settings, lake, TABLES)
        follow(lake, maintain(lake))
    assert len(rows.fetchall()) == 99
    assert total(lake, held) == (100,)
    assert len(held.to_pandas()) == 100
    assert total(lake, DeltaTable(lake.uri(*TABLES[1]), version=0)) == (100,)
    assert query(lake, BOTH).rows == [(500, 500)]


def test_only_what_nobody_has_needed_for_a_week_goes(
    settings: Settings, lake: Lake, build: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_MANY_FILES", 1)
    build(100)
    publish(settings, lake, TABLES)
    # A writer that was killed left files which no version knows: one of today, one of last month.
    folder = Path(lake.uri(*TABLES[1])) / "_month=2026-01"
    (folder / "part-killed-long-ago.parquet").write_bytes(b"")
    age(folder / "..", 24 * 30)
    (folder / "part-being-written.parquet").write_bytes(b"")
    first = {Path(path).name for path in paths(lake, DeltaTable(lake.uri(*TABLES[1]), version=0))}
    build(200)
    publish(settings, lake, TABLES)
    maintain(lake)
    left = {path.name for path in Path(lake.uri(*TABLES[1])).rglob("*.parquet")}
    assert first <= left, "superseded a moment ago"
    assert "part-being-written.parquet" in left
    assert "part-killed-long-ago.parquet" not in left


def test_the_manifest_follows_compaction(settings: Settings, lake: Lake, build: Callable[[int], None]) -> None:
    build(100)
    publish(settings, lake, TABLES)
    lake.table(*TABLES[1]).optimize.z_order(["order_id"])
    follow(lake, ["gold.fct_orders", "bronze.shopify_orders"])
    manifest = read_manifest(lake)
    assert manifest.tables["gold.fct_orders"] == Entry(1, 100)
    assert open_published(lake, manifest, *TABLES[1]).version() == 1


def test_a_table_made_anew_is_read_as_it_is(settings: Settings, lake: Lake, build: Callable[[int], None]) -> None:
    for orders in (100, 200):
        build(orders)
        publish(settings, lake, TABLES)
    manifest = read_manifest(lake)
    for path in sorted(Path(lake.uri(*TABLES[1])).rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    build(300)
    publish(settings, lake, TABLES[1:])
    assert open_published(lake, manifest, *TABLES[1]).version() == 0
    assert query(lake, "SELECT count(*) FROM gold.fct_orders").rows == [(300,)]


def test_pandas_reads_what_was_published(settings: Settings, lake: Lake, build: Callable[[int], None]) -> None:
    build(100)
    publish(settings, lake, TABLES)
    frame = DeltaTable(lake.uri(*TABLES[1])).to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert frame["net_base"].sum() == 100
    assert set(frame["_month"]) == {"2026-01", "2026-02", "2026-03"}


def test_the_guide_to_reading_gold_works(
    settings: Settings, lake: Lake, build: Callable[[int], None], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    build(100)
    publish(settings, lake, TABLES)
    (tmp_path / ".retreasure").symlink_to(settings.home)
    monkeypatch.chdir(tmp_path)
    guide = (REPOSITORY / "docs" / "reading-gold.md").read_text("utf-8")
    [code] = re.findall(r"```python\n(.*?)```", guide, re.DOTALL)
    names: dict[str, Any] = {}
    exec(code, names)
    assert len(names["orders"]) == 100
    assert names["total"] == (100,)
