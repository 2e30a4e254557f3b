"""From a file's columns to payloads: each distinct text of a column is parsed once, the rest is columnar.

The parsers in ``values`` define what a cell means; this module only spares them work, so that regular and odd
layouts give the same result.

What belongs here: columns to canonical fields to JSON. What does not: cutting files into columns.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, tzinfo
from urllib.parse import parse_qsl, urlsplit
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from retreasure_assets.entities import Entity, Window
from retreasure_assets.sources.files import values
from retreasure_assets.sources.files.grouping import Numbering
from retreasure_assets.sources.files.mapping import Column, FileMapping, field_columns
from retreasure_assets.sources.files.rows import Rows
from retreasure_assets.sources.geo import Places

#: What JSON has to escape.
_SPECIAL = r'[[:cntrl:]"\\]'
_BLANKS = " \t\r\n\u00a0\u202f"


@dataclass(slots=True)
class Mapped:
    """Records ready for a batch: four parallel lists."""

    records: list[bytes]
    lines: list[int]
    payloads: list[bytes]
    problems: list[str | None]


@dataclass(frozen=True, slots=True)
class _Fault:
    """What is wrong with a field, and in which rows."""

    sentence: str
    rows: npt.NDArray[np.bool_]


class Transform:
    """Maps the rows of one file, block by block.

    Args:
        mapping: the file's mapping.
        entity: what its records are: its key may not be empty, its change time decides about the window.
        window: records outside it are left out; those that cannot be read, or that have no time, stay.
        places: from an internet address to its place; None where no database is configured.
    """

    def __init__(self, mapping: FileMapping, entity: Entity, window: Window, places: Places | None = None) -> None:
        self._mapping = mapping
        self._entity = entity
        self._window = window
        self._fields = [
            _Field(name, column, mapping, places) for name, column in field_columns(mapping, entity).items()
        ]
        self._numbering = Numbering()

    def feed(self, rows: Rows) -> Mapped:
        """Map a block."""
        count = len(rows.records) - len(rows.problems)
        cells = {field.name: field.apply(rows.columns, count) for field in self._fields}
        fields = {name: each.cells for name, each in cells.items()}
        faults = [_Fault(each.sentence, each.wrong) for each in cells.values() if each.wrong is not None]
        numbered = self._mapping.sequence
        if numbered:
            within = [fields[name] for name in numbered.within if name in fields]
            fields[numbered.field] = self._numbering.feed(within or [pa.nulls(count, pa.string())])
        for name in self._entity.natural_key:
            if name in fields and fields[name].null_count:
                missing = fields[name].is_null().to_numpy(zero_copy_only=False)
                known = cells[name].wrong if name in cells else None
                faults.append(_Fault(f"{name} is empty", missing if known is None else missing & ~known))
        payloads = rows.payloads if rows.payloads is not None else _as_json(fields, self._mapping.constants, count)
        return _assembled(rows, payloads, faults, self._outside(fields, count))

    def _outside(self, fields: Mapping[str, pa.Array], count: int) -> npt.NDArray[np.bool_]:
        """Which rows lie outside the window."""
        changed = fields.get(self._entity.updated_at or "")
        outside = np.zeros(count, bool)
        if changed is None or count == 0:
            return outside
        # Without the Z a time with a fraction sorts behind the same second without one; a day counts as a whole.
        moments = pc.utf8_rtrim(changed, "Z")
        day = pc.equal(pc.utf8_length(changed), 10)
        for bound, compare in ((self._window.since, pc.less), (self._window.until, pc.greater_equal)):
            if bound is not None:
                moment = bound.astimezone(UTC).replace(tzinfo=None)
                beyond = compare(moments, moment.isoformat())
                days = pc.less if compare is pc.less else pc.greater
                beyond = pc.if_else(day, days(changed, moment.date().isoformat()), beyond)
                outside |= pc.fill_null(beyond, False).to_numpy(zero_copy_only=False)
        return outside


@dataclass(frozen=True, slots=True)
class _Cells:
    """A canonical field of a block: its texts (null where absent), and where they are wrong (None: nowhere)."""

    cells: pa.Array
    wrong: npt.NDArray[np.bool_] | None
    sentence: str


class _Field:
    """One canonical field: how its column is cleaned and parsed."""

    def __init__(self, name: str, column: Column, mapping: FileMapping, places: Places | None) -> None:
        self.name = name
        self.column = column
        self._empty = pa.array(["", *mapping.empty], pa.string())
        self._trimmed = _BLANKS + column.strip
        self._extract = re.compile(column.extract) if column.extract else None
        decimal = column.decimal or mapping.decimal
        self._parse = _parser(column, decimal, mapping.time_zone, places)
        self._plain = values.PLAIN_INTEGER if column.type == "integer" else None
        if column.type == "money" and decimal == ".":
            self._plain = values.PLAIN_MONEY

    def apply(self, columns: Mapping[str, pa.Array], count: int) -> _Cells:
        """Clean and parse a block's column."""
        present = [self._clean(columns[name]) for name in self.column.column if name in columns]
        sentence = ""
        wrong = None
        if not present:
            return _Cells(pa.nulls(count, pa.string()), wrong, sentence)
        cells = self._combined(present)
        if self._extract is not None:
            cells, _, _ = _by_distinct(cells, self._extracted)
        if self.column.parameter is not None:
            cells, _, _ = _by_distinct(cells, self._parameter)
            cells = _without_empty(cells)
        if self._parse is not None and not (self._plain and _all_match(cells, self._plain)):
            cells, wrong, reason = _by_distinct(cells, self._parse)
            sentence = f"{self.name} {reason}"
            if self.column.type in ("ip_country", "ip_region"):
                cells = _without_empty(cells)
        return _Cells(cells, wrong, sentence)

    def _clean(self, cells: pa.Array) -> pa.Array:
        trimmed = pc.utf8_trim(cells, self._trimmed)
        return pc.if_else(pc.is_in(trimmed, self._empty), pa.scalar(None, pa.string()), trimmed)

    def _combined(self, present: list[pa.Array]) -> pa.Array:
        if self.column.type in ("digest", "postcode_area"):
            # Every part counts, the empty ones too, or ("a", "") and ("", "a") would be one.
            return pc.binary_join_element_wise(*(pc.fill_null(each, "") for each in present), values.SEPARATOR)
        if self.column.join is not None:
            joined = present[0]
            for each in present[1:]:
                # Arrow 26 loses rows of nulls with null_handling="skip"; a null here means that one side is empty.
                joined = pc.coalesce(pc.binary_join_element_wise(joined, each, self.column.join), joined, each)
            return joined
        return present[0] if len(present) == 1 else pc.coalesce(*present)

    def _parameter(self, text: str) -> str:
        try:
            query = urlsplit(text).query if "?" in text else text
        except ValueError:
            return ""
        return dict(reversed(parse_qsl(query))).get(self.column.parameter or "", "").strip()

    def _extracted(self, text: str) -> str:
        match = self._extract.search(text) if self._extract else None
        return match[1] if match and match[1] else text


