"""Queries see the lake, all of it and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from retreasure_assets.errors import LakeError
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.query import query
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.vault import Vault
from tests.unit.lake.world import PLANTED, batch, order


@pytest.fixture
def full(lake: Lake, vault: Vault) -> Lake:
    BronzeWriter(lake, vault).write(batch([order(1), order(2), b"broken"]), run_id="r")
    return lake


def test_select(full: Lake) -> None:
    answer = query(full, "SELECT natural_key, payload ->> '$.email' AS email FROM bronze.shopify_orders ORDER BY ALL")
    assert answer.columns == ["natural_key", "email"]
    assert answer.rows == [("gid://shopify/Order/1", None), ("gid://shopify/Order/2", None)]
    assert query(full, "select count(*) from QUARANTINE.Bronze_Shopify_Orders").rows == [(1,)]


@pytest.mark.parametrize(
    "sql",
    [
        "WITH o AS (SELECT * FROM bronze.shopify_orders) SELECT count(*) FROM o;",
        "DESCRIBE bronze.shopify_orders",
        "SHOW ALL TABLES",
        "SHOW TABLES FROM bronze",
        "EXPLAIN SELECT * FROM bronze.shopify_orders",
        "explain analyze SELECT * FROM bronze.shopify_orders",
        "SUMMARIZE bronze.shopify_orders",
        "FROM bronze.shopify_orders SELECT count(*)",
        "SELECT table_name FROM information_schema.tables",
        "-- a comment\nSELECT 1",
    ],
)
def test_what_is_allowed(full: Lake, sql: str) -> None:
    assert query(full, sql).rows


@pytest.mark.parametrize(
    "sql",
    [
        "",
        "DELETE FROM bronze.shopify_orders",
        "CREATE TABLE x (a INTEGER)",
        "SET memory_limit = '10GB'",
        "COPY (SELECT 1) TO '{folder}/out.csv'",
        "EXPLAIN ANALYZE COPY (SELECT 1) TO '{folder}/out.csv'",
        "EXPLAIN COPY (SELECT 1) TO '{folder}/out.csv'",
        "ATTACH '{folder}/x.duckdb' AS x",
        "INSTALL httpfs",
        "PRAGMA database_list",
        "SELECT 1; SELECT 2",
        "SELECT * FROM read_text('{folder}/secret.txt')",
        "SELECT * FROM '{folder}/secret.csv'",
        "SELECT * FROM glob('{folder}/*')",
        "SELECT * FROM sniff_csv('{folder}/secret.csv')",
        "EXPORT DATABASE '{folder}/out'",
        "CALL pragma_version()",
    ],
)
def test_what_is_refused(full: Lake, tmp_path: Path, sql: str) -> None:
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "secret.csv").write_text("a\nsecret\n")
    with pytest.raises(LakeError) as caught:
        query(full, sql.format(folder=tmp_path))
    assert caught.value.__cause__ is None
    assert not list(tmp_path.glob("out*"))
    assert not list(tmp_path.glob("*.duckdb"))


def test_errors_name_the_mistake_and_quote_no_value(full: Lake) -> None:
    with pytest.raises(LakeError, match="shopify_order"):
        query(full, "SELECT * FROM bronze.shopify_order")
    with pytest.raises(LakeError, match="nothing"):
        query(full, "SELECT nothing FROM bronze.shopify_orders")
    with pytest.raises(LakeError) as caught:
        query(full, "SELECT CAST(payload AS INTEGER) FROM bronze.shopify_orders")
    assert "gid" not in str(caught.value)
    assert "Dublin" not in str(caught.value)


def test_an_empty_lake(lake: Lake) -> None:
    assert query(lake, "SELECT 1 AS one").rows == [(1,)]
    with pytest.raises(LakeError):
        query(lake, "SELECT * FROM gold.fct_orders")


def test_nothing_personal_can_be_read(full: Lake) -> None:
    text = repr(query(full, "SELECT * FROM bronze.shopify_orders").rows)
    text += repr(query(full, "SELECT * FROM quarantine.bronze_shopify_orders").rows)
    assert not any(value in text for value in PLANTED)
