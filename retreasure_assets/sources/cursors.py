"""What the connectors' cursors have in common: reading a stored one, times in them, and the batch that carries one.

What belongs here: what is the same for every source. What does not: what a source's cursor holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from retreasure_assets.entities import Cursor, Entity, RawBatch
from retreasure_assets.errors import PermanentSourceError

T = TypeVar("T", bound=msgspec.Struct)


def load_cursor(cursor: Cursor | None, kind: type[T], whose: str) -> T:
    """Read a stored cursor; without one, the empty cursor.

    Args:
        cursor: as stored.
        kind: the source's own type of cursor.
        whose: for the message: ``eBay's orders``.

    Raises:
        PermanentSourceError: it is none of this connector's.
    """
    try:
        return msgspec.convert(dict(cursor or {}), kind)
    except msgspec.ValidationError:
        raise unreadable_cursor(whose) from None


def unreadable_cursor(whose: str) -> PermanentSourceError:
    """The error of a cursor that makes no sense."""
    return PermanentSourceError(
        f"The stored cursor of {whose} cannot be read.", remedy="Read the missing period with --since."
    )


def overlapped(watermark: str, entity: Entity, whose: str) -> datetime:
    """The time from which the next sync reads: the watermark minus the entity's overlap.

    Raises:
        PermanentSourceError: the watermark is no time.
    """
    moment = parse_time(watermark)
    if moment is None:
        raise PermanentSourceError(
            f"The watermark of {whose} is not a time.", remedy="Read the missing period with --since."
        )
    return moment - entity.overlap


def parse_time(text: str) -> datetime | None:
    """An ISO 8601 time as UTC, which is assumed where it has no zone; None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)


def time_writer(iso: Callable[[datetime], str], shape: str) -> Callable[[str | None], str]:
    """What brings a record's change time into a source's own form; empty for one that cannot be read.

    Args:
        iso: writes a moment in that form.
        shape: a regular expression of the form, so that what has it already need not be written anew.
    """
    written = re.compile(shape, re.ASCII).fullmatch

    def write(text: str | None) -> str:
        moment = parse_time(text) if text else None
        if moment is None or text is None:
            return ""
        return text if written(text) else iso(moment)

    return write


def read_heads(decoder: msgspec.json.Decoder[T], records: Sequence[bytes]) -> list[T | None]:
    """What a connector has to know of each record to read on; None for one that cannot be read, which bronze judges."""
    found: list[T | None] = []
    for record in records:
        try:
            found.append(decoder.decode(record))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found.append(None)
    return found


def page_batch(
    entity: Entity,
    records: Sequence[bytes],
    origin: str,
    cursor: msgspec.Struct | None,
    payloads: Sequence[bytes] | None = None,
) -> RawBatch:
    """A page's records as a batch for bronze; each record's origin is the page's with its index."""
    return RawBatch(
        entity=entity,
        records=list(records),
        origins=page_origins(origin, len(records)),
        cursor=None if cursor is None else msgspec.to_builtins(cursor),
        payloads=payloads,
    )


def page_origins(origin: str, count: int) -> list[str]:
    """Where each record of a page came from."""
    return [f"{origin}[{index}]" for index in range(count)]
