"""Which versions of the published tables belong together.

What belongs here: the manifest that a run leaves when all of its tables are published, and opening a table as of it.
What does not: publishing (publish.py).

A table changes in one commit, a run changes many tables. Who reads several at the versions of the manifest sees one
run's result whole, while the next one is being published too; one that fails half-way leaves the manifest as it was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import msgspec
from deltalake import DeltaTable

from retreasure_assets.errors import LakeError
from retreasure_assets.lake.storage import Lake, explained, write_whole

if TYPE_CHECKING:
    from retreasure_assets.lake.publish import PublishedTable

#: In the lake's own folder, for readers of any kind.
NAME = "published.json"


class Entry(msgspec.Struct, frozen=True):
    """One table: its Delta version, and its rows in that version."""

    version: int
    rows: int


class Manifest(msgspec.Struct, frozen=True):
    """One published state.

    Args:
        published_at: when the last of its tables was published (UTC).
        tables: ``layer.table`` -> its version.
    """

    published_at: datetime
    tables: Mapping[str, Entry]


def read_manifest(lake: Lake) -> Manifest:
    """The last state that was published whole; without tables where nothing was.

    Raises:
        LakeError: it cannot be read.
    """
    try:
        with explained(NAME):
            try:
                text = (lake.root / NAME).read_bytes()
            except FileNotFoundError:
                return Manifest(datetime.fromtimestamp(0, UTC), {})
        return msgspec.json.decode(text, type=Manifest)
    except msgspec.DecodeError:
        raise LakeError(
            f"{NAME} in the lake is damaged.", remedy="Remove it and run again: the next build writes it anew."
        ) from None


def record(lake: Lake, published: Iterable[PublishedTable]) -> None:
    """Write the manifest of a run whose tables are all published; tables that it did not build stay as they are.

    Raises:
        LakeError: it cannot be written.
    """
    new = {f"{table.layer}.{table.table}": Entry(table.version, table.rows) for table in published}
    before = read_manifest(lake)
    if new.items() <= before.tables.items():
        return
    _write(lake, Manifest(datetime.now(UTC), {**before.tables, **new}))


def follow(lake: Lake, compacted: Iterable[str]) -> None:
    """Point to the versions that compaction made, of the same rows: the files of the old ones go a week later.

    Args:
        lake: the lake.
        compacted: ``layer.table`` of each table that ``maintain`` merged files of.

    Raises:
        LakeError: a table cannot be read, or the manifest not be written.
    """
    before = read_manifest(lake)
    moved = {
        name: Entry(lake.table(*name.split(".", 1)).version(), before.tables[name].rows)
        for name in compacted
        if name in before.tables
    }
    if moved:
        _write(lake, Manifest(before.published_at, {**before.tables, **moved}))


def open_published(lake: Lake, manifest: Manifest, layer: str, table: str) -> DeltaTable:
    """A table at the manifest's version; its current version where the manifest has none, or one that is not there yet.

    The latter is a table that was removed by hand and made anew.

    Raises:
        LakeError: the table cannot be read.
    """
    current = lake.table(layer, table)
    entry = manifest.tables.get(f"{layer}.{table}")
    if entry is None or entry.version >= current.version():
        return current
    with explained(f"{layer}.{table}"):
        return DeltaTable(lake.uri(layer, table), version=entry.version)


def _write(lake: Lake, manifest: Manifest) -> None:
    write_whole(lake.root / NAME, msgspec.json.encode(manifest))
