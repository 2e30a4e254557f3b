"""Parquet files of Delta tables, and what a commit says of them.

What belongs here: writing rows of memory as files, and files' statistics as Delta has them, whoever wrote the files.
What does not: rows that the warehouse holds (delta_copy.py), and the commit (storage.py, delta_copy.py).

Files are written by Arrow, whose Parquet writer takes half the CPU of Delta's own. A file is nobody's until a commit
names it: what a killed writer leaves behind ``maintain`` removes.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from math import isfinite
from pathlib import Path
from uuid import uuid4

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake.transaction import AddAction

#: As Delta's own default: statistics of so many columns, the first ones.
_INDEXED_COLUMNS = 32
#: Characters of a text's bound, as in Delta's own writers.
_LONGEST_BOUND = 32


@dataclass(frozen=True, slots=True)
class FileFormat:
    """How columns are written that are not worth the usual: dictionary, statistics, zstd.

    Args:
        unique: values that hardly repeat: no dictionary.
        opaque: long or random values that nobody looks for: no dictionary, no statistics.
        random: of these, bytes that are as random as can be: not compressed.
    """

    unique: frozenset[str] = frozenset()
    opaque: frozenset[str] = frozenset()
    random: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ColumnStatistics:
    """What a file says of one column.

    Args:
        nulls: how many values are null.
        low: the least value, as Delta writes it; None where there is none or it cannot be written.
        high: the greatest one.
    """

    nulls: int
    low: object | None
    high: object | None


def write_files(uri: str, rows: pa.Table, partition_by: str, layout: FileFormat) -> list[AddAction]:
    """Write rows as Parquet files of a table, one for each value of the partition column.

    Args:
        uri: where the table is.
        rows: its columns, the partition column included, which holds dates and no null.
        partition_by: the column that files are split by.
        layout: how columns are written.

    Returns:
        What a commit has to add.

    Raises:
        OSError, ArrowException: they cannot be written.
    """
    moments = pc.unique(rows[partition_by]).to_pylist()
    return [
        _write_file(
            uri,
            # Constant in most tables: no need to copy them.
            (rows if len(moments) == 1 else rows.filter(pc.equal(rows[partition_by], moment))).drop_columns(
                partition_by
            ),
            {partition_by: moment.isoformat()},
            layout,
        )
        for moment in moments
    ]


def _write_file(uri: str, rows: pa.Table, partition: Mapping[str, str], layout: FileFormat) -> AddAction:
    names = rows.column_names
    [(column, value)] = partition.items()
    path = f"{column}={value}/part-{uuid4()}.parquet"
    target = Path(uri, path)
    # What a kill cuts short must not look like a Parquet file to whoever reads the folder.
    unfinished = target.with_suffix(".unfinished")
    target.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        rows,
        unfinished,
        compression={name: "none" if name in layout.random else "zstd" for name in names},
        compression_level={name: 1 for name in names if name not in layout.random},
        use_dictionary=[name for name in names if name not in layout.unique | layout.opaque],
        write_statistics=[name for name in names if name not in layout.opaque],
        store_schema=False,
    )
    unfinished.replace(target)
    return AddAction(
        path=path,
        size=target.stat().st_size,
        partition_values=dict(partition),
        modification_time=int(time.time() * 1000),
        data_change=True,
        stats=statistics(rows.schema, rows.num_rows, _columns(pq.read_metadata(target))),
    )


def statistics(schema: pa.Schema, rows: int, columns: Mapping[str, ColumnStatistics]) -> str:
    """Delta's statistics of a file: what readers skip files by.

    Bounds are given of all columns that have statistics and can have bounds, or of none: deltalake's own reader takes
    a bound that is missing beside others for one that no value is within.

    Args:
        schema: the table's columns.
        rows: how many rows the file has.
        columns: what the file says of its columns, by name.
    """
    nulls: dict[str, int] = {}
    lowest: dict[str, object] = {}
    highest: dict[str, object] = {}
    bounded = True
    for field in list(schema)[:_INDEXED_COLUMNS]:
        if (found := columns.get(field.name)) is None:
            # The column that files are split by is in none of them; of others nothing is known.
            continue
        nulls[field.name] = found.nulls
        if found.nulls == rows or pa.types.is_nested(field.type) or pa.types.is_binary(field.type):
            continue
        if found.low is None or found.high is None:
            bounded = False
            continue
        lowest[field.name], highest[field.name] = found.low, found.high
    bounds = {"minValues": lowest, "maxValues": highest} if bounded else {}
    return msgspec.json.encode({"numRecords": rows, **bounds, "nullCount": nulls}).decode()


def text_bound(text: str, *, top: bool) -> str:
    """A text as a bound: cut where it is long, and then above all that begins like it where it is the upper one."""
    if len(text) <= _LONGEST_BOUND:
        return text
    return text[:_LONGEST_BOUND] + ("\U0010ffff" if top else "")


def _columns(written: pq.FileMetaData) -> dict[str, ColumnStatistics]:
    """The statistics of a file of one or several row groups."""
    parts: dict[str, list[pq.Statistics]] = {}
    for group in map(written.row_group, range(written.num_row_groups)):
        for column in map(group.column, range(group.num_columns)):
            if column.is_stats_set:
                parts.setdefault(column.path_in_schema, []).append(column.statistics)
    return {name: _united(some) for name, some in parts.items() if len(some) == written.num_row_groups}


def _united(parts: list[pq.Statistics]) -> ColumnStatistics:
    # Row groups of nothing but nulls have no bounds, and need none.
    valued = [part for part in parts if part.num_values]
    nulls = sum(part.null_count for part in parts)
    if not valued or not all(part.has_min_max for part in valued):
        return ColumnStatistics(nulls, None, None)
    low, high = min(part.min for part in valued), max(part.max for part in valued)
    return ColumnStatistics(nulls, _bound(low, top=False), _bound(high, top=True))


def _bound(value: object, *, top: bool) -> object | None:
    """A value as Delta writes it, None where it cannot."""
    if isinstance(value, datetime):
        # In UTC, as all times of the lake are.
        return f"{value.replace(tzinfo=None).isoformat(timespec='microseconds')}Z"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        # As the number that it is: through a float an amount could fall outside of its own bounds.
        return msgspec.Raw(f"{value:f}".encode())
    if isinstance(value, float):
        return value if isfinite(value) else None
    if isinstance(value, str):
        return text_bound(value, top=top)
    return value if isinstance(value, bool | int) else None
