"""The warehouse's views show the lake as it is now."""

from __future__ import annotations

import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from retreasure_assets.errors import AlreadyRunningError, LakeError
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.rows import QUARANTINE_SCHEMA, SCHEMA
from retreasure_assets.lake.storage import Lake
from retreasure_assets.lake.warehouse import merge_row_groups, open_warehouse, prepare_warehouse, row_counts
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.settings import Settings
from tests.unit.lake.world import batch, order, rows


def ask(settings: Settings, sql: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as engine:
        return engine.execute(sql).fetchall()


def test_tables_that_do_not_exist_yet_are_empty_views_of_the_same_types(
    settings: Settings, lake: Lake, vault: Vault
) -> None:
    prepare_warehouse(settings, lake, ["shopify_orders", "fx_ecb_rates"])
    empty = ask(settings, "DESCRIBE bronze.shopify_orders")
    assert [row[0] for row in empty] == SCHEMA.names
    assert [row[0] for row in ask(settings, "DESCRIBE quarantine.bronze_fx_ecb_rates")] == QUARANTINE_SCHEMA.names
    assert ask(settings, "SELECT count(*) FROM bronze.shopify_orders") == [(0,)]
    BronzeWriter(lake, vault).write(batch([order(1), b"broken"]), run_id="r")
    prepare_warehouse(settings, lake, ["shopify_orders", "fx_ecb_rates"])
    assert ask(settings, "DESCRIBE bronze.shopify_orders") == empty
    assert ask(settings, "SELECT natural_key, ingest_date = current_date FROM bronze.shopify_orders") == [
        ("gid://shopify/Order/1", True)
    ]
    assert ask(settings, "SELECT reason FROM quarantine.bronze_shopify_orders") == [("is not valid JSON",)]
    names = {row[0] for row in ask(settings, "SELECT schema_name FROM information_schema.schemata")}
    assert {"bronze", "silver", "gold", "quarantine", "ops"} <= names


def test_a_view_shows_the_current_version_and_no_leftovers(settings: Settings, lake: Lake, vault: Vault) -> None:
    BronzeWriter(lake, vault).write(batch([order(1), order(2)]), run_id="r")
    # A killed writer left a file that no commit names.
    [file] = Path(lake.uri("bronze", "shopify_orders")).rglob("*.parquet")
    (file.parent / "leftover.parquet").write_bytes(file.read_bytes())
    prepare_warehouse(settings, lake, ["shopify_orders"])
    assert ask(settings, "SELECT count(*) FROM bronze.shopify_orders") == [(2,)]


def test_300_days_of_history(settings: Settings, lake: Lake, vault: Vault) -> None:
    BronzeWriter(lake, vault).write(batch([order(1)]), run_id="r")
    [row] = rows(lake, "bronze", "shopify_orders")
    history = [row | {"ingest_date": row["ingest_date"] - timedelta(days=day)} for day in range(1, 320)]
    write_deltalake(lake.uri("bronze", "shopify_orders"), pa.Table.from_pylist(history, schema=SCHEMA), mode="append")
    began = time.perf_counter()
    prepare_warehouse(settings, lake, ["shopify_orders"])
    prepared = time.perf_counter() - began
    began = time.perf_counter()
    newest = row["ingest_date"].isoformat()
    sql = f"SELECT count(*) FROM bronze.shopify_orders WHERE ingest_date >= DATE '{newest}'"
    assert ask(settings, sql) == [(1,)]
    asked = time.perf_counter() - began
    assert ask(settings, "SELECT count(*) FROM bronze.shopify_orders") == [(320,)]
    print(f"320 partitions: prepared in {prepared:.2f} s, one day read in {asked:.2f} s")
    assert prepared < 10


def test_row_groups_are_merged_after_many_builds_and_by_none(settings: Settings) -> None:
    def build() -> None:
        with open_warehouse(settings.warehouse_path, "256MB", 2) as engine:
            engine.execute("CREATE SCHEMA IF NOT EXISTS ops; CREATE TABLE IF NOT EXISTS t (i BIGINT)")
            engine.execute("INSERT INTO t SELECT range FROM range(1000)")

    def row_groups() -> int:
        [(count,)] = ask(settings, "SELECT count(DISTINCT row_group_id) FROM pragma_storage_info('t')")
        return int(count)

    merged, counted = [], []
    for _ in range(25):
        build()
        counted.append(row_groups())
        merged.append(merge_row_groups(settings))
    assert counted == [*range(1, 25), 2]
    assert [place for place, now in enumerate(merged, 1) if now] == [24]
    assert ask(settings, "SELECT count(*), count(DISTINCT i) FROM t") == [(25_000, 1_000)]


def wal(settings: Settings) -> Path:
    """DuckDB's log beside the warehouse."""
    return settings.warehouse_path.with_name("warehouse.duckdb.wal")


def leave_log(settings: Settings) -> None:
    """End a process that has written to the warehouse before its log is folded into the file."""
    script = (
        "import duckdb, os, sys; c = duckdb.connect(sys.argv[1]); c.execute('create table t as select 1 as i');"
        "c.execute('checkpoint'); c.execute('insert into t select range from range(5000)'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", script, str(settings.warehouse_path)], check=True)


