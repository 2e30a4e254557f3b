"""Publishing: silver and gold tables of the warehouse become Delta tables in the lake.

What belongs here: finding what changed and replacing it in one commit per table. What does not: which month a row is
of (months.py), writing files (delta_copy.py), building the tables (dbt) and reading them (query.py).

A table with a date is split by month (column ``_month``), and only months that changed are replaced; one without is
replaced whole. A table without a row built since the last publication, and of as many rows, is left alone. Of others a
month is looked at when it has such rows, or when its number of rows differs from the published one, which is how
deleted rows show. What is looked at is replaced only where its content, ``built_at`` aside, has another fingerprint: a
model that is built anew every time does not publish the same rows again. The first publication, which is compared with
nothing, takes no fingerprints: a month that was published without one counts as changed, once.

Tables are published beside one another, views and the largest first, each by a connection of its own.

Readers of an old version keep its files until ``maintain`` removes them a week later.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

import duckdb
import msgspec
import pyarrow as pa
from deltalake import DeltaTable

from retreasure_assets.errors import BuildError
from retreasure_assets.lake.delta_copy import DeltaCopy
from retreasure_assets.lake.manifest import record
from retreasure_assets.lake.months import MONTH, MonthlyTable
from retreasure_assets.lake.storage import Lake, add_actions, explained
from retreasure_assets.lake.warehouse import open_warehouse, quote, quote_name

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

_BUILT_AT = "built_at"
_STATE = "retreasure"
#: Compaction commits may stand between the newest commit and the last publication.
_LOOK_BACK = 20


class _State(msgspec.Struct):
    """What a publication leaves in its commit for the next one."""

    built_at: str | None
    prints: dict[str, str]
    #: The column that decided the rows' month.
    dated: str | None = None


@dataclass(frozen=True, slots=True)
class PublishedTable:
    """What was published of one table.

    Args:
        layer: silver or gold.
        table: its name.
        rows: how many it has now.
        parts: the months replaced, or ``all``; empty when nothing changed.
        version: its Delta version now.
    """

    layer: str
    table: str
    rows: int
    parts: tuple[str, ...]
    version: int


def publish(settings: Settings, lake: Lake, tables: Sequence[tuple[str, str]]) -> list[PublishedTable]:
    """Bring the lake's copies of warehouse tables up to date, each in one commit, and all at once in the manifest.

    Args:
        settings: where the warehouse is.
        lake: where to publish.
        tables: (layer, table) of each.

    Raises:
        BuildError: the warehouse lacks a table.
        LakeError: the warehouse cannot be read or the lake not written.
    """
    with (
        open_warehouse(
            settings.warehouse_path, settings.duckdb_memory_limit, settings.threads, read_only=True
        ) as engine,
        ThreadPoolExecutor(settings.threads, thread_name_prefix="publish") as beside,
    ):
        engine.execute("SET GLOBAL preserve_insertion_order = false")
        sizes = _sizes(engine)
        started = {
            table: beside.submit(_publish_table, engine, lake, *table)
            for table in sorted(tables, key=lambda table: -sizes.get(table, math.inf))
        }
        published = [started[table].result() for table in tables]
    record(lake, published)
    return published


def _sizes(engine: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """About how many rows each table has; of views nobody knows before they are read, and one may be the largest."""
    rows = engine.execute("SELECT schema_name, table_name, estimated_size FROM duckdb_tables()").fetchall()
    return {(schema, table): size for schema, table, size in rows}


def _publish_table(engine: duckdb.DuckDBPyConnection, lake: Lake, layer: str, table: str) -> PublishedTable:
    with explained(f"{layer}.{table}"), engine.cursor() as own:
        own.execute("SET TimeZone = 'UTC'")
        try:
            return _Publication(own, lake, layer, table).run()
        except duckdb.CatalogException:
            raise BuildError(
                f"The warehouse has no table {layer}.{table}.", remedy="Build it first with `retreasure run`."
            ) from None


class _Publication:
    """One table's publication."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, lake: Lake, layer: str, table: str) -> None:
        self._engine = engine
        self._layer, self._table = layer, table
        self._uri = lake.uri(layer, table)
        self._name = f"{quote_name(layer)}.{quote_name(table)}"
        described = engine.execute(f"DESCRIBE {self._name}").fetchall()
        self._types: dict[str, str] = {row[0]: row[1] for row in described}
        self._months = MonthlyTable(self._name, self._types)
        self._delta = lake.find(layer, table)
        self._copy = DeltaCopy(lake.uri(layer, table), f"{layer}.{table}", MONTH if self._months.dated else None)

    def run(self) -> PublishedTable:
        """Find what changed and replace it."""
        schema = self._engine.sql(f"{self._months.select(split=True)} LIMIT 0").to_arrow_table().schema
        state = self._state() if self._delta is not None and _same(schema, self._delta) else None
        if state is not None and state.dated != self._months.dated:
            # Its months are other ones than this version's.
            state = None
        published = self._published()
        if state is not None and self._is_as_published(state, known := sum(published.values())):
            assert self._delta is not None
            return PublishedTable(self._layer, self._table, known, (), self._delta.version())
        counts = self._counts()
        if state is None:
            # New, or of other columns than before.
            parts = sorted(counts)
            if self._delta is None or parts or published:
                self._copy.replace(self._engine, self._months.rows(counts), schema, self._note({}))
        else:
            looked_at = self._looked_at(state, counts, published)
            prints = self._prints(part for part in looked_at if part in counts)
            parts = [part for part in looked_at if part not in prints or prints[part] != state.prints.get(part)]
            if parts:
                kept = {part: text for part, text in state.prints.items() if part not in looked_at}
                rows = self._months.rows({part: counts[part] for part in parts if part in counts})
                of = parts if self._months.dated else None
                self._copy.replace_parts(self._engine, rows, schema, of, self._note(kept | prints))
        names = tuple(parts) if self._months.dated else (("all",) if parts else ())
        return PublishedTable(self._layer, self._table, sum(counts.values()), names, self._version())

    def _version(self) -> int:
        return DeltaTable(self._uri, without_files=True).version()

    def _is_as_published(self, state: _State, published: int) -> bool:
        """Whether no row was built since the last publication, and none has gone."""
        if state.built_at is None or _BUILT_AT not in self._types:
            return False
        [(rows, newer)] = self._engine.execute(
            f"SELECT count(*), coalesce(max({_BUILT_AT}) > {self._moment(state)}, false) FROM {self._name}"
        ).fetchall()
        return bool(rows == published and not newer)

    def _moment(self, state: _State) -> str:
        return f"CAST({quote(state.built_at or '')} AS {self._types[_BUILT_AT]})"

    def _counts(self) -> dict[str, int]:
        """Rows by part."""
        return dict(self._engine.execute(self._months.counts()).fetchall())

    def _published(self) -> dict[str, int]:
        """Published rows by part, from the Delta log alone."""
        if self._delta is None:
            return {}
        actions = add_actions(self._delta)
        # One that was published whole before has no such column.
        split = f"partition.{MONTH}" in actions.column_names
        parts = actions[f"partition.{MONTH}"].to_pylist() if split else ["all"] * actions.num_rows
        counts: dict[str, int] = {}
        for part, rows in zip(parts, actions["num_records"].to_pylist(), strict=True):
            counts[part] = counts.get(part, 0) + (rows or 0)
        return counts

    def _looked_at(self, state: _State, counts: Mapping[str, int], published: Mapping[str, int]) -> list[str]:
        """Parts that may have changed."""
        looked_at = {part for part in counts.keys() | published.keys() if counts.get(part) != published.get(part)}
        if state.built_at is None or _BUILT_AT not in self._types:
            return sorted(looked_at | counts.keys())
        rows = self._engine.execute(
            f"SELECT DISTINCT {self._months.month()} FROM {self._name} "
            f"WHERE {_BUILT_AT} IS NULL OR {_BUILT_AT} > {self._moment(state)}"
        ).fetchall()
        return sorted(looked_at | {part for (part,) in rows})

    def _prints(self, parts: Iterable[str]) -> dict[str, str]:
        """Each part's fingerprint: the sum of its rows' hashes, whatever their order, ``built_at`` left out."""
        wanted = sorted(parts)
        if not wanted:
            return {}
        columns = ", ".join(quote_name(name) for name in self._types if name != _BUILT_AT)
        rows = self._engine.execute(
            f"SELECT {self._months.month()} AS part, count(*), sum(CAST(hash({columns}) AS HUGEINT)) "
            f"FROM {self._name} WHERE {self._months.within(wanted)} GROUP BY part"
        ).fetchall()
        return {part: f"{count}-{total}" for part, count, total in rows}

    def _state(self) -> _State | None:
        assert self._delta is not None
        for commit in self._delta.history(_LOOK_BACK):
            if _STATE in commit:
                return msgspec.json.decode(commit[_STATE], type=_State)
        return None

    def _note(self, prints: dict[str, str]) -> dict[str, str]:
        """What the commit tells the next publication."""
        built_at = None
        if _BUILT_AT in self._types:
            # fetchall: DuckDB takes no other query on a connection whose result has rows to come.
            ((built_at,),) = self._engine.execute(
                f"SELECT CAST(max({_BUILT_AT}) AS VARCHAR) FROM {self._name}"
            ).fetchall()
        return {_STATE: msgspec.json.encode(_State(built_at, prints, self._months.dated)).decode()}


def _same(schema: pa.Schema, delta: DeltaTable) -> bool:
    """Whether the published table has these columns."""
    published = pa.schema(delta.schema().to_arrow())
    return [(field.name, _plain(field.type)) for field in schema] == [
        (field.name, _plain(field.type)) for field in published
    ]


def _plain(kind: pa.DataType) -> pa.DataType:
    """Text and bytes without their variants, which Delta does not tell apart."""
    if kind in {pa.large_string(), pa.string_view()}:
        return pa.string()
    return pa.binary() if kind in {pa.large_binary(), pa.binary_view()} else kind
