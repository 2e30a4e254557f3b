"""Helpers for tests of dropped files: drop bytes, read everything back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from retreasure_assets.entities import Cursor, RawBatch, Window
from retreasure_assets.errors import SourceError
from retreasure_assets.sources.files import FileMapping, FilesConnector
from retreasure_assets.sources.files.catalogue import parse_mapping


@dataclass
class Read:
    """Everything that a sync gave."""

    batches: list[RawBatch] = field(default_factory=list)
    records: list[bytes] = field(default_factory=list)
    origins: list[str] = field(default_factory=list)
    payloads: list[dict[str, Any] | None] = field(default_factory=list)
    problems: list[str | None] = field(default_factory=list)
    cursor: Cursor | None = None
    error: SourceError | None = None

    @property
    def good(self) -> list[dict[str, Any]]:
        return [payload for payload in self.payloads if payload is not None]


def mapping(text: str) -> FileMapping:
    """A mapping from YAML, completed with the keys that a test does not care about."""
    defaults = {"source": "shop", "entity": "things", "pattern": '"*"', "natural_key": "id"}
    missing = [f"{key}: {value}\n" for key, value in defaults.items() if f"\n{key}:" not in f"\n{text}"]
    return parse_mapping("".join(missing) + text, "test.yaml")


def drop(home: Path, name: str, data: bytes, folder: str = "shop/things") -> Path:
    """Put a file into the drop folder."""
    path = home / "drop" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def sync(
    home: Path,
    mappings: FileMapping | Iterable[FileMapping],
    cursor: Cursor | None = None,
    window: Window | None = None,
) -> Read:
    """Read what was dropped for the mappings' one entity; an error is kept instead of raised."""
    group = [mappings] if isinstance(mappings, FileMapping) else list(mappings)
    connector = FilesConnector(home / "drop", group)
    entity = connector.entities[group[0].entity]
    read = Read(cursor=cursor)
    try:
        for batch in connector.batches(entity, cursor, window or Window()):
            assert batch.payloads is not None
            assert batch.problems is not None
            assert len(batch.records) == len(batch.origins) == len(batch.payloads) == len(batch.problems)
            read.batches.append(batch)
            read.records += batch.records
            read.origins += batch.origins
            read.problems += batch.problems
            read.payloads += [json.loads(payload) if payload else None for payload in batch.payloads]
            read.cursor = batch.cursor or read.cursor
    except SourceError as error:
        read.error = error
    assert [payload is None for payload in read.payloads] == [problem is not None for problem in read.problems]
    return read
