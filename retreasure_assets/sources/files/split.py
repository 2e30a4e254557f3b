"""Cutting CSV into records: exact bytes, line numbers and columns.

Two ways lead to the same rows. Where a block has no quote, no lone carriage return and no padding, Arrow splits it
(10 times faster); everywhere else the csv module reads it, strictly, line by line.

One bad line never loses another: when a record that spans several lines turns out malformed (an unclosed quote
swallows what follows, or the number of columns is wrong), only its first line is bad and reading goes on with the
second.

What belongs here: records and columns as text. What does not: what the columns mean (``transform``).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pyarrow as pa
import pyarrow.csv as pa_csv

from retreasure_assets.sources.files.decoding import Lines, Text, split_lines
from retreasure_assets.sources.files.header import Layout, dialect, is_padding
from retreasure_assets.sources.files.rows import Rows

#: An open quote may reach into the next block, but not from further back than this.
OPEN_RECORD_BYTES = 1 << 20

_LINE_FEED = 10
_BOM = b"\xef\xbb\xbf"


class CsvSplitter:
    """Splits the blocks of one file, in order.

    Args:
        layout: the file's layout.
        fast: whether Arrow may split regular blocks; tests switch it off to compare.
    """

    def __init__(self, layout: Layout, *, fast: bool = True) -> None:
        mapping = layout.mapping
        self._layout = layout
        self._line = layout.body_line
        self._open = b""
        self._dialect = dialect(mapping, layout.delimiter)
        self._skip = [re.compile(pattern) for pattern in mapping.skip_rows]
        self._quote = mapping.quote.encode()
        self._fast = fast and not self._skip and not layout.text.wide and layout.delimiter.isascii()
        mark = layout.delimiter.encode() if self._fast else b","
        self._padding = re.compile(rb"^(?:[ \t]|" + re.escape(mark) + rb")*\r?$", re.MULTILINE)
        self._padding_starts = np.frombuffer(b"\n\r \t" + mark, np.uint8)

    def feed(self, block: bytes, *, final: bool) -> Rows:
        """Split the next block of whole lines; with ``final`` nothing follows."""
        rows = self._split_fast(block) if self._fast and not self._open else None
        return self._split_any(self._open + block, final=final) if rows is None else rows

    def _split_fast(self, block: bytes) -> Rows | None:
        """Split a regular block; None when it is not regular."""
        if not block or (self._quote and self._quote in block) or block.startswith(_BOM) or self._has_padding(block):
            return None
        if b"\r" in block and block.count(b"\r") != block.count(b"\r\n"):
            return None
        lines = (block.replace(b"\r\n", b"\n") if b"\r" in block else block).split(b"\n")
        if not lines[-1]:
            lines.pop()
        data = _as_utf8(block, self._layout.text)
        if data is None or max(map(len, lines)) > csv.field_size_limit():
            return None
        columns = _arrow_columns(data, self._layout)
        if columns is None or any(len(column) != len(lines) for column in columns.values()):
            return None
        first = self._line
        self._line += len(lines)
        return Rows(lines, list(range(first, self._line)), {}, {name: columns[name] for name in self._layout.positions})

    def _has_padding(self, block: bytes) -> bool:
        # Only the few lines that begin like padding are worth a regular expression.
        data = np.frombuffer(block, np.uint8)
        starts = np.flatnonzero(data[:-1] == _LINE_FEED) + 1
        if not np.isin(data[np.append(0, starts)], self._padding_starts).any():
            return False
        return self._padding.search(block, 0, len(block) - block.endswith(b"\n")) is not None

    def _split_any(self, block: bytes, *, final: bool) -> Rows:
        """Split any block, by the csv module."""
        lines = split_lines(block, self._layout.text)
        count = len(lines.texts)
        found = _Found(self._layout, lines, self._line)
        at = 0

        def feed() -> Iterator[str]:
            nonlocal at
            while at < count:
                at += 1
                yield lines.texts[at - 1]

        reader = csv.reader(feed(), self._dialect)
        while (begin := at) < count:
            try:
                row = next(reader)
                problem = self._judge(row)
            except csv.Error:
                if at == count and not final and len(lines.rest(begin)) <= OPEN_RECORD_BYTES:
                    at = begin
                    break
                row, problem = [], "a quote is not closed or stands in the wrong place"
            if self._skip and self._skipped(lines.texts[begin]):
                pass
            elif problem is not None:
                found.bad(begin, problem)
            else:
                if not is_padding(row):
                    found.good(begin, at, row)
                continue
            at = begin + 1
            reader = csv.reader(feed(), self._dialect)
        self._open = lines.rest(at)
        self._line += at
        return found.rows()

    def _judge(self, row: list[str]) -> str | None:
        if len(row) == self._layout.width or is_padding(row):
            return None
        return f"it has {len(row)} columns instead of {self._layout.width}"

    def _skipped(self, line: str) -> bool:
        return any(pattern.search(line.rstrip("\r\n")) for pattern in self._skip)


@dataclass(slots=True)
class _Found:
    """What the csv module has found in a block so far."""

    layout: Layout
    lines: Lines
    first: int
    cells: list[list[str]] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)
    problems: dict[int, str] = field(default_factory=dict)

    def good(self, begin: int, end: int, row: list[str]) -> None:
        """A record of the lines from ``begin`` up to ``end``, unless bytes of it do not decode."""
        if self.lines.undecodable and not self.lines.undecodable.isdisjoint(range(begin, end)):
            self.problems[len(self.records)] = f"it holds bytes that are not {self.layout.mapping.encoding}"
        else:
            self.cells.append(row)
        self._add(begin, end)

    def bad(self, line: int, problem: str) -> None:
        """One line that is no record."""
        self.problems[len(self.records)] = problem
        self._add(line, line + 1)

    def _add(self, begin: int, end: int) -> None:
        self.records.append(self.lines.record(begin, end))
        self.numbers.append(self.first + begin)

    def rows(self) -> Rows:
        """Everything found, column by column."""
        columns = {
            name: pa.array([row[place] for row in self.cells], pa.string())
            for name, place in self.layout.positions.items()
        }
        return Rows(self.records, self.numbers, self.problems, columns)


def _as_utf8(block: bytes, text: Text) -> bytes | None:
    """A block's text as UTF-8, which Arrow reads; None when some of it does not decode."""
    if text.codec == "utf-8":
        return block  # Arrow checks it
    if block.isascii():
        return block
    try:
        return block.decode(text.codec).encode()
    except UnicodeDecodeError:
        return None


def _arrow_columns(data: bytes, layout: Layout) -> dict[str, pa.Array] | None:
    names = [str(place) for place in range(layout.width)]
    wanted = sorted({names[place] for place in layout.positions.values()}) or names[:1]
    try:
        table = pa_csv.read_csv(
            pa.BufferReader(data),
            read_options=pa_csv.ReadOptions(use_threads=False, column_names=names, block_size=len(data) + 1),
            parse_options=pa_csv.ParseOptions(
                delimiter=layout.delimiter, quote_char=False, double_quote=False, ignore_empty_lines=False
            ),
            convert_options=pa_csv.ConvertOptions(
                include_columns=wanted, column_types=dict.fromkeys(wanted, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None
    columns = {name: _one_array(table.column(name)) for name in wanted}
    return {name: columns[str(place)] for name, place in layout.positions.items()} or columns


def _one_array(column: pa.ChunkedArray) -> pa.Array:
    return column.chunk(0) if column.num_chunks == 1 else pa.concat_arrays(column.chunks)
