"""Cursors: where each entity's incremental sync goes on.

What belongs here: keeping them. What does not: what a cursor means; each connector knows its own.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from retreasure_assets.entities import Cursor, Entity
from retreasure_assets.errors import LakeError
from retreasure_assets.lake.storage import Lake, explained, write_whole


class CursorStore:
    """Cursors as one small JSON file per entity."""

    def __init__(self, lake: Lake) -> None:
        self._folder = lake.state / "cursors"

    def load(self, entity: Entity) -> Cursor | None:
        """The stored cursor, None before the first sync.

        Raises:
            LakeError: it cannot be read.
        """
        path = self._path(entity)
        with explained(f"The cursor of {entity.table}"):
            try:
                text = path.read_bytes()
            except FileNotFoundError:
                return None
        try:
            return msgspec.json.decode(text, type=dict)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise LakeError(
                f"The cursor of {entity.table} is damaged.",
                remedy=f"Delete {path}: the next run reads everything again and adds nothing twice.",
            ) from None

    def save(self, entity: Entity, cursor: Cursor) -> None:
        """Store a cursor in one step.

        Raises:
            LakeError: it cannot be written.
        """
        write_whole(self._path(entity), msgspec.json.encode(dict(cursor)))

    def restore(self, entity: Entity, cursor: Cursor | None) -> None:
        """Go back to an earlier cursor, or to none: the next sync reads again what came after it.

        Raises:
            LakeError: it cannot be written.
        """
        if cursor is not None:
            self.save(entity, cursor)
            return
        with explained(f"The cursor of {entity.table}"):
            self._path(entity).unlink(missing_ok=True)

    def _path(self, entity: Entity) -> Path:
        return self._folder / f"{entity.table}.json"
