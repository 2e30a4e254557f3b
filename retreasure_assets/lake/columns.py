"""Arrow columns made of many Python values at once.

What belongs here: making them, and ways that are quicker than Arrow's own. What does not: what the values mean
(records.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from retreasure_assets.privacy.paths import Scalar

#: Values looked at at a time: few enough that their copies stay in the processor's cache.
_FEW = 64
#: More runs of values than these are better copied: each costs what a value of some kilobytes does.
_MANY_RUNS = 500
#: A new array of texts is begun after so many bytes. One could hold 2 GB, but it grows by the half, and a piece of more
#: than 32 MB the C library takes from the system each time, page by page: half of what the system did for a process
#: that judges.
_CHUNK_BYTES = 2 << 20

TIMESTAMP = pa.timestamp("us", tz="UTC")
#: Made without pa.scalar, which has pandas imported: half of what it takes to start a process that judges.
_NO_MOMENT = pa.nulls(1, TIMESTAMP)[0]
#: 9999-12-31T23:59:59Z: what is later is no number of seconds.
_LAST_SECOND = 253_402_300_799
#: The calendar of the dbt project (macros/engine/types.sql).
_FIRST, _END = pa.Array.from_buffers(
    TIMESTAMP, 2, [None, pa.py_buffer(np.array(["2000-01-01", "2050-01-01"], "datetime64[us]"))]
)


class GrowingTexts:
    """Texts one after the other in one piece of memory, the form in which Arrow has them.

    Whoever adds a text appends it to ``content`` and then says ``end``.
    """

    def __init__(self) -> None:
        self.content = bytearray()
        self._ends = [0]
        self._chunks: list[pa.Array] = []

    def end(self) -> bytearray:
        """The text added is complete; where the next one is to be added."""
        self._ends.append(len(self.content))
        if len(self.content) > _CHUNK_BYTES:
            self._cut()
        return self.content

    def array(self) -> pa.ChunkedArray:
        """All texts; none may be added after."""
        if len(self._ends) > 1:
            self._cut()
        return pa.chunked_array(self._chunks, pa.string())

    def _cut(self) -> None:
        offsets = pa.py_buffer(np.array(self._ends, np.int32))
        buffers = [None, offsets, pa.py_buffer(self.content)]
        self._chunks.append(pa.Array.from_buffers(pa.string(), len(self._ends) - 1, buffers))
        self.content, self._ends = bytearray(), [0]


def column_of(values: Sequence[str | bytes | None], kind: pa.DataType) -> pa.ChunkedArray:
    """Texts or bytes as a column."""
    # Of several arrays where one cannot hold so much.
    array = pa.array(values, kind)
    return array if isinstance(array, pa.ChunkedArray) else pa.chunked_array([array])


def lengths_of(values: Sequence[bytes]) -> npt.NDArray[np.int64]:
    """The length of each."""
    return np.fromiter(map(len, values), np.int64, len(values))


def in_one_piece(lengths: npt.NDArray[np.int64], content: pa.Buffer) -> pa.Array:
    """Bytes that stand one after the other in memory as an array of any size, without a copy."""
    ends = np.zeros(len(lengths) + 1, np.int64)
    np.cumsum(lengths, out=ends[1:])
    return pa.Array.from_buffers(pa.large_binary(), len(lengths), [None, pa.py_buffer(ends), content])


def is_utf8(values: pa.Array) -> bool:
    """Whether all of them are valid UTF-8; Arrow sees that in a quarter of the time that decoding each takes."""
    try:
        values.cast(pa.large_string())
    except pa.ArrowInvalid:
        return False
    return True


def all_utf8(values: Sequence[bytes]) -> bool:
    """``is_utf8`` of values that are in many places."""
    doubtful = [value for value in values if not value.isascii()]
    parts = (doubtful[start : start + _FEW] for start in range(0, len(doubtful), _FEW))
    return all(is_utf8(pa.array(part, pa.binary())) for part in parts)


def without_copy(column: pa.ChunkedArray, kept: pa.ChunkedArray) -> pa.ChunkedArray:
    """Those of a column's values that are kept; long ones stay where they are in memory where few others are between.

    Args:
        column: the values.
        kept: whether each is kept; no nulls.
    """
    edges = np.flatnonzero(np.diff(np.concatenate(([False], kept.to_numpy(), [False])).astype(np.int8)))
    if len(edges) > 2 * _MANY_RUNS:
        # Arrow's filter copies piece by piece, twenty times as fast as its take.
        return column.filter(kept)
    runs = (column.slice(start, end - start) for start, end in edges.reshape(-1, 2).tolist())
    return pa.chunked_array([chunk for run in runs for chunk in run.chunks], column.type)


def timestamps(values: Sequence[Scalar], length: int) -> pa.Array:
    """ISO 8601 dates and times, or whole numbers of epoch seconds, as UTC timestamps.

    Null where there is none, where it cannot be read, and where it lies outside of the calendar (gold.dim_date):
    0001-01-01 and 9999-12-31 are how programs write that there is none, 1970-01-01 is a clock that nobody set.

    Args:
        values: as the source wrote them, or nothing for an entity without change times.
        length: how many there are.
    """
    if not values:
        return pa.nulls(length, TIMESTAMP)
    moments = _timestamps(values)
    possible = pc.and_(pc.greater_equal(moments, _FIRST), pc.less(moments, _END))
    return pc.if_else(possible, moments, _NO_MOMENT)


def _timestamps(values: Sequence[Scalar]) -> pa.Array:
    try:
        if type(values[0]) is int:
            moments = pa.array(values, pa.int64())
            if pc.max(moments).as_py() <= _LAST_SECOND and pc.min(moments).as_py() >= 0:
                return pc.cast(moments.cast(pa.timestamp("s", tz="UTC")), TIMESTAMP)
            return pa.array([_timestamp(value) for value in values], TIMESTAMP)
        return pc.cast(pa.array(values, pa.string()), TIMESTAMP)
    except (pa.ArrowInvalid, pa.ArrowTypeError):
        return pa.array([_timestamp(value) for value in values], TIMESTAMP)


def _timestamp(value: Scalar) -> datetime | None:
    try:
        if isinstance(value, int):
            return datetime.fromtimestamp(value, UTC)
        moment = datetime.fromisoformat(str(value).strip())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError, OSError):
        return None