def _of_place(places: Places | None, part: str) -> Callable[[str], str]:
    """What is known of an address's place; empty, and so absent, where nothing is."""
    return lambda address: "" if places is None else (getattr(places(address), part) or "")


def _parser(column: Column, decimal: str, zone: str, places: Places | None) -> Callable[[str], str] | None:
    """The parser of a column's type; None for text."""
    local: tzinfo = UTC if (column.time_zone or zone) == "UTC" else ZoneInfo(column.time_zone or zone)
    parsers: dict[str, Callable[[], Callable[[str], str]]] = {
        "integer": lambda: lambda text: values.integer(text, decimal),
        "number": lambda: lambda text: values.number(text, decimal),
        "postcode_area": lambda: values.area,
        "ip_country": lambda: _of_place(places, "country"),
        "ip_region": lambda: _of_place(places, "region"),
        "money": lambda: lambda text: values.money(text, decimal),
        "currency": lambda: values.currency,
        "date": lambda: values.date(column.formats),
        "datetime": lambda: values.moment(column.formats, local),
        "boolean": lambda: values.boolean,
        "enum": lambda: values.choice(column.values),
        "digest": lambda: values.digest,
    }
    make = parsers.get(column.type)
    return make() if make else None


def _without_empty(cells: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(cells, ""), pa.scalar(None, pa.string()), cells)