@pytest.mark.parametrize("left", [0, 10, 100, 4096, 8192, 12288, 20_000, None], ids=str)
def test_what_is_left_of_a_warehouse_is_made_anew(
    settings: Settings, lake: Lake, vault: Vault, left: int | None
) -> None:
    """A full disk leaves nothing or a part; ``None``: it is no database at all."""
    BronzeWriter(lake, vault).write(batch([order(1)]), run_id="r")
    prepare_warehouse(settings, lake, ["shopify_orders"])
    content = settings.warehouse_path.read_bytes()
    settings.warehouse_path.write_bytes(b"no database" * 1000 if left is None else content[:left])
    wal(settings).write_bytes(b"of no use without it")
    with pytest.raises(LakeError, match="is damaged") as caught:
        row_counts(settings, [("bronze", "shopify_orders")])
    assert "retreasure run" in caught.value.remedy
    prepare_warehouse(settings, lake, ["shopify_orders"])
    assert row_counts(settings, [("bronze", "shopify_orders")]) == {("bronze", "shopify_orders"): 1}


def test_a_warehouse_whose_log_alone_is_broken_is_made_anew(settings: Settings, lake: Lake) -> None:
    prepare_warehouse(settings, lake, [])
    leave_log(settings)
    log = bytearray(wal(settings).read_bytes())
    log[len(log) // 2] ^= 255
    wal(settings).write_bytes(log)
    prepare_warehouse(settings, lake, [])
    assert ask(settings, "SELECT count(*) FROM information_schema.tables WHERE table_name = 't'") == [(0,)]


def test_a_killed_build_keeps_what_it_had_committed(settings: Settings, lake: Lake) -> None:
    prepare_warehouse(settings, lake, [])
    leave_log(settings)
    prepare_warehouse(settings, lake, [])
    assert ask(settings, "SELECT count(*) FROM t") == [(5001,)]


def test_a_warehouse_that_somebody_holds_is_left_alone(settings: Settings, lake: Lake) -> None:
    prepare_warehouse(settings, lake, [])
    script = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); c.execute('create table t as select 1 as i');"
        "print(flush=True); sys.stdin.read()"
    )
    command = [sys.executable, "-c", script, str(settings.warehouse_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        with pytest.raises(AlreadyRunningError) as caught:
            prepare_warehouse(settings, lake, [])
        holder.communicate()
    assert f"is held by process {holder.pid}." in caught.value.message
    assert caught.value.exit_code == 7
    assert caught.value.__suppress_context__
    assert ask(settings, "SELECT count(*) FROM t") == [(1,)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('IO Error: Cannot open file "w": Permission denied', "access to its folder was refused"),
        ('IO Error: Could not write file "w": No space left on device', "the disk is full"),
        ("Something about Zoë", "could not be used (IOException)"),
    ],
)
def test_what_keeps_a_warehouse_from_being_opened_is_told_apart(
    settings: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    prepare_warehouse(settings, lake, [])

    def refuse(*_: object, **__: object) -> None:
        raise duckdb.IOException(text)

    monkeypatch.setattr(duckdb, "connect", refuse)
    with pytest.raises(LakeError) as caught:
        prepare_warehouse(settings, lake, [])
    assert says in caught.value.message
    assert "Zoë" not in str(caught.value)
    assert caught.value.__suppress_context__
    assert settings.warehouse_path.exists()


def test_a_damaged_file_of_the_lake_is_named_by_its_table(settings: Settings, lake: Lake, vault: Vault) -> None:
    BronzeWriter(lake, vault).write(batch([order(1)]), run_id="r")
    [file] = Path(lake.uri("bronze", "shopify_orders")).rglob("*.parquet")
    file.write_bytes(b"half of it")
    with pytest.raises(LakeError, match=r"^bronze\.shopify_orders could not be read") as caught:
        prepare_warehouse(settings, lake, ["shopify_orders"])
    assert caught.value.__suppress_context__
