"""What an eBay cursor holds, and how records become a batch.

What belongs here: the cursor's shape and its reading. What does not: deciding where to go on (connector.py).

``updated_at`` is the watermark of the last complete sync; ``scan`` is a sync under way, ``page`` the page that a sync
of the stock has reached: with them a killed sync goes on where its last durable batch ended.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from retreasure_assets.entities import Cursor, Entity, RawBatch
from retreasure_assets.errors import PermanentSourceError
from retreasure_assets.sources.ebay.scan import ScanState, iso, parse_time


class CursorState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The cursor; see the module."""

    updated_at: str | None = None
    scan: ScanState | None = None
    page: int = 0


def load(cursor: Cursor | None, entity: Entity) -> CursorState:
    """Read a stored cursor.

    Raises:
        PermanentSourceError: it is none of this connector's.
    """
    try:
        return msgspec.convert(dict(cursor or {}), CursorState)
    except msgspec.ValidationError:
        raise _unreadable(entity) from None


def overlapped(watermark: str, entity: Entity) -> str:
    """The time from which the next sync reads: the watermark minus the entity's overlap.

    Raises:
        PermanentSourceError: the watermark is no time.
    """
    moment = parse_time(watermark)
    if moment is None:
        raise _unreadable(entity)
    return iso(moment - entity.overlap)


def batch(entity: Entity, records: Sequence[bytes], origin: str, cursor: CursorState | None) -> RawBatch:
    """A batch for bronze; each record's origin is the page's with its index."""
    return RawBatch(
        entity=entity,
        records=list(records),
        origins=[f"{origin}[{index}]" for index in range(len(records))],
        cursor=None if cursor is None else msgspec.to_builtins(cursor),
    )


def _unreadable(entity: Entity) -> PermanentSourceError:
    return PermanentSourceError(
        f"The stored cursor of eBay's {entity.name.replace('_', ' ')} cannot be read.",
        remedy="Read the missing period with --since.",
    )