def _all_match(cells: pa.Array, pattern: str) -> bool:
    return bool(pc.all(pc.match_substring_regex(cells, pattern), min_count=0).as_py())


def _by_distinct(cells: pa.Array, parse: Callable[[str], str]) -> tuple[pa.Array, npt.NDArray[np.bool_] | None, str]:
    """Parse each distinct text once; gives the results, where parsing failed, and why."""
    encoded = cells.dictionary_encode()
    parsed: list[str | None] = []
    failed: list[int] = []
    reason = ""
    for text in encoded.dictionary.to_pylist():
        try:
            parsed.append(parse(text))
        except ValueError as error:
            failed.append(len(parsed))
            parsed.append(None)
            reason = str(error)
    result = pa.array(parsed, pa.string()).take(encoded.indices)
    if not failed:
        return result, None, reason
    wrong = pc.is_in(encoded.indices, pa.array(failed, encoded.indices.type)).to_numpy(zero_copy_only=False)
    return result, wrong, reason


def _as_json(fields: Mapping[str, pa.Array], constants: Mapping[str, str], count: int) -> list[bytes]:
    """Compact JSON objects, keys in the mapping's order, absent values null."""
    if count == 0:
        return []
    parts: list[str | pa.Array] = []
    text = "{"
    for name in dict.fromkeys((*fields, *constants)):
        text += ("," if text != "{" or parts else "") + json.dumps(name) + ":"
        if name in constants:
            text += json.dumps(constants[name], ensure_ascii=False)
            continue
        cells = fields[name]
        special = pc.any(pc.match_substring_regex(cells, _SPECIAL)).as_py()
        if not special and not cells.null_count:
            parts += [text + '"', cells]
            text = '"'
        else:
            parts += [text, _quoted(cells, special=bool(special))]
            text = ""
    joined = pc.binary_join_element_wise(*parts, text + "}\n", "")
    # No payload holds a line feed, so one split makes all the bytes objects.
    offsets, data = joined.buffers()[1:]
    end = int(np.frombuffer(offsets, np.int32)[count])
    text_of_all: bytes = data[:end].to_pybytes()
    return text_of_all[:-1].split(b"\n")


def _quoted(cells: pa.Array, *, special: bool) -> pa.Array:
    if special:
        cells, _, _ = _by_distinct(cells, lambda text: json.dumps(text, ensure_ascii=False))
    else:
        cells = pc.binary_join_element_wise('"', cells, '"', "")
    return pc.fill_null(cells, "null")


def _assembled(rows: Rows, payloads: list[bytes], faults: list[_Fault], outside: npt.NDArray[np.bool_]) -> Mapped:
    """Put readable and unreadable records back into the file's order, and leave out what the window excludes."""
    if not rows.problems and not faults and not outside.any():
        return Mapped(rows.records, rows.lines, payloads, [None] * len(rows.records))
    problems: dict[int, str] = dict(rows.problems)
    readable = rows.readable
    for fault in faults:
        for place in np.flatnonzero(fault.rows):
            index = readable[place]
            problems[index] = f"{problems[index]}; {fault.sentence}" if index in problems else fault.sentence
    by_index = dict(zip(readable, payloads, strict=True))
    left_out = {readable[place] for place in np.flatnonzero(outside)} - problems.keys()
    kept = [index for index in range(len(rows.records)) if index not in left_out]
    return Mapped(
        [rows.records[index] for index in kept],
        [rows.lines[index] for index in kept],
        [b"" if index in problems else by_index[index] for index in kept],
        [problems.get(index) for index in kept],
    )
