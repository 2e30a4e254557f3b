"""What an eBay cursor holds.

What belongs here: the cursor's shape and its reading. What does not: deciding where to go on (connector.py).

``updated_at`` is the watermark of the last complete sync; ``scan`` is a sync under way, ``page`` the page that a sync
of the stock has reached: with them a killed sync goes on where its last durable batch ended.
"""

from __future__ import annotations

import msgspec

from retreasure_assets.entities import Cursor, Entity
from retreasure_assets.sources.cursors import load_cursor, parse_time, unreadable_cursor
from retreasure_assets.sources.ebay.scan import ScanState, iso


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
    return load_cursor(cursor, CursorState, _whose(entity))


def overlapped(watermark: str, entity: Entity) -> str:
    """The time from which the next sync reads: the watermark minus the entity's overlap.

    Raises:
        PermanentSourceError: the watermark is no time.
    """
    moment = parse_time(watermark)
    if moment is None:
        raise unreadable_cursor(_whose(entity))
    return iso(moment - entity.overlap)


def _whose(entity: Entity) -> str:
    return f"eBay's {entity.name.replace('_', ' ')}"
