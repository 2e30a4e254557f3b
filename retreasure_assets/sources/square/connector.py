"""The Square connector: which entity is read how, and what cursor each batch carries.

What belongs here: the order of parts and pages, and where to go on. What does not: the requests (requests.py) and HTTP
(client.py).

Every entity is read in parts: orders by groups of ten locations, payments, refunds and payouts by location, a payout's
entries by payout, the rest in one. Cursors are small JSON objects: ``updated_at`` is the watermark of the last complete
sync, ``scan`` a sync under way, with which a killed one goes on where its last durable batch ended. The last page of a
sync carries the new watermark, so pages are held back by one; a sync whose remainder turns out to be empty starts anew.

The new watermark is the latest change seen, but never later than the sync's beginning: what changed in an earlier part
while a later one was read lies behind it and comes with the next sync. What Square shows late ("results are eventually
consistent") is caught by the entity's overlap.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import lru_cache
from itertools import zip_longest
from typing import Any

import httpx
import msgspec

from retreasure_assets.entities import Cursor, Entity, RawBatch, Window
from retreasure_assets.sources.api_connector import ApiConnector
from retreasure_assets.sources.cursors import load_cursor, overlapped, page_batch, read_heads, time_writer
from retreasure_assets.sources.http import HttpClient
from retreasure_assets.sources.http_errors import Endpoint
from retreasure_assets.sources.slicing import malformed
from retreasure_assets.sources.square import requests
from retreasure_assets.sources.square.client import API_VERSION, Call, SquareClient, StaleCursorError
from retreasure_assets.sources.square.entities import ENTITIES
from retreasure_assets.sources.square.requests import iso

PRODUCTION_URL = "https://connect.squareup.com"

#: What the access token must be allowed, by entity (the contract's ``security`` of each endpoint).
SCOPES: Mapping[str, str] = {
    "locations": "MERCHANT_PROFILE_READ",
    "catalog_objects": "ITEMS_READ",
    "customers": "CUSTOMERS_READ",
    "orders": "ORDERS_READ",
    "payments": "PAYMENTS_READ",
    "refunds": "PAYMENTS_READ",
    "inventory_counts": "INVENTORY_READ",
    "payouts": "PAYOUTS_READ",
    "payout_entries": "PAYOUTS_READ",
}

#: What stands for itself however old it is: a piece that has not changed for years is still in the shop.
_STANDING = frozenset({"catalog_objects", "inventory_counts", "customers", "locations"})
_EVER = "1970-01-01T00:00:00.000Z"

#: The time by which an entity is asked for, where that is not its change time.
_ASKED_BY = {"payouts": "created_at"}
#: Endpoints without an upper end: there it is held against each record.
_OPEN_ENDED = frozenset({"catalog_objects", "inventory_counts"})


class ScanState(msgspec.Struct, frozen=True, omit_defaults=True):
    """Where a sync is.

    Args:
        since: its lower end, inclusive.
        started: when it began.
        part: the part that is read just now; empty for the first.
        cursor: Square's page cursor in it; None at its beginning.
        seen: the latest change time met.
    """

    since: str
    started: str
    part: str = ""
    cursor: str | None = None
    seen: str = ""


class CursorState(msgspec.Struct, frozen=True, omit_defaults=True):
    """The cursor; see the module."""

    updated_at: str | None = None
    scan: ScanState | None = None


@dataclass(frozen=True, slots=True)
class _Part:
    """A list to page through, and what it is called in a cursor."""

    name: str
    call: Call


@dataclass(frozen=True, slots=True)
class _Held:
    """A page whose batch waits until it is known whether another follows."""

    records: list[bytes]
    origin: str
    state: ScanState


class SquareConnector(ApiConnector):
    """Reads one seller's account (implements :class:`retreasure_assets.entities.Connector`).

    Args:
        token: access token.
        base_url: another server than https://connect.squareup.com.
        history_start: the first day that a first sync asks for.
        transport, sleep, now: replaceable in tests.

    Raises:
        ConfigurationError: the token cannot be right.
    """

    def __init__(
        self,
        *,
        token: str,
        base_url: str | None = None,
        history_start: date = date(2020, 1, 1),
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.url = (base_url or PRODUCTION_URL).rstrip("/")
        http = HttpClient(
            Endpoint("Square", "RETREASURE_SQUARE_URL", "RETREASURE_SQUARE_TOKEN"),
            headers={"Authorization": f"Bearer {token}", "Square-Version": API_VERSION, "Accept": "application/json"},
            transport=transport,
            sleep=sleep,
            now=now,
        )
        super().__init__("square", ENTITIES, http)
        self._client = SquareClient(http, self.url)
        self._history_start = iso(datetime(history_start.year, history_start.month, history_start.day, tzinfo=UTC))
        self._now = now

    def check(self) -> Sequence[str]:
        """One cheap call: the token's scopes.

        Returns:
            A sentence for every scope that is missing.

        Raises:
            SourceError: the account cannot be read, and why.
        """
        granted = self._client.scopes()
        if granted is None:
            return []
        wanting: dict[str, list[str]] = {}
        for entity, scope in SCOPES.items():
            if scope not in granted:
                wanting.setdefault(scope, []).append(entity.replace("_", " "))
        return [f"The token lacks the scope {scope}, for {' and '.join(names)}." for scope, names in wanting.items()]

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """Read what is new since ``cursor``, or what lies in ``window``; see the protocol.

        A window reads payouts and their entries by the time the payout was made, all else by its last change.

        Raises:
            SourceError: by type; batches yielded before stay valid.
        """
        if window.since is not None or window.until is not None:
            since = iso(window.since) if window.since else self._first(entity)
            until = iso(window.until) if window.until else None
            for page in self._read(entity, ScanState(since, iso(self._now())), until):
                yield _batch(entity, page, None)
            return
        stored = load_cursor(cursor, CursorState, f"Square's {entity.name}")
        found = False
        for batch in self._sync(entity, stored):
            found = True
            yield batch
        if not found and stored.scan is not None:
            # What was left of the interrupted sync is gone: the next one begins behind the watermark again.
            yield from self._sync(entity, CursorState(updated_at=stored.updated_at))

    def _sync(self, entity: Entity, stored: CursorState) -> Iterator[RawBatch]:
        state = stored.scan or ScanState(self._since(entity, stored.updated_at), iso(self._now()))
        pending: _Held | None = None
        for page in self._read(entity, state, None):
            if pending is not None:
                yield _batch(entity, pending, CursorState(updated_at=stored.updated_at, scan=pending.state))
            pending = page
        if pending is not None:
            latest = max(stored.updated_at or "", min(pending.state.seen, state.started))
            yield _batch(entity, pending, CursorState(updated_at=latest or None))

    def _since(self, entity: Entity, watermark: str | None) -> str:
        if watermark is None:
            return self._first(entity)
        return iso(overlapped(watermark, entity, f"Square's {entity.name}"))

    def _first(self, entity: Entity) -> str:
        return _EVER if entity.name in _STANDING else self._history_start

    def _read(self, entity: Entity, state: ScanState, until: str | None) -> Iterator[_Held]:
        """The pages that hold records, from ``state`` on, each with the state once it is durable."""
        parts = self._parts(entity, state.since, until)
        names = [part.name for part in parts]
        if state.part in names:
            parts = parts[names.index(state.part) :]
        elif state.part:
            # The location is gone, or the groups are others: what was read of it comes twice.
            state = ScanState(state.since, state.started, seen=state.seen)
        time_key = _ASKED_BY.get(entity.name, entity.updated_at)
        for part, following in zip_longest(parts, parts[1:]):
            cursor, resumed = state.cursor, state.cursor is not None
            while True:
                try:
                    page = self._client.page(part.call, cursor)
                except StaleCursorError:
                    if not resumed:
                        raise
                    cursor, resumed = None, False
                    continue
                resumed = False
                moments = _times(page.records, time_key)
                seen = max([state.seen, *(moment for moment in moments if moment)])
                origin = self._client.origin(part.call, cursor)
                cursor = page.next_cursor
                at = part if cursor is not None or following is None else following
                state = ScanState(state.since, state.started, at.name, cursor, seen)
                kept = page.records
                if until is not None and entity.name in _OPEN_ENDED:
                    kept = [
                        record for record, moment in zip(kept, moments, strict=True) if not moment or moment <= until
                    ]
                if kept:
                    yield _Held(kept, origin, state)
                if cursor is None:
                    break

    def _parts(self, entity: Entity, since: str, until: str | None) -> list[_Part]:
        """What there is to page through for an entity, in an order that stays the same."""
        match entity.name:
            case "locations":
                return [_Part("all", requests.locations())]
            case "catalog_objects":
                return [_Part("all", requests.catalog_objects(since))]
            case "inventory_counts":
                return [_Part("all", requests.inventory_counts(since))]
            case "customers":
                return [_Part("all", requests.customers(since, until))]
            case "orders":
                ids, size = self._locations(), requests.LOCATIONS_A_CALL
                groups = [ids[start : start + size] for start in range(0, len(ids), size)]
                return [_Part(group[0], requests.orders(group, since, until)) for group in groups]
            case "payments":
                start = self._history_start
                return [_Part(at, requests.payments(at, since, until, start)) for at in self._locations()]
            case "refunds":
                start = self._history_start
                return [_Part(at, requests.refunds(at, since, until, start)) for at in self._locations()]
            case "payouts":
                return [_Part(at, requests.payouts(at, since, until)) for at in self._locations()]
            case _:
                payouts = self._ids(requests.payouts(at, since, until) for at in self._locations())
                return [_Part(payout, requests.payout_entries(payout)) for payout in payouts]

    def _locations(self) -> list[str]:
        """Ids of all locations, those no longer in use too: their history counts."""
        return sorted(self._ids([requests.locations()]))

    def _ids(self, calls: Iterator[Call] | Sequence[Call]) -> list[str]:
        found: list[str] = []
        for call in calls:
            cursor: str | None = None
            while True:
                page = self._client.page(call, cursor)
                try:
                    found += [_identified.decode(record).id for record in page.records]
                except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                    raise malformed("Square") from None
                cursor = page.next_cursor
                if cursor is None:
                    break
        return found


class _Identified(msgspec.Struct):
    id: str


_identified = msgspec.json.Decoder(_Identified)


def _batch(entity: Entity, page: _Held, cursor: CursorState | None) -> RawBatch:
    return page_batch(entity, page.records, page.origin, cursor)


_written = time_writer(iso, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


@lru_cache
def _timed(key: str) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(msgspec.defstruct("Timed", [("at", str)], rename={"at": key}))


def _times(records: Sequence[bytes], key: str | None) -> list[str]:
    """Each record's time as Square writes it; empty where it has none that can be read: bronze judges the record."""
    if key is None:
        return [""] * len(records)
    return ["" if head is None else _written(head.at) for head in read_heads(_timed(key), records)]
