"""What an Etsy cursor holds.

What belongs here: the cursor's shape and its reading. What does not: deciding where to go on.

Cursors are small JSON objects. ``updated`` is the watermark of the last complete sync in epoch seconds: the latest
time of change (of receipts) or of creation (of ledger entries) seen. ``scan`` is a sync under way: with it a killed
sync goes on where its last durable batch ended.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import msgspec

from retreasure_assets.entities import Cursor, Entity, RawBatch
from retreasure_assets.sources.cursors import load_cursor, page_batch


class Scan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sync under way.

    Args:
        since: where it began; the phases of a receipts sync are reckoned from it.
        at: the time from which the next page is asked: a receipt's, or the start of the ledger's window.
        until: where it ends (ledger).
        phase: which of its passes it has reached (receipts).
        offset: records to leave out from ``at`` on.
        seen: the latest time seen so far.
    """

    since: int
    at: int
    until: int = 0
    phase: str = ""
    offset: int = 0
    seen: int = 0


class CursorState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The cursor; see the module."""

    updated: int | None = None
    scan: Scan | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """Records of one page, and the scan as it stands behind them; None leaves the stored cursor as it is."""

    records: Sequence[bytes]
    origin: str
    scan: Scan | None
    seen: int = 0


def load(cursor: Cursor | None, entity: Entity) -> CursorState:
    """Read a stored cursor.

    Raises:
        PermanentSourceError: it is none of this connector's.
    """
    return load_cursor(cursor, CursorState, f"Etsy's {entity.name}")


def batches(entity: Entity, steps: Iterable[Step], stored: CursorState, now: int) -> Iterator[RawBatch]:
    """Batches for bronze; the last one carries the new watermark, so each waits for the next.

    Args:
        entity: what is read.
        steps: the pages.
        stored: the cursor that reading began with.
        now: the present as epoch seconds: a record that was changed in the future would have every sync until then find
            nothing.
    """
    held: Step | None = None
    seen = stored.updated or 0
    for step in steps:
        seen = max(seen, step.seen)
        if not step.records:
            # Nothing for bronze, but the place it stands for is as good as that of the page before.
            if held is not None and step.scan is not None:
                held = replace(held, scan=step.scan)
            continue
        if held is not None:
            yield batch(entity, held, None if held.scan is None else CursorState(stored.updated, held.scan))
        held = step
    if held is not None:
        yield batch(entity, held, CursorState(min(seen, now) or None))


def batch(entity: Entity, step: Step, cursor: CursorState | None) -> RawBatch:
    """A batch for bronze."""
    return page_batch(entity, step.records, step.origin, cursor)
