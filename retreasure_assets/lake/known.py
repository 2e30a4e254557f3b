"""Which records a table holds already.

What belongs here: the anti-join of a batch with its table, bounded by time. What does not: writing (bronze.py).
"""

from __future__ import annotations

import weakref
from datetime import UTC, datetime, timedelta

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from retreasure_assets.lake.storage import explained

#: Delta keeps statistics of times in whole milliseconds.
_MILLISECOND = timedelta(milliseconds=1)


class KnownRecords:
    """Looks up record ids. Not for several threads at once."""

    def __init__(self, memory_limit: str = "256MB") -> None:
        self._engine = duckdb.connect(config={"memory_limit": memory_limit, "threads": 2, "temp_directory": ""})
        # An engine still open when the interpreter ends complains on standard error.
        weakref.finalize(self, self._engine.close)

    def close(self) -> None:
        """Release the engine."""
        self._engine.close()

    def find(
        self,
        table: str,
        actions: pa.Table,
        files: list[str],
        record_ids: pa.ChunkedArray,
        updated: pa.Array,
        *,
        latest: bool = False,
    ) -> set[str]:
        """Those of the records that the table has.

        A record that came before has the same change time, so only files that can hold one of the batch's change
        times are read, and of these only rows within literal bounds: the cost follows the batch, not the history.
        Records without a change time are compared with rows that have none.

        Args:
            table: its name, for errors.
            actions: the table's files with their statistics (``add_actions``).
            files: their paths, in the same order.
            record_ids: the batch's records.
            updated: their change times, UTC, null where there is none.
            latest: whether a record without a change time is known only while it is the newest of its key.

        Raises:
            LakeError: the table cannot be read.
        """
        found: set[str] = set()
        bounds = pc.min_max(updated)
        first, last = bounds["min"].as_py(), bounds["max"].as_py()
        wanted = pa.table({"record_id": record_ids, "undated": updated.is_null()})
        if first is not None:
            candidates = _overlapping(actions, files, first, last)
            condition = (
                f"source_updated_at BETWEEN TIMESTAMPTZ '{first.isoformat()}' AND TIMESTAMPTZ '{last.isoformat()}'"
            )
            dated = wanted.filter(pc.invert(wanted["undated"]))
            found |= self._among(table, candidates, condition, dated, latest=False)
        if updated.null_count:
            candidates = _undated(actions, files)
            undated = wanted.filter(wanted["undated"])
            found |= self._among(table, candidates, "source_updated_at IS NULL", undated, latest=latest)
        return found

    def _among(self, table: str, files: list[str], condition: str, wanted: pa.Table, *, latest: bool) -> set[str]:
        if not files:
            return set()
        newest = (
            "QUALIFY row_number() OVER (PARTITION BY natural_key ORDER BY ingested_at DESC, record_id DESC) = 1"
            if latest
            else ""
        )
        with explained(table):
            try:
                self._engine.register("wanted", wanted)
                rows = self._engine.execute(
                    "SELECT DISTINCT record_id FROM ("
                    "SELECT record_id FROM read_parquet($files, hive_partitioning => false) "
                    f"WHERE {condition} {newest}) WHERE record_id IN (SELECT w.record_id FROM wanted AS w)",
                    {"files": files},
                ).fetchall()
            finally:
                self._engine.unregister("wanted")
        return {record_id for (record_id,) in rows}


def _overlapping(actions: pa.Table, files: list[str], first: datetime, last: datetime) -> list[str]:
    names = actions.column_names
    if "min.source_updated_at" not in names:
        # No file has a dated row, or none has statistics: the count of nulls tells which.
        return [file for file, dated in zip(files, _dated(actions), strict=True) if dated]
    low = actions["min.source_updated_at"].to_pylist()
    high = actions["max.source_updated_at"].to_pylist()
    return [
        file
        for file, lowest, highest, dated in zip(files, low, high, _dated(actions), strict=True)
        if dated
        and (lowest is None or _utc(lowest) <= last + _MILLISECOND)
        and (highest is None or _utc(highest) >= first - _MILLISECOND)
    ]


def _dated(actions: pa.Table) -> list[bool]:
    """Whether each file may have rows with a change time."""
    if "null_count.source_updated_at" not in actions.column_names:
        return [True] * actions.num_rows
    nulls = actions["null_count.source_updated_at"].to_pylist()
    rows = actions["num_records"].to_pylist()
    return [empty is None or count is None or empty < count for empty, count in zip(nulls, rows, strict=True)]


def _undated(actions: pa.Table, files: list[str]) -> list[str]:
    if "null_count.source_updated_at" not in actions.column_names:
        return files
    nulls = actions["null_count.source_updated_at"].to_pylist()
    return [file for file, count in zip(files, nulls, strict=True) if count is None or count > 0]


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
