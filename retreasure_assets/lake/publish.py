"""Publishing: silver and gold tables of the warehouse become Delta tables in the lake.

What belongs here: finding what changed and replacing it in one commit per table. What does not: building the tables
(dbt) and reading them (query.py).

A table with a date is split by month (column ``_month``), and only months that changed are replaced; one without is
replaced whole. A table without a row built since the last publication, and of as many rows, is left alone. Of others a
month is looked at when it has such rows, or when its number of rows differs from the published one, which is how
deleted rows show. What is looked at is replaced only where its content, ``built_at`` aside, has another fingerprint: a
model that is built anew every time does not publish the same rows again. The first publication, which is compared with
nothing, takes no fingerprints: a month that was published without one counts as changed, once.

Tables are published beside one another, the largest first, each by a connection of its own.

Readers of an old version keep its files until ``maintain`` removes them a week later.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

import duckdb
import msgspec
import pyarrow as pa
from deltalake import DeltaTable

from retreasure_assets.errors import BuildError
from retreasure_assets.lake.delta_copy import DeltaCopy, delta_type
from retreasure_assets.lake.manifest import record
from retreasure_assets.lake.storage import Lake, add_actions, explained
from retreasure_assets.lake.warehouse import open_warehouse, quote, quote_name

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

MONTH = "_month"
#: The first of these that a table has decides a row's month. None of them changes once a row exists, or hardly ever;
#: as_of_date alone does, for all rows of a report at once.
_DATES = (
    "business_date",
    "ordered_at",
    "refunded_at",
    "paid_at",
    "charged_at",
    "transacted_at",
    "issued_at",
    "shipped_at",
    "rate_date",
    "date_day",
    "occurred_at",
    "valid_from",
    "as_of_date",
    "cost_date",
    "opened_date",
    "in_stock_date",
    # Every piece has one; not so acquired_date: all without it are one part that grows with the history.
    "first_seen_at",
    "acquired_date",
)
_BUILT_AT = "built_at"
_ZONED = "TIMESTAMP WITH TIME ZONE"
_MONTHS = re.compile("[12][0-9]{3}-[0-9]{2}")
#: Of a row without a date.
_UNDATED = "none"
#: From so many rows on a month is written by itself: its rows are found by their date, instead of being sorted out.
_LARGE_PART = 5_000
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
            for table in sorted(tables, key=lambda table: -sizes.get(table, 0))
        }
        published = [started[table].result() for table in tables]
    record(lake, published)
    return published


def _sizes(engine: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], int]:
    """About how many rows each table has; of views nobody knows before they are read."""
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
        self._dated = next((name for name in _DATES if name in self._types), None)
        self._delta = lake.find(layer, table)
        self._copy = DeltaCopy(lake.uri(layer, table), f"{layer}.{table}", MONTH if self._dated else None)

    def run(self) -> PublishedTable:
        """Find what changed and replace it."""
        schema = self._engine.sql(f"{self._select(split=True)} LIMIT 0").to_arrow_table().schema
        state = self._state() if self._delta is not None and _same(schema, self._delta) else None
        if state is not None and state.dated != self._dated:
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
                self._copy.replace(self._engine, self._rows(counts), schema, self._note({}))
        else:
            looked_at = self._looked_at(state, counts, published)
            prints = self._prints(part for part in looked_at if part in counts)
            parts = [part for part in looked_at if part not in prints or prints[part] != state.prints.get(part)]
            if parts:
                kept = {part: text for part, text in state.prints.items() if part not in looked_at}
                rows = self._rows({part: counts[part] for part in parts if part in counts})
                of = parts if self._dated else None
                self._copy.replace_parts(self._engine, rows, schema, of, self._note(kept | prints))
        names = tuple(parts) if self._dated else (("all",) if parts else ())
        return PublishedTable(self._layer, self._table, sum(counts.values()), names, self._version())

    def _version(self) -> int:
        return DeltaTable(self._uri, without_files=True).version()

    def _day(self) -> str:
        """The date that decides a row's month, of a time its UTC date; without the engine's calendar, which is slow."""
        assert self._dated is not None
        column = quote_name(self._dated)
        zoned = self._types[self._dated] == _ZONED
        return f"CAST(make_timestamp(epoch_us({column})) AS DATE)" if zoned else f"CAST({column} AS DATE)"

    def _month(self) -> str:
        if self._dated is None:
            return quote("all")
        return f"coalesce(strftime({self._day()}, '%Y-%m'), {quote(_UNDATED)})"

    def _within(self, parts: Iterable[str]) -> str:
        """Condition that a row is in one of the parts: literal ranges, so that the engine skips what is in none."""
        if self._dated is None:
            return "true"
        column, ranges = quote_name(self._dated), []
        for part in parts:
            if part == _UNDATED:
                ranges.append(f"{column} IS NULL")
                continue
            if not _MONTHS.fullmatch(part):
                # A year that only a mistaken source states.
                ranges.append(f"{self._month()} = {quote(part)}")
                continue
            first = date.fromisoformat(f"{part}-01")
            after = (first + timedelta(days=31)).replace(day=1)
            low, high = (f"CAST('{day}' AS {self._types[self._dated]})" for day in (first, after))
            ranges.append(f"{column} >= {low} AND {column} < {high}")
        return "(" + " OR ".join(ranges or ["false"]) + ")"

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
        if self._dated is None:
            [(rows,)] = self._engine.execute(f"SELECT count(*) FROM {self._name}").fetchall()
            return {"all": rows} if rows else {}
        # Texts are made of the few months, not of the rows.
        return dict(
            self._engine.execute(
                f"SELECT coalesce(strftime(month, '%Y-%m'), {quote(_UNDATED)}), rows FROM ("
                f"SELECT date_trunc('month', {self._day()}) AS month, count(*) AS rows FROM {self._name} "
                "GROUP BY month)"
            ).fetchall()
        )

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
            f"SELECT DISTINCT {self._month()} FROM {self._name} "
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
            f"SELECT {self._month()} AS part, count(*), sum(CAST(hash({columns}) AS HUGEINT)) "
            f"FROM {self._name} WHERE {self._within(wanted)} GROUP BY part"
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
        return {_STATE: msgspec.json.encode(_State(built_at, prints, self._dated)).decode()}

    def _rows(self, counts: Mapping[str, int]) -> list[tuple[str | None, str]]:
        """SQL that selects the rows of some parts: of each large one by itself, of the small ones together.

        Args:
            counts: rows by part.
        """
        if self._dated is None:
            return [(None, self._select())]
        large = [part for part, rows in counts.items() if rows >= _LARGE_PART]
        selected: list[tuple[str | None, str]] = [
            (part, f"{self._select()} WHERE {self._within([part])}") for part in sorted(large)
        ]
        if small := counts.keys() - large:
            selected.append((None, f"{self._select(split=True)} WHERE {self._within(sorted(small))}"))
        return selected

    def _select(self, *, split: bool = False) -> str:
        """SQL of all rows with types that Delta has, and the part that each is of."""
        columns = []
        for column, kind in self._types.items():
            name, nearest = quote_name(column), delta_type(kind)
            columns.append(name if nearest == kind else f"CAST({name} AS {nearest}) AS {name}")
        if split and self._dated:
            columns.append(f"{self._month()} AS {MONTH}")
        return f"SELECT {', '.join(columns)} FROM {self._name}"


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
