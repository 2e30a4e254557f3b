"""Reading one dropped file: which mapping fits, and its records in parts of bounded size.

What belongs here: the order of the steps. What does not: the steps themselves, or which files there are
(``connector``).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from retreasure_assets.entities import Entity, Window
from retreasure_assets.errors import MalformedInputError
from retreasure_assets.sources.files.decoding import Text, refuse_wrong_encoding, settle, split_lines
from retreasure_assets.sources.files.grouping import Groups
from retreasure_assets.sources.files.header import find_layout
from retreasure_assets.sources.files.json_lines import JsonSplitter
from retreasure_assets.sources.files.mapping import FileMapping
from retreasure_assets.sources.files.opening import DroppedFile, blocks
from retreasure_assets.sources.files.rows import Rows
from retreasure_assets.sources.files.split import CsvSplitter
from retreasure_assets.sources.files.transform import Mapped, Transform
from retreasure_assets.sources.geo import Places


class Splitter(Protocol):
    """Cuts blocks of a file into records and columns."""

    def feed(self, block: bytes, *, final: bool) -> Rows:
        """Split the next block; with ``final`` nothing follows."""
        ...


def read_file(
    file: DroppedFile,
    candidates: Sequence[FileMapping],
    entity: Entity,
    window: Window,
    *,
    fast: bool = True,
    places: Places | None = None,
) -> Iterator[Mapped]:
    """Read a file by the first of its candidate mappings that fits its header.

    Args:
        file: the open file, checked.
        candidates: mappings whose pattern matches its name, best first; at least one.
        entity: what its records are.
        window: records outside it are left out.
        fast: whether regular blocks may take the fast way; the result is the same.
        places: from an internet address to its place; None where no database is configured.

    Yields:
        Parts of about 50,000 records or 16 MB; possibly none.

    Raises:
        MalformedInputError: no candidate fits it, or it is not text in the mapping's encoding.
    """
    head = file.open().read(512)
    refusals: list[MalformedInputError] = []
    for mapping in candidates:
        try:
            text = settle(head, mapping.encoding, file.label)
            stream = blocks(file.open(), text.newline, file.label)
            first = next(stream, b"")[len(text.bom) :]
            splitter, groups, body = _begin(first, mapping, entity, text, file.label, fast=fast)
        except MalformedInputError as error:
            refusals.append(error)
            continue
        transform = Transform(mapping, entity, window, places)
        for block, final in _with_end(body, stream):
            rows = splitter.feed(block, final=final)
            yield transform.feed(groups.feed(rows, final=final) if groups else rows)
        return
    raise refusals[0]


def _begin(
    first: bytes, mapping: FileMapping, entity: Entity, text: Text, label: str, *, fast: bool
) -> tuple[Splitter, Groups | None, bytes]:
    """What reads the file, and its first block without the header."""
    lines = split_lines(first, text)
    refuse_wrong_encoding(lines, mapping.encoding, label)
    if mapping.format == "jsonl":
        if not first.strip():
            raise MalformedInputError(f"The file {label} holds no record.", remedy="Export it again, or remove it.")
        return JsonSplitter(mapping, entity, text), None, first
    layout = find_layout(lines, text, mapping, label)
    groups = None
    if mapping.carry_forward:
        newline = text.carriage + text.newline if lines.raw[0].endswith(text.carriage) else text.newline
        groups = Groups(mapping.carry_forward, mapping.summary_rows, newline)
    return CsvSplitter(layout, fast=fast), groups, lines.rest(layout.head)


def _with_end(first: bytes, rest: Iterator[bytes]) -> Iterator[tuple[bytes, bool]]:
    """Blocks, each with whether it is the last."""
    block = first
    for following in rest:
        yield block, False
        block = following
    yield block, True
