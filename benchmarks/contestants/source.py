"""A source of JSON Lines files, as a connector.

What belongs here: reading the benchmark's files. What does not: the platform's own sources; reading them over HTTP
would measure the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from retreasure_assets.entities import Cursor, Entity, RawBatch, Window

#: Read at once: little enough to be still in the processor's cache when it is handed on.
_BLOCK = 256 << 10


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
            line, name = 0, path.name
            for records in _lines(path):
                origins = [f"{name}:{number}" for number in range(line + 1, line + len(records) + 1)]
                line += len(records)
                yield RawBatch(entity, records, origins)

    def check(self) -> Sequence[str]:
        """See Connector; there is nothing to ask."""
        return ()

    def close(self) -> None:
        """See Connector."""


def _lines(path: Path) -> Iterator[list[bytes]]:
    # Cut by the file: ``bytes.split`` looks for the line feeds byte by byte, at a third of the speed.
    with path.open("rb", buffering=_BLOCK) as file:
        while lines := file.readlines(_BLOCK):
            yield [line.removesuffix(b"\n") for line in lines]
