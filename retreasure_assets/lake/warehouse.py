"""The warehouse's view of the lake: bronze tables as DuckDB views.

What belongs here: the schemas and views that dbt reads. What does not: silver and gold; dbt makes them.

The views list exactly the files of each table's current Delta version, so what a build reads does not change under it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from retreasure_assets.errors import LakeError
from retreasure_assets.lake.rows import QUARANTINE_SCHEMA, SCHEMA
from retreasure_assets.lake.storage import Lake, add_actions, files

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

SCHEMAS = ("bronze", "silver", "gold", "quarantine", "ops")
_TYPES = {
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.date32(): "DATE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
}


def prepare_warehouse(settings: Settings, lake: Lake, bronze_tables: Iterable[str]) -> None:
    """Make the schemas and a view ``bronze.<table>`` and ``quarantine.bronze_<table>`` per table.

    A table that does not exist yet is an empty view of the same columns.

    Args:
        settings: where the DuckDB file is.
        lake: the lake.
        bronze_tables: names of bronze tables, without their layer.

    Raises:
        LakeError: the DuckDB file or a table cannot be opened.
    """
    path = settings.warehouse_path
    with open_warehouse(path, settings.duckdb_memory_limit, settings.threads) as engine:
        for schema in SCHEMAS:
            engine.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        for table in sorted(set(bronze_tables)):
            for layer, name, columns in (
                ("bronze", table, SCHEMA),
                ("quarantine", f"bronze_{table}", QUARANTINE_SCHEMA),
            ):
                engine.execute(f"CREATE OR REPLACE VIEW {layer}.{name} AS {_select(lake, layer, name, columns)}")


def row_counts(settings: Settings, tables: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """Rows of warehouse tables, each given as (layer, table).

    Raises:
        LakeError: the DuckDB file cannot be opened.
    """
    if not tables:
        return {}
    parts = [
        f"SELECT {position}, count(*) FROM {quote_name(layer)}.{quote_name(table)}"
        for position, (layer, table) in enumerate(tables)
    ]
    with open_warehouse(
        settings.warehouse_path, settings.duckdb_memory_limit, settings.threads, read_only=True
    ) as engine:
        return {tables[position]: rows for position, rows in engine.execute(" UNION ALL ".join(parts)).fetchall()}


@contextmanager
def open_warehouse(
    path: Path, memory_limit: str, threads: int, *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The DuckDB file, opened and closed.

    Raises:
        LakeError: it is missing, damaged, or another process has it open.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        engine = duckdb.connect(
            path.as_posix(), read_only=read_only, config={"memory_limit": memory_limit, "threads": threads}
        )
    except (duckdb.Error, OSError):
        raise LakeError(
            f"The warehouse {path} cannot be opened.",
            remedy="Wait until whatever holds it ends; it holds nothing of its own, so it may also be deleted.",
        ) from None
    try:
        engine.execute("SET TimeZone = 'UTC'")
        yield engine
    finally:
        engine.close()


def scan(paths: Iterable[str], partitions: dict[str, str]) -> str:
    """SQL that reads Parquet files.

    Args:
        paths: the files.
        partitions: partition columns, which are in the paths only, and their SQL types.
    """
    listed = ", ".join(quote(path) for path in paths)
    types = ", ".join(f"{quote_name(name)}: {kind}" for name, kind in partitions.items())
    hive = f", hive_partitioning = true, hive_types = {{{types}}}" if partitions else ", hive_partitioning = false"
    return f"read_parquet([{listed}]{hive}, union_by_name = true)"


def quote(text: str) -> str:
    """A SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """A SQL name."""
    return '"' + name.replace('"', '""') + '"'


def _select(lake: Lake, layer: str, table: str, columns: pa.Schema) -> str:
    found = lake.find(layer, table)
    paths = files(lake, layer, table, add_actions(found)) if found is not None else []
    if paths:
        names = ", ".join(quote_name(column.name) for column in columns)
        return f"SELECT {names} FROM {scan(sorted(paths), {'ingest_date': 'DATE'})}"
    empty = ", ".join(f"CAST(NULL AS {_TYPES[column.type]}) AS {quote_name(column.name)}" for column in columns)
    return f"SELECT {empty} WHERE false"
