"""Reading a list by periods of time and pages, so that it can stop anywhere and go on.

What belongs here: which period and page comes next. What does not: what a record holds, and the cursor's storage.

eBay pages by offset, and an order that changes while its period is read leaves it: what stands behind it moves up by
one, over the edge of a page. So the pages of a closed period are read from the last to the first: whatever leaves, no
record moves past the reader unseen. What has left turns up again in a later period, which is where its change lies.
The last period is open-ended, for eBay refuses times in the future and clocks differ; what moves there is caught by
the entity's overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from retreasure_assets.sources.cursors import parse_time, read_heads, time_writer
from retreasure_assets.sources.slicing import malformed

#: eBay's own answers span at most this where no end is given (getTransactions, getPayouts).
PERIOD = timedelta(days=90)
#: How far the end of the last closed period stays behind this machine's clock.
CLOCK_SKEW = timedelta(minutes=10)


class ScanState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a scan is: ISO times in UTC.

    Args:
        start: lower end of the period that is read just now, inclusive.
        until: upper end of the whole scan; empty for an open one, whose last period has no end.
        end: the period's own upper end; empty while it is not begun, or for the open one.
        offset: where the page begins that is read next; None when the period is not begun.
        seen: the latest change time met.
    """

    start: str
    until: str = ""
    end: str = ""
    offset: int | None = None
    seen: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """One page as eBay sent it: its records' bytes, and how many there are in the whole period."""

    records: list[bytes]
    total: int


@dataclass(frozen=True, slots=True)
class Step:
    """One page: its records, where it was, and the state once it is durable (None at the end of the scan).

    ``heads`` holds what was read of each record, None where that failed; ``payloads`` the records as JSON where these
    alone do not say what they belong to.
    """

    records: list[bytes]
    heads: list[Any]
    place: str
    state: ScanState | None
    seen: str
    payloads: list[bytes] | None = None


#: Asks for a page: start and end of the period (empty for none) and the offset.
Ask = Callable[[str, str, int], Found]


def scan(ask: Ask, state: ScanState, *, now: datetime, limit: int, head: msgspec.json.Decoder[Any]) -> Iterator[Step]:
    """Read all periods from ``state`` on.

    Args:
        ask: fetches a page.
        state: where to begin.
        now: this machine's time.
        limit: records of a page.
        head: reads what the caller has to know of a record, and its change time as ``at``.

    Yields:
        Pages in order, empty ones too.
    """
    while True:
        end = state.end
        if state.offset is None:
            end = _end(state, now)
        if state.offset is None:
            found = ask(state.start, end, 0)
            if found.total > limit:
                # The first page told how many there are; it is read again, as the last one.
                state = msgspec.structs.replace(state, end=end, offset=(found.total - 1) // limit * limit)
                continue
            offset = 0
        else:
            offset = state.offset
            found = ask(state.start, end, offset)
        heads = read_heads(head, found.records)
        seen = max([state.seen, *(_written(read.at) for read in heads if read is not None)])
        following: ScanState | None = msgspec.structs.replace(state, end=end, offset=offset - limit, seen=seen)
        if offset == 0:
            done = not end or end == state.until
            following = None if done else ScanState(start=end, until=state.until, seen=seen)
        yield Step(found.records, heads, f"{state.start}..{end}@{offset}", following, seen)
        if following is None:
            return
        state = following


def _end(state: ScanState, now: datetime) -> str:
    """The end of the period that begins at the state's start; empty where it is the open one."""
    start = parse_time(state.start)
    last = parse_time(state.until) if state.until else now - CLOCK_SKEW
    if start is None or last is None:
        raise ValueError("a scan's times are ISO")
    end = iso(min(start + PERIOD, last))
    # In eBay's milliseconds: a period without length is the open one's turn, or the end.
    return "" if not state.until and end <= state.start else end


def iso(moment: datetime) -> str:
    """A moment as eBay's filters take it: UTC, milliseconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


_written = time_writer(iso, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


def page_reader(key: str) -> Callable[[bytes], Found]:
    """Reads the pages whose records are under ``key``: every record keeps the bytes that it came with."""
    page: Any = msgspec.defstruct(
        "Page", [("records", list[msgspec.Raw]), ("total", int)], rename={"records": key, "total": "total"}
    )
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(page)

    def read(body: bytes) -> Found:
        try:
            found = decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise malformed("eBay") from None
        return Found([bytes(record) for record in found.records], found.total)

    return read
