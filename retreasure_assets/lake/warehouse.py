"""The warehouse's view of the lake: bronze tables as DuckDB views.

What belongs here: the schemas and views that dbt reads. What does not: silver and gold; dbt makes them.

The views list exactly the files of each table's current Delta version, so what a build reads does not change under it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from retreasure_assets.errors import AlreadyRunningError, LakeError, RetreasureError
from retreasure_assets.lake.admission import REPLAYED, Admission
from retreasure_assets.lake.rows import QUARANTINE_SCHEMA, SCHEMA
from retreasure_assets.lake.storage import Lake, add_actions, explained, files, refused_by_system

if TYPE_CHECKING:
    from deltalake import DeltaTable

    from retreasure_assets.settings import Settings

SCHEMAS = ("bronze", "silver", "gold", "quarantine", "ops")
_TYPES = {
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.date32(): "DATE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP WITH TIME ZONE",
}
#: What DuckDB says of a file that is not, or not wholly, a database it can read; it has no codes for it.
_DAMAGED = re.compile(
    "not a valid DuckDB database file|Could not read enough bytes|Corrupt (?:database|WAL) file|replaying WAL file|"
    "Trying to read a database file with version|Failed to deserialize"
)
_HELD = re.compile(r"Could not set lock on file(?:.*\(PID ([0-9]+)\))?")


#: Records that gates keep out, and those let in again, in the warehouse: what the views of bronze look up.
_KEPT_OUT, _REPLAYED = "ops.kept_out", "ops.replayed"
_KEPT_OUT_SCHEMA = pa.schema([("bronze_table", pa.string()), ("record_id", pa.string())])
_REPLAYED_SCHEMA = _KEPT_OUT_SCHEMA.append(pa.field("replayed_at", pa.timestamp("us", tz="UTC")))
#: Builds since row groups were merged, and how many of them are let pass: a day's worth of hourly ones.
_UNMERGED, _MANY_BUILDS = "ops.unmerged", 24


def prepare_warehouse(
    settings: Settings, lake: Lake, bronze_tables: Iterable[str], admissions: Mapping[str, Admission] | None = None
) -> dict[str, int | str]:
    """Make the schemas and a view ``bronze.<table>`` and ``quarantine.bronze_<table>`` per table.

    A table that does not exist yet is an empty view of the same columns.

    Args:
        settings: where the DuckDB file is.
        lake: the lake.
        bronze_tables: names of bronze tables, without their layer.
        admissions: what gates let through of a table; all of it where none is named.

    Returns:
        What tells the state of each bronze table that its view shows from others: its version, -1 where there is none
        yet, or the state of its admission.

    Raises:
        AlreadyRunningError: another process has the DuckDB file open.
        LakeError: the DuckDB file or a table cannot be opened.
    """
    path, admissions = settings.warehouse_path, admissions or {}
    versions: dict[str, int | str] = {}
    with open_warehouse(path, settings.duckdb_memory_limit, settings.threads) as engine:
        # All in one: each statement alone would wait for the disk.
        engine.begin()
        for schema in SCHEMAS:
            engine.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
        _note_admissions(engine, admissions)
        back = _replayed(lake) if any(admission.replayed for admission in admissions.values()) else None
        for table in sorted(set(bronze_tables)):
            for layer, name, columns in (
                ("bronze", table, SCHEMA),
                ("quarantine", f"bronze_{table}", QUARANTINE_SCHEMA),
            ):
                found = lake.find(layer, name)
                rows = _select(lake, layer, name, columns, found)
                if layer == "bronze":
                    versions[name] = found.version() if found is not None else -1
                    if (admission := admissions.get(name)) is not None:
                        versions[name] = admission.state
                        rows = _admitted(rows, name, admission, back)
                view = f"CREATE OR REPLACE VIEW {layer}.{name} AS {rows}"
                # To make the view DuckDB opens the table's files: a damaged one shows here, by the table's name.
                with explained(f"{layer}.{name}"):
                    engine.execute(view)
        engine.commit()
    return versions


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


def merge_row_groups(settings: Settings) -> bool:
    """After a build: merge the row groups that are not full, once enough builds have left some.

    Each build leaves one or two of them in every table that it touches. DuckDB would merge them whenever it folds its
    log into the file, and write large tables again for the sake of one: 3.6 of 22.6 s of the first build of 1.5 million
    orders and till lines.

    Args:
        settings: where the warehouse is.

    Returns:
        Whether that was done now.

    Raises:
        LakeError: the warehouse cannot be opened or written.
    """
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute(f"CREATE TABLE IF NOT EXISTS {_UNMERGED} AS SELECT 0 AS builds")
        [(builds,)] = engine.execute(
            f"UPDATE {_UNMERGED} SET builds = (builds + 1) % {_MANY_BUILDS} RETURNING builds"
        ).fetchall()
        if builds:
            return False
        engine.execute("RESET max_vacuum_tasks")
        engine.execute("CHECKPOINT")
        return True


@contextmanager
def open_warehouse(
    path: Path, memory_limit: str, threads: int, *, read_only: bool = False
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The DuckDB file, opened and closed.

    Opened for writing, a file that DuckDB cannot read is replaced by a new one, log and all: everything in it can be
    built again from bronze, and a full disk leaves it empty. The log alone is no case of its own: without it the file
    is of an earlier moment, and nobody can say which.

    Raises:
        AlreadyRunningError: another process has it open.
        LakeError: its folder, its rights or the disk do not let it be opened, or what was done in it failed.
    """
    config: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": memory_limit,
        "threads": threads,
        # See merge_row_groups.
        "max_vacuum_tasks": 0,
    }
    with _named(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            engine = duckdb.connect(path.as_posix(), read_only=read_only, config=config)
        except duckdb.Error as error:
            if read_only or not _DAMAGED.search(str(error)):
                raise
            path.unlink()
            path.with_name(f"{path.name}.wal").unlink(missing_ok=True)
            engine = duckdb.connect(path.as_posix(), config=config)
        try:
            engine.execute("SET TimeZone = 'UTC'")
            yield engine
        finally:
            engine.close()


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Turn what DuckDB complains of into one sentence; its own texts may quote values and are not chained."""
    try:
        yield
    except (duckdb.Error, OSError) as error:
        raise _explain(path, error) from None


def _explain(path: Path, error: duckdb.Error | OSError) -> RetreasureError:
    what, text = f"The warehouse {path}", str(error)
    if held := _HELD.search(text):
        holder = f"process {held[1]}" if held[1] else "another process"
        return AlreadyRunningError(
            f"{what} is held by {holder}.", remedy="Wait until that process ends, or stop it, then run again."
        )
    if refusal := refused_by_system(what, error):
        return refusal
    if _DAMAGED.search(text):
        return LakeError(f"{what} is damaged.", remedy="Run `retreasure run`: it is built anew from bronze.")
    if isinstance(error, duckdb.OutOfMemoryException):
        return LakeError(
            f"{what} needs more memory than it may use.", remedy="Set RETREASURE_DUCKDB_MEMORY_LIMIT higher."
        )
    return LakeError(
        f"{what} could not be used ({type(error).__name__}).",
        remedy="Delete it, as it holds nothing of its own, and run again.",
    )


def scan(paths: Iterable[str], partitions: dict[str, str], *, alike: bool = False) -> str:
    """SQL that reads Parquet files.

    Args:
        paths: the files.
        partitions: partition columns, which are in the paths only, and their SQL types.
        alike: all files have the same columns. Else each is opened to see, whichever of them the query then reads:
            35 ms against 11 for a day out of 300 files.
    """
    listed = ", ".join(quote(path) for path in paths)
    types = ", ".join(f"{quote_name(name)}: {kind}" for name, kind in partitions.items())
    hive = f", hive_partitioning = true, hive_types = {{{types}}}" if partitions else ", hive_partitioning = false"
    return f"read_parquet([{listed}]{hive}, union_by_name = {'false' if alike else 'true'})"


def quote(text: str) -> str:
    """A SQL text literal."""
    return "'" + text.replace("'", "''") + "'"


def quote_name(name: str) -> str:
    """A SQL name."""
    return '"' + name.replace('"', '""') + '"'


def _note_admissions(engine: duckdb.DuckDBPyConnection, admissions: Mapping[str, Admission]) -> None:
    """Write down who is kept out and who was let in again, for the views to look up."""
    out = [(table, record_id) for table, one in admissions.items() for record_id in one.kept_out]
    back = [(table, *pair) for table, one in admissions.items() for pair in one.replayed.items()]
    for name, schema, rows in ((_KEPT_OUT, _KEPT_OUT_SCHEMA, out), (_REPLAYED, _REPLAYED_SCHEMA, back)):
        values = [dict(zip(schema.names, row, strict=True)) for row in rows]
        engine.register("noted", pa.Table.from_pylist(values, schema=schema))
        engine.execute(f"CREATE OR REPLACE TABLE {name} AS SELECT * FROM noted")
        engine.unregister("noted")


def _admitted(rows: str, table: str, admission: Admission, back: str | None) -> str:
    """SQL of the rows that a gate lets through: until when, without whom, and who came back at another time."""
    conditions = []
    if admission.until is not None:
        conditions.append(f"ingested_at <= TIMESTAMPTZ {quote(admission.until.isoformat())}")
    if admission.kept_out:
        kept_out = f"SELECT record_id FROM {_KEPT_OUT} WHERE bronze_table = {quote(table)}"
        conditions.append(f"record_id NOT IN ({kept_out})")
    shown = f"SELECT * FROM ({rows}) WHERE {' AND '.join(conditions)}" if conditions else rows
    if not admission.replayed or back is None:
        return shown
    return (
        f"{shown} UNION ALL SELECT again.* FROM ({back}) AS again INNER JOIN {_REPLAYED} AS chosen "
        "ON chosen.record_id = again.record_id AND chosen.replayed_at = again.ingested_at "
        f"WHERE chosen.bronze_table = {quote(table)}"
    )


def _replayed(lake: Lake) -> str:
    """SQL of the rows that were ever let in again."""
    return _select(lake, *REPLAYED, SCHEMA, lake.find(*REPLAYED))


def _select(lake: Lake, layer: str, table: str, columns: pa.Schema, found: DeltaTable | None) -> str:
    paths = files(lake, layer, table, add_actions(found)) if found is not None else []
    if paths:
        names = ", ".join(quote_name(column.name) for column in columns)
        # Bronze's writer appends to a table rows of the table's own columns only.
        rows = scan(sorted(paths), {"ingest_date": "DATE"}, alike=layer == "bronze")
        return f"SELECT {names} FROM {rows}"
    empty = ", ".join(f"CAST(NULL AS {_TYPES[column.type]}) AS {quote_name(column.name)}" for column in columns)
    return f"SELECT {empty} WHERE false"
