"""The warehouse's views show the lake as it is now."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import write_deltalake

from retreasure_assets.errors import LakeError
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.rows import QUARANTINE_SCHEMA, SCHEMA
from retreasure_assets.lake.storage import Lake
from retreasure_assets.lake.warehouse import prepare_warehouse
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


def test_a_warehouse_that_somebody_holds_is_one_sentence(settings: Settings, lake: Lake) -> None:
    prepare_warehouse(settings, lake, [])
    settings.warehouse_path.write_bytes(b"no database" * 1000)
    with pytest.raises(LakeError, match="cannot be opened") as caught:
        prepare_warehouse(settings, lake, [])
    assert caught.value.__cause__ is None
