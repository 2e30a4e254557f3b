"""Reading a list along its change time, page by page, so that it can stop anywhere and go on.

What belongs here: the order of pages and where to go on. What does not: what a record holds, and the cursor's
storage.

Nothing is lost while the shop changes under the reader: the list is sorted by its change time, ascending, and a
record that changes moves to the end, where the scan still meets it. What Shopify's search index shows late is
caught by the entity's overlap. Shopify pages through at most 25,000 objects of one query: before that, the query
starts anew at the last change time seen, inclusive; the few records of that instant come twice, and bronze knows them.

Stock levels can be filtered by change time but not sorted by it. There the period is cut in two instead, at the median
of the times seen, and each part is read by itself; what was read of the whole comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from retreasure_assets.errors import PermanentSourceError
from retreasure_assets.sources.cursors import read_heads, time_writer
from retreasure_assets.sources.shopify import documents
from retreasure_assets.sources.shopify.client import CostTooHighError, GraphqlClient, GraphqlRefusalError, PageSize
from retreasure_assets.sources.slicing import Page

#: Objects of one query that Shopify pages through (https://shopify.dev/docs/api/usage/limits).
PAGINATION_CAP = 25_000


@dataclass(frozen=True, slots=True)
class Timeline:
    """How one entity is read.

    Args:
        name: the entity and its document under queries/.
        path: where the connection is in an answer.
        filter: the search term over its change time, or None for a list that is always read whole.
        time_key: the node's field with that time.
        first: objects to ask for at first.
        ascending: whether the document sorts by the change time.
    """

    name: str
    path: tuple[str, ...]
    filter: str | None
    time_key: str
    first: int
    ascending: bool = True


class ScanState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a scan is: ISO times in UTC, and Shopify's own page cursor.

    Args:
        since: lower end of the whole scan, inclusive.
        start: lower end of the query that is paged just now.
        end: its upper end, exclusive, where the period was cut; empty for the whole rest.
        seen: the latest change time met.
        after: the page cursor within that query.
        read: objects read of that query.
        started: when the scan began.
    """

    since: str
    start: str = ""
    end: str = ""
    seen: str = ""
    after: str | None = None
    read: int = 0
    started: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One page: its records, what it was asked with, the state once it is durable, and whether it is the last.

    ``heads`` holds what was read of each record, None where that failed.
    """

    records: list[bytes]
    heads: Sequence[Any]
    asked_after: str | None
    state: ScanState
    done: bool


def scan(
    client: GraphqlClient,
    timeline: Timeline,
    state: ScanState,
    *,
    until: str | None = None,
    variables: dict[str, str] | None = None,
    head: msgspec.json.Decoder[Any] | None = None,
    cap: int = PAGINATION_CAP,
) -> Iterator[Step]:
    """Read all pages from ``state`` on.

    Args:
        client: the shop.
        timeline: what to read.
        state: where to begin; a fresh one holds ``since`` alone.
        until: upper end, exclusive, ISO; None for open.
        variables: more of the document's variables, such as the location.
        head: reads of a record what the caller has to know of it, and its change time as ``at``; without it that alone.
        cap: objects that one query may be paged through.

    Yields:
        Pages in order, empty ones too.

    Raises:
        SourceError: by type.
    """
    pages = PageSize(timeline.first)
    decoder = head or _timed(timeline.time_key)
    state = state if state.start else replace_state(state, start=state.since)
    resumed = state.after is not None
    met: list[str] = []
    while True:
        query = search(timeline.filter, state.start, state.end or until)
        try:
            page = _page(client, timeline, query, state.after, pages, variables or {})
        except CostTooHighError:
            if not pages.shrink():
                raise
            continue
        except GraphqlRefusalError:
            if not resumed:
                raise
            # A stored page cursor may have died with an older API version. Everything up to `seen` is durable.
            resumed = False
            start = state.seen if timeline.ascending and state.seen else state.start
            state = replace_state(state, start=start, after=None, read=0)
            continue
        resumed = False
        asked_after = state.after
        records = page.records if page else []
        heads = read_heads(decoder, records)
        moments = [moment for head in heads if head is not None and (moment := _written(head.at))]
        met += moments
        seen = max([state.seen, *moments])
        state = replace_state(
            state, seen=seen, after=page.next_cursor if page else None, read=state.read + len(records)
        )
        done = False
        if state.after is None:
            done = not state.end
            state = replace_state(state, start=state.end or state.start, end="", read=0)
            met.clear()
        elif timeline.filter and state.read + pages.size > cap:
            state = _narrowed(timeline, state, met, cap)
            met.clear()
        yield Step(records, heads, asked_after, state, done)
        if done:
            return


def _narrowed(timeline: Timeline, state: ScanState, met: list[str], cap: int) -> ScanState:
    """The next query when this one holds more than can be paged: from here on, or a part of the period."""
    later = sorted(moment for moment in met if moment > state.start)
    if not later:
        raise PermanentSourceError(
            f"More than {cap:,} of Shopify's {timeline.name.replace('_', ' ')} changed in the same second.",
            remedy="Ask for another period with --since and --until; Shopify cannot page through so many.",
        )
    if timeline.ascending:
        return replace_state(state, start=state.seen, after=None, read=0)
    return replace_state(state, end=later[len(later) // 2], after=None, read=0)


def replace_state(state: ScanState, **changes: object) -> ScanState:
    """The state with some fields changed."""
    return msgspec.structs.replace(state, **changes)


def search(field: str | None, since: str, until: str | None) -> str | None:
    """Shopify's search string for a period: ``since`` inclusive, ``until`` exclusive."""
    if field is None:
        return None
    terms = [f"{field}:>='{since}'"] if since else []
    if until:
        terms.append(f"{field}:<'{until}'")
    return " AND ".join(terms) or None


def iso(moment: datetime) -> str:
    """A moment as Shopify's search takes it: UTC, whole seconds (rounded down), Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


_written = time_writer(iso, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@lru_cache
def _timed(key: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(msgspec.defstruct("Timed", [("at", str | None, None)], rename={"at": key}))


def _page(
    client: GraphqlClient,
    timeline: Timeline,
    query: str | None,
    after: str | None,
    pages: PageSize,
    variables: dict[str, str],
) -> Page | None:
    sent: dict[str, object] = {"first": pages.size, "after": after, **variables}
    if timeline.filter is not None:
        sent["query"] = query
    purpose = timeline.name.replace("_", " ")
    return client.page(documents.text(timeline.name), sent, timeline.path, purpose=purpose, pages=pages)
