"""Finding a CSV file's header, its delimiter, and the mapping that fits it.

What belongs here: everything decided once per file. What does not: its records (``split``).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from retreasure_assets.errors import MalformedInputError
from retreasure_assets.sources.files.decoding import Lines, Text
from retreasure_assets.sources.files.mapping import FileMapping, folded

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Layout:
    """A CSV file's layout, settled.

    Args:
        mapping: the mapping that fits it.
        text: its encoding.
        delimiter: its delimiter.
        width: columns of every record.
        positions: the mapping's name of a column -> its place (from 0); optional columns may lack.
        body_line: number (from 1) of the first physical line behind the header.
        head: physical lines up to there, so many lines of the first block hold no records.
    """

    mapping: FileMapping
    text: Text
    delimiter: str
    width: int
    positions: dict[str, int]
    body_line: int

    @property
    def head(self) -> int:
        """How many physical lines precede the first record."""
        return self.body_line - 1


def dialect(mapping: FileMapping, delimiter: str) -> type[csv.Dialect]:
    """The csv module's dialect: strict, so that a stray quote is noticed instead of swallowing what follows."""

    class Found(csv.Dialect):
        quotechar = mapping.quote or None
        quoting = csv.QUOTE_MINIMAL if mapping.quote else csv.QUOTE_NONE
        doublequote = True
        lineterminator = "\n"
        strict = True

    Found.delimiter = delimiter
    return Found


def is_padding(row: Sequence[str]) -> bool:
    """Whether a row is blank or bare delimiters."""
    return not "".join(row).strip(" \t\r\n")


def find_layout(lines: Lines, text: Text, mapping: FileMapping, label: str) -> Layout:
    """Find a file's header by a mapping.

    Args:
        lines: the file's first block.
        text: its encoding.
        mapping: the mapping to try, with its candidate delimiters.
        label: the file's name for messages.

    Raises:
        MalformedInputError: there is no header, or it lacks columns that the mapping needs.
    """
    found = [_with_delimiter(lines, text, mapping, delimiter, label) for delimiter in mapping.delimiter]
    layout, missing = min(found, key=lambda each: len(each[1]))
    if not missing:
        return layout
    if not mapping.header:
        raise MalformedInputError(
            f"The first line of {label} has not the {layout.width} columns that the mapping {mapping.name} names.",
            remedy="Check its delimiter, or correct column_names in a mapping of your own.",
        )
    named = ", ".join(repr(name) for name in missing[:_NAMED])
    more = f" and {len(missing) - _NAMED} more" if len(missing) > _NAMED else ""
    raise MalformedInputError(
        f"The header of {label} does not match the mapping {mapping.name}: it lacks {named}{more}.",
        remedy="Drop it under the right source and entity, or write a mapping for its layout (docs/file-mappings.md).",
    )


def _with_delimiter(
    lines: Lines, text: Text, mapping: FileMapping, delimiter: str, label: str
) -> tuple[Layout, list[str]]:
    skipped, row, height = _first_row(lines, mapping, delimiter, label)
    if mapping.header:
        names: Sequence[str] = row
        body_line = skipped + height + 1
    else:
        names = mapping.column_names
        body_line = skipped + 1
    positions: dict[str, int] = {}
    twice: set[int] = set()
    places: dict[str, int] = {}
    for place, name in enumerate(names):
        if folded(name) in places:
            twice.add(places[folded(name)])
        places.setdefault(folded(name), place)
    for name in wanted_columns(mapping):
        if folded(name) in places:
            positions[name] = places[folded(name)]
    doubled = [name for name, place in positions.items() if place in twice]
    if doubled:
        raise MalformedInputError(
            f"The header of {label} has the column {doubled[0]!r} twice.", remedy="Remove or rename one of them."
        )
    layout = Layout(mapping, text, delimiter, len(names), positions, body_line)
    if not mapping.header:
        return layout, [] if len(row) == len(names) else list(mapping.column_names)
    return layout, missing_columns(mapping, positions)


def _first_row(lines: Lines, mapping: FileMapping, delimiter: str, label: str) -> tuple[int, list[str], int]:
    """The first row that is neither padding nor skipped: lines before it, its cells, lines it takes."""
    skip = [re.compile(pattern) for pattern in mapping.skip_rows]
    for start, first in enumerate(lines.texts):
        if any(pattern.search(first.rstrip("\r\n")) for pattern in skip):
            continue
        reader = csv.reader(iter(lines.texts[start:]), dialect(mapping, delimiter))
        try:
            row = next(reader)
        except csv.Error:
            row = first.rstrip("\r\n").split(delimiter)
        if is_padding(row):
            continue
        if lines.undecodable & set(range(start, start + reader.line_num)):
            raise MalformedInputError(
                f"The header of {label} is not {mapping.encoding} as its mapping says; nothing of it was loaded.",
                remedy="Save it in the mapping's encoding, or correct `encoding` in a mapping of your own.",
            )
        return start, row, reader.line_num
    raise MalformedInputError(
        f"The file {label} holds no record and no header.", remedy="Export it again, or remove it."
    )


def wanted_columns(mapping: FileMapping) -> tuple[str, ...]:
    """Every column of the file that a mapping looks at, once."""
    names = [name for column in mapping.columns.values() for name in column.column]
    if mapping.carry_forward:
        names += [*mapping.carry_forward.within, *mapping.carry_forward.columns]
    if mapping.summary_rows:
        names += mapping.summary_rows.empty
    return tuple(dict.fromkeys(names))


def missing_columns(mapping: FileMapping, present: Iterable[str]) -> list[str]:
    """The columns without which a mapping cannot be used on a file."""
    there = set(present)
    missing: list[str] = []
    for column in mapping.columns.values():
        absent = [name for name in column.column if name not in there]
        if not column.optional and absent and (column.needs_all or len(absent) == len(column.column)):
            missing += absent if column.needs_all else absent[:1]
    if mapping.carry_forward and not there & set(mapping.carry_forward.within):
        missing += mapping.carry_forward.within[:1]
    if mapping.summary_rows:
        missing += [name for name in mapping.summary_rows.empty if name not in there]
    return list(dict.fromkeys(missing))
