"""Receipts, page by page, in passes that together miss none.

What belongs here: which page comes next. What does not: requests (client.py) and cursors' storage.

Passes: what changed since the watermark; then, as refunds and cancellations are reported not to show in the time of
change, everything ordered in the last weeks once more, and the cancelled receipts, which only come where they are asked
for. Within a pass the next page begins at the time of the last record of this one rather than at an offset: a receipt
that changes meanwhile moves to the end of the list, and at an offset its neighbour would slip through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from retreasure_assets.sources.etsy.client import MAX_PAGE, EtsyClient
from retreasure_assets.sources.etsy.entities import SCOPES
from retreasure_assets.sources.etsy.state import Scan, Step

#: How far back orders are read again in case something happened to them in silence, and cancelled ones.
RESCAN = timedelta(days=60)
CANCELLED = timedelta(days=180)


@dataclass(frozen=True, slots=True)
class Pass:
    """One pass over the receipts.

    Args:
        name: in the cursor.
        sort_on: Etsy's name of the order; ``field`` is the record's time that it means.
        minimum, maximum: the parameters that bound it.
        cancelled: whether it asks for cancelled receipts.
    """

    name: str
    sort_on: str
    minimum: str
    maximum: str
    cancelled: bool = False


CHANGED = Pass("changed", "updated", "min_last_modified", "max_last_modified")
RECENT = Pass("recent", "created", "min_created", "max_created")
GONE = Pass("cancelled", "created", "min_created", "max_created", cancelled=True)
GONE_LATELY = Pass("cancelled_lately", "updated", "min_last_modified", "max_last_modified", cancelled=True)


class _Stamp(msgspec.Struct):
    receipt_id: int = 0
    created_timestamp: int = 0
    updated_timestamp: int = 0


_stamp = msgspec.json.Decoder(_Stamp).decode


def read(
    client: EtsyClient, passes: Sequence[tuple[Pass, int]], scan: Scan | None, since: int, until: int | None = None
) -> Iterator[Step]:
    """The pages of a sync.

    Args:
        client: asks.
        passes: each with the epoch second it begins at.
        scan: where an earlier sync stopped; None to begin.
        since: kept in the scans.
        until: the last second wanted.
    """
    names = [one.name for one, _ in passes]
    start = names.index(scan.phase) if scan is not None and scan.phase in names else 0
    seen = 0 if scan is None else scan.seen
    for place in range(start, len(passes)):
        one, begin = passes[place]
        resumed = scan if scan is not None and scan.phase == one.name else None
        state = resumed or Scan(since=since, at=begin, phase=one.name, seen=seen)
        following = passes[place + 1] if place + 1 < len(passes) else None
        for step in _read_pass(client, one, state, until, following):
            seen = step.seen
            yield step


def _read_pass(
    client: EtsyClient, one: Pass, state: Scan, until: int | None, following: tuple[Pass, int] | None
) -> Iterator[Step]:
    known: set[int] = set()
    while True:
        query: dict[str, str | int] = {
            "limit": MAX_PAGE,
            "offset": state.offset,
            "sort_on": one.sort_on,
            "sort_order": "asc",
            one.minimum: state.at,
        }
        if until is not None:
            query[one.maximum] = until
        if one.cancelled:
            query["was_canceled"] = "true"
        page = client.page("receipts", query, scope=SCOPES["receipts"], purpose="receipts")
        stamps = [_stamped(record) for record in page.records]
        seen = max([state.seen, *(stamp.updated_timestamp for stamp in stamps)])
        done = len(page.records) < MAX_PAGE
        times = [stamp.updated_timestamp if one.sort_on == "updated" else stamp.created_timestamp for stamp in stamps]
        # The end of a page is the beginning of the next one, so what stands there comes again.
        records = [
            record
            for record, stamp, time in zip(page.records, stamps, times, strict=True)
            if not (time == state.at and stamp.receipt_id in known)
        ]
        last = times[-1] if times else 0
        if done:
            after = Scan(state.since, following[1], phase=following[0].name, seen=seen) if following else None
        elif last > state.at:
            after = msgspec.structs.replace(state, at=last, offset=0, seen=seen)
            known = set()
        else:
            # A whole page of one second, or of records whose time cannot be read: only an offset leads on.
            # By what was asked for, not by what came: a record may come twice.
            after = msgspec.structs.replace(state, offset=state.offset + MAX_PAGE, seen=seen)
        known |= {stamp.receipt_id for stamp, time in zip(stamps, times, strict=True) if time == last}
        yield Step(records, f"{page.origin}#{one.name}[{state.at}+{state.offset}]", after, seen)
        if done or after is None:
            return
        state = after


def _stamped(record: bytes) -> _Stamp:
    """A record's number and times; zeros where it cannot be read, which bronze will judge."""
    try:
        return _stamp(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Stamp()
