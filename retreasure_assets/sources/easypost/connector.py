"""The EasyPost connector: trackers, month by month, newest first within a month, resumable at any page.

What belongs here: paging and cursors. What does not: HTTP (http.py), and what a status means (silver).

EasyPost lists trackers newest first, filters them by when they were created (not by when they changed) and, asked for
a start alone, looks no further than a month ahead. So a sync walks windows of at most 30 days from the overlap before
its watermark up to now, oldest first, and pages each with ``before_id`` (https://docs.easypost.com/docs/trackers).
A tracker that is created meanwhile lies behind the last window and is met by the next sync.

The cursor keeps when the youngest tracker met was created and, while a sync is under way, the window and the tracker
that its last durable page ended with: a killed sync goes on there.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec

from retreasure_assets.entities import Cursor, Entity, RawBatch, Window
from retreasure_assets.sources.api_connector import ApiConnector
from retreasure_assets.sources.cursors import load_cursor, page_batch
from retreasure_assets.sources.easypost.entities import ENTITIES
from retreasure_assets.sources.http import Answer, HttpClient
from retreasure_assets.sources.http_errors import Endpoint, public_url
from retreasure_assets.sources.slicing import malformed

PUBLIC_URL = "https://api.easypost.com"

#: The most that one page holds (https://docs.easypost.com/guides/pagination-guide).
PAGE_SIZE = 100
#: Shorter than any month: what lies further apart than EasyPost looks at once would be passed over.
_STRIDE = timedelta(days=30)
#: What the keys of EasyPost's test mode begin with.
_TEST_KEY = "EZTK"


class _Page(msgspec.Struct):
    """A page of trackers, each as its own bytes."""

    trackers: list[msgspec.Raw]
    has_more: bool


class _Known(msgspec.Struct):
    """What paging needs of a tracker."""

    id: str
    created_at: datetime | None = None


_page = msgspec.json.Decoder(_Page).decode
_known = msgspec.json.Decoder(_Known).decode


class _Scan(msgspec.Struct, frozen=True, omit_defaults=True):
    """A sync under way.

    Args:
        start: where the window that is read begins.
        until: where the last window ends.
        before: the tracker before which the next page begins.
        seen: when the youngest tracker met was created.
    """

    start: datetime
    until: datetime
    before: str | None = None
    seen: datetime | None = None


class _State(msgspec.Struct, frozen=True, omit_defaults=True):
    """The cursor; see the module."""

    created_at: datetime | None = None
    scan: _Scan | None = None


class EasyPostConnector(ApiConnector):
    """Reads the trackers of one account (implements :class:`retreasure_assets.entities.Connector`).

    Args:
        key: the account's API key; EasyPost takes it as the user of HTTP basic authentication.
        base_url: another server than the public one.
        history_start: the first day that a first sync asks for.
        page_size: trackers a page, 1 to 100.
        transport, sleep, now: replaceable in tests.
    """

    def __init__(
        self,
        *,
        key: str,
        base_url: str | None = None,
        history_start: date = date(2020, 1, 1),
        page_size: int = PAGE_SIZE,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.url = f"{(base_url or PUBLIC_URL).rstrip('/')}/v2/trackers"
        self._key = key
        http = HttpClient(
            Endpoint("EasyPost", "RETREASURE_EASYPOST_URL", "RETREASURE_EASYPOST_API_KEY"),
            headers={
                "Authorization": "Basic " + base64.b64encode(f"{key}:".encode()).decode(),
                "Accept": "application/json",
            },
            transport=transport,
            sleep=sleep,
            now=now,
        )
        super().__init__("easypost", ENTITIES, http)
        self._history_start = datetime(history_start.year, history_start.month, history_start.day, tzinfo=UTC)
        self._page_size = page_size
        self._now = now

    def check(self) -> Sequence[str]:
        """Ask for one tracker; say what is wrong with the account, in sentences.

        Raises:
            SourceError: the key is wrong or EasyPost cannot be reached.
        """
        self.http.read("GET", f"{self.url}?{urlencode({'page_size': 1})}", _read)
        if self._key.startswith(_TEST_KEY):
            return ["The key of EasyPost is one of its test mode, which knows invented parcels only."]
        return []

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """Read the trackers created since ``cursor`` less the overlap, or in ``window``; see the protocol.

        A sync ends with a batch without records that stores its watermark.

        Raises:
            SourceError: by type.
        """
        if window.since is not None or window.until is not None:
            scan = _Scan(window.since or self._history_start, window.until or self._now())
            for records, origin, _ in self._pages(scan):
                yield page_batch(entity, records, origin, None)
            return
        state = load_cursor(cursor, _State, "EasyPost's trackers")
        scan = state.scan or _Scan(
            self._history_start if state.created_at is None else state.created_at - entity.overlap,
            self._now(),
            seen=state.created_at,
        )
        reached = scan
        for records, origin, reached in self._pages(scan):
            yield page_batch(entity, records, origin, _State(state.created_at, reached))
        yield page_batch(entity, [], self.url, _State(reached.seen))

    def _pages(self, scan: _Scan) -> Iterator[tuple[list[bytes], str, _Scan]]:
        """Every page that holds records: they, where they came from, and the scan once they are durable."""
        while scan.start < scan.until:
            end = min(scan.start + _STRIDE, scan.until)
            page = self._page(scan.start, end, scan.before)
            records = [bytes(raw) for raw in page.trackers]
            asked = scan.before
            seen = _youngest(records, scan.seen)
            if page.has_more and records:
                scan = _Scan(scan.start, scan.until, _last_id(records), seen)
            else:
                scan = _Scan(end, scan.until, None, seen)
            if records:
                yield records, f"{public_url(self.url)}[{asked or f'{end:%Y-%m-%d}'}]", scan

    def _page(self, start: datetime, end: datetime, before: str | None) -> _Page:
        sent: dict[str, Any] = {"page_size": self._page_size, "start_datetime": iso(start), "end_datetime": iso(end)}
        if before is not None:
            sent["before_id"] = before
        return self.http.read("GET", f"{self.url}?{urlencode(sent)}", _read)


def iso(moment: datetime) -> str:
    """A moment as EasyPost takes it: UTC, whole seconds, Z."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _read(answer: Answer) -> _Page:
    try:
        return _page(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed("EasyPost") from None


def _last_id(records: list[bytes]) -> str:
    """The id of the last tracker that has one: what stands behind it comes again, and paging goes on."""
    for record in reversed(records):
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return _known(record).id
    raise malformed("EasyPost")


def _youngest(records: list[bytes], seen: datetime | None) -> datetime | None:
    """The latest time of creation; a record without a readable one is skipped, bronze judges it."""
    for record in records:
        with suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            created = _known(record).created_at
            if created is not None:
                created = created if created.tzinfo else created.replace(tzinfo=UTC)
                seen = created if seen is None else max(seen, created)
    return seen
