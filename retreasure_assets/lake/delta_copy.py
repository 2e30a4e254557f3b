"""Rows of the warehouse as files of a Delta table: DuckDB writes the Parquet files, one commit makes them the table's.

What belongs here: files and their statistics as the engine tells them, the commit. What does not: which rows to write
(publish.py).

The engine that holds the rows writes them itself, on all its threads: through Arrow and a second writer it cost three
times the CPU. A file is nobody's until the commit names it, so a writer that is killed leaves the table as it was, and
files that ``maintain`` removes a week later.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import msgspec
import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema
from deltalake.transaction import AddAction, create_table_with_add_actions

from retreasure_assets.lake.delta_files import ColumnStatistics, statistics, text_bound
from retreasure_assets.lake.storage import CONFIGURATION
from retreasure_assets.lake.warehouse import quote, quote_name

if TYPE_CHECKING:
    import duckdb

#: A dictionary of more values than these costs more than it saves: an eighth of the CPU of copying 1.5 million orders
#: and lines, for files that are 1 % smaller.
_OPTIONS = "FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 2000, RETURN_STATS"
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?")
_DATE = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2}) ([0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,6})?)\+00")
#: Types that Delta lacks, by how DuckDB names them, and the nearest that it has. A time without a zone is UTC, as is
#: everything in the warehouse; Delta would read it as something else.
_NEAREST = (
    (re.compile("TIMESTAMP(_S|_MS|_NS)?"), "TIMESTAMPTZ"),
    (re.compile("U(TINY|SMALL)?INT(EGER)?"), "BIGINT"),
    (re.compile("UBIGINT"), "DECIMAL(20, 0)"),
    (re.compile("U?HUGEINT"), "DECIMAL(38, 0)"),
    (re.compile(r'TIME|TIME WITH TIME ZONE|UUID|JSON|"NULL"|ENUM\(.*', re.DOTALL), "VARCHAR"),
)


@dataclass(frozen=True, slots=True)
class DeltaCopy:
    """A Delta table to copy rows into.

    Args:
        uri: where the table is.
        name: what it is called, in its metadata.
        partition: the column that its files are split by, if any.
    """

    uri: str
    name: str
    partition: str | None

    def replace(
        self,
        engine: duckdb.DuckDBPyConnection,
        rows: Iterable[tuple[str | None, str]],
        schema: pa.Schema,
        note: Mapping[str, str],
    ) -> None:
        """Make the table of these rows and columns, whatever it was, in one commit.

        Args:
            engine: where the rows are; its time zone is UTC.
            rows: SQL that selects them, with types that Delta has (see ``delta_type``), each with the value of the
                partition column that all of its rows have, or with None: then it selects that column too, if there
                is one, and the engine sorts the rows out, which doubles the work.
            schema: their columns, the partition column last.
            note: kept with the commit.

        Raises:
            DeltaError, duckdb.Error, OSError: they cannot be written.
        """
        create_table_with_add_actions(
            self.uri,
            Schema.from_arrow(schema),
            list(self._write(engine, rows, schema)),
            mode="overwrite",
            partition_by=[self.partition] if self.partition else [],
            name=self.name,
            configuration=CONFIGURATION,
            commit_properties=CommitProperties(custom_metadata=dict(note)),
        )

    def replace_parts(
        self,
        engine: duckdb.DuckDBPyConnection,
        rows: Iterable[tuple[str | None, str]],
        schema: pa.Schema,
        parts: Sequence[str] | None,
        note: Mapping[str, str],
    ) -> None:
        """Put these rows in the place of those of some partitions, in one commit; the other files stay.

        Args:
            engine, rows, schema, note: as of ``replace``; the table has these columns.
            parts: values of the partition column; None for all of a table.

        Raises:
            DeltaError, duckdb.Error, OSError: they cannot be written.
        """
        assert parts is None or self.partition is not None
        DeltaTable(self.uri).create_write_transaction(
            list(self._write(engine, rows, schema)),
            mode="overwrite",
            schema=schema,
            partition_by=[self.partition] if self.partition else [],
            partition_filters=[(self.partition, "in", list(parts))] if self.partition and parts is not None else None,
            commit_properties=CommitProperties(custom_metadata=dict(note)),
        )

    def _write(
        self, engine: duckdb.DuckDBPyConnection, rows: Iterable[tuple[str | None, str]], schema: pa.Schema
    ) -> Iterator[AddAction]:
        for part, query in rows:
            options, target = _OPTIONS, f"{self.uri}/part-{uuid4()}.parquet"
            if part is not None:
                target = f"{self.uri}/{self.partition}={part}/part-{uuid4()}.parquet"
            elif self.partition:
                target = self.uri
                options += f", PARTITION_BY ({quote_name(self.partition)}), FILENAME_PATTERN 'part-{{uuid}}', APPEND"
            Path(target).parent.mkdir(parents=True, exist_ok=True)
            written = engine.execute(f"COPY ({query}) TO {quote(target)} ({options})").fetchall()
            for path, count, size, _, known, values, _ in written:
                # A table without rows is one without files.
                if not count:
                    Path(path).unlink()
                    continue
                columns = {
                    field.name: _column(field.type, found)
                    for field in schema
                    if (found := known.get(quote_name(field.name))) is not None
                }
                yield AddAction(
                    path=path.removeprefix(f"{self.uri}/"),
                    size=size,
                    partition_values=values or ({self.partition: part} if self.partition else {}),
                    modification_time=int(time.time() * 1000),
                    data_change=True,
                    stats=statistics(schema, count, columns),
                )


def delta_type(kind: str) -> str:
    """The nearest type that Delta has to a type as DuckDB names it; the same where it has that one."""
    return next((nearest for types, nearest in _NEAREST if types.fullmatch(kind)), kind)


def _column(kind: pa.DataType, found: Mapping[str, str]) -> ColumnStatistics:
    """What DuckDB says of a column of a file, as Delta has it."""
    low, high = (_bound(kind, found.get(end), top=end == "max") for end in ("min", "max"))
    if found.get("has_nan") == "true":
        low = high = None
    return ColumnStatistics(int(found["null_count"]), low, high)


def _bound(kind: pa.DataType, text: str | None, *, top: bool) -> object | None:
    """A bound as Delta writes it, None where it cannot."""
    if text is None:
        return None
    if pa.types.is_boolean(kind):
        return text == "1"
    if pa.types.is_floating(kind):
        return number if math.isfinite(number := float(text)) else None
    if pa.types.is_date(kind):
        return text if _DATE.fullmatch(text) else None
    if pa.types.is_timestamp(kind):
        return f"{found[1]}T{found[2]}Z" if (found := _MOMENT.fullmatch(text)) else None
    if pa.types.is_decimal(kind) or pa.types.is_integer(kind):
        # As the number that it is: through a float an amount could fall outside of its own bounds.
        return msgspec.Raw(text.encode()) if _NUMBER.fullmatch(text) else None
    return text_bound(text, top=top)
