"""What a Shopify cursor holds, and how records become a batch.

What belongs here: the cursor's shape and its reading. What does not: deciding where to go on (connector.py).

Cursors are small JSON objects. ``updated_at`` is the watermark of the last complete sync. ``scan`` is a sync under
way, ``bulk`` a history under way, ``place`` the location that a stock sync has reached: with them a killed sync
goes on where its last durable batch ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retreasure_assets.entities import Cursor, Entity, RawBatch
from retreasure_assets.sources import cursors
from retreasure_assets.sources.cursors import load_cursor, page_origins
from retreasure_assets.sources.shopify.nested import Record
from retreasure_assets.sources.shopify.scan import ScanState, iso


class BulkState(msgspec.Struct, frozen=True):
    """A bulk operation's id, the time up to which it reads, and the offset in its file that is durable."""

    id: str
    until: str
    offset: int = 0


class Place(msgspec.Struct, frozen=True):
    """A stock sync under way: the location reached, and the scan there."""

    location: str
    scan: ScanState


class CursorState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The cursor; see the module."""

    updated_at: str | None = None
    scan: ScanState | None = None
    bulk: BulkState | None = None
    place: Place | None = None

    @property
    def under_way(self) -> bool:
        """Whether it belongs to a sync that did not end."""
        return bool(self.scan or self.bulk or self.place)


def load(cursor: Cursor | None, entity: Entity) -> CursorState:
    """Read a stored cursor.

    Raises:
        PermanentSourceError: it is none of this connector's.
    """
    return load_cursor(cursor, CursorState, f"Shopify's {entity.name}")


def overlapped(watermark: str, entity: Entity) -> str:
    """The time from which the next sync reads, as Shopify's search takes it."""
    return iso(cursors.overlapped(watermark, entity, f"Shopify's {entity.name}"))


def batch(entity: Entity, records: Sequence[Record], origin: str, cursor: CursorState | None) -> RawBatch:
    """A batch for bronze; each record's origin is the page's with its index."""
    composed = any(record.payload is not None or record.problem for record in records)
    problems = [record.problem for record in records]
    return RawBatch(
        entity=entity,
        records=[record.raw for record in records],
        origins=page_origins(origin, len(records)),
        cursor=None if cursor is None else msgspec.to_builtins(cursor),
        payloads=[b"" if r.problem else r.payload or r.raw for r in records] if composed else None,
        problems=problems if any(problems) else None,
    )
