"""A source of JSON Lines files, as a connector.

What belongs here: reading the benchmark's files. What does not: the platform's own sources; reading them over HTTP
would measure the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from retreasure_assets.entities import Cursor, Entity, RawBatch, Window

#: Read at once.
_BLOCK = 2 << 20


class JsonLines:
    """Reads ``<folder>/<bronze table>/*.jsonl``; every line is a record."""

    def __init__(self, folder: Path, entities: Mapping[str, Entity]) -> None:
        self._folder = folder
        self._entities = {table: entities[table] for table in sorted(path.name for path in folder.iterdir())}

    @property
    def source(self) -> str:
        """See Connector."""
        return "benchmark"

    @property
    def entities(self) -> Mapping[str, Entity]:
        """By bronze table."""
        return self._entities

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """See Connector; there is nothing to go on from."""
        for path in sorted((self._folder / entity.table).glob("*.jsonl")):
            line = 0
            for records in _lines(path):
                origins = [f"{path.name}:{number}" for number in range(line + 1, line + len(records) + 1)]
                line += len(records)
                yield RawBatch(entity, records, origins)

    def check(self) -> Sequence[str]:
        """See Connector; there is nothing to ask."""
        return ()

    def close(self) -> None:
        """See Connector."""


def _lines(path: Path) -> Iterator[list[bytes]]:
    rest = b""
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            *lines, rest = (rest + block).split(b"\n")
            yield lines
    if rest:
        yield [rest]
