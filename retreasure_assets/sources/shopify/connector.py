"""The Shopify connector: which entity is read how, and what cursor each batch carries.

What belongs here: joining scans, bulk history and nested pages into batches for bronze. What does not: GraphQL
itself (client.py), the order of pages (scan.py), inner pages (nested.py), bulk files (bulk.py).

Cursors are small JSON objects. ``updated_at`` is the watermark of the last complete sync. ``scan`` is a sync under
way, ``bulk`` a history under way, ``place`` the location that a stock sync has reached: with them a killed sync
goes on where its last durable batch ended. The last page of a sync carries the new watermark, so pages
are held back by one; a sync whose remainder turns out to be empty starts anew.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from itertools import zip_longest

import httpx
import msgspec

from retreasure_assets.entities import Cursor, Entity, RawBatch, Window
from retreasure_assets.errors import ConfigurationError, MalformedInputError
from retreasure_assets.sources.api_connector import ApiConnector
from retreasure_assets.sources.cursors import parse_time
from retreasure_assets.sources.http import HttpClient
from retreasure_assets.sources.http_errors import Endpoint, public_url
from retreasure_assets.sources.shopify import documents
from retreasure_assets.sources.shopify.bulk import BulkReader
from retreasure_assets.sources.shopify.client import API_VERSION, CostBudget, GraphqlClient
from retreasure_assets.sources.shopify.entities import ENTITIES
from retreasure_assets.sources.shopify.history import History
from retreasure_assets.sources.shopify.nested import Completer, Record
from retreasure_assets.sources.shopify.scan import (
    PAGINATION_CAP,
    ScanState,
    Step,
    Timeline,
    iso,
    replace_state,
    scan,
)
from retreasure_assets.sources.shopify.state import CursorState, Place, batch, load, overlapped
from retreasure_assets.sources.slicing import malformed

_PAYMENTS = ("data", "shopifyPaymentsAccount")

#: How each entity is read. Balance transactions can be filtered by processed_at and by payout, not by a change
#: time (argument ``query`` in the schema), so their trailing 90 days are read again at each sync, as payouts are.
TIMELINES: Mapping[str, Timeline] = {
    line.name: line
    for line in (
        Timeline("orders", ("data", "orders"), "updated_at", "updatedAt", 25),
        Timeline("products", ("data", "products"), "updated_at", "updatedAt", 50),
        Timeline("customers", ("data", "customers"), "updated_at", "updatedAt", 100),
        Timeline("locations", ("data", "locations"), None, "updatedAt", 50),
        Timeline(
            "inventory_levels", ("data", "location", "inventoryLevels"), "updated_at", "updatedAt", 100, ascending=False
        ),
        Timeline("payouts", (*_PAYMENTS, "payouts"), "issued_at", "issuedAt", 100),
        Timeline("balance_transactions", (*_PAYMENTS, "balanceTransactions"), "processed_at", "transactionDate", 100),
    )
}

#: What the token must be allowed to read, and what for (the published schema's requiredAccess).
SCOPES: Mapping[str, str] = {
    "read_orders": "orders",
    "read_all_orders": "orders of more than 60 days ago",
    "read_products": "products",
    "read_customers": "customers",
    "read_inventory": "stock",
    "read_locations": "locations",
    "read_shopify_payments_accounts": "the payments account, with its payouts and balance transactions",
    "read_shopify_payments_payouts": "payouts and balance transactions",
}
#: Scopes that allow the same.
_INSTEAD: Mapping[str, Collection[str]] = {
    "read_shopify_payments_accounts": ("read_shopify_payments",),
    "read_shopify_payments_payouts": ("read_shopify_payments",),
}

#: Entities with inner lists, whose history may come in bulk.
_NESTED = ("orders", "products")


@dataclass(frozen=True, slots=True)
class _Held:
    """A page whose batch waits until it is known whether another follows."""

    records: list[Record]
    origin: str
    cursor: CursorState
    seen: str


class _Identified(msgspec.Struct):
    id: str


_IDENTIFIED = msgspec.json.Decoder(_Identified)


class _Scope(msgspec.Struct):
    handle: str


class _Installation(msgspec.Struct):
    scopes: list[_Scope] = msgspec.field(name="accessScopes", default_factory=list)


class _Shop(msgspec.Struct):
    domain: str = msgspec.field(name="myshopifyDomain")


class _CheckedData(msgspec.Struct):
    shop: _Shop
    installation: _Installation | None = msgspec.field(name="currentAppInstallation", default=None)


class _Checked(msgspec.Struct):
    data: _CheckedData


class ShopifyConnector(ApiConnector):
    """Reads one shop (implements :class:`retreasure_assets.entities.Connector`).

    Args:
        shop: the myshopify name, with or without the domain.
        token: Admin API access token.
        base_url: another server than https://<shop>.myshopify.com.
        history_start: the first day that a first sync asks for.
        bulk_threshold: records from which a first sync of orders or products uses a bulk operation.
        bulk_timeout: seconds to wait for one.
        transport, sleep, monotonic, now: replaceable in tests.

    Raises:
        ConfigurationError: the shop's name or the token cannot be right.
    """

    def __init__(
        self,
        *,
        token: str,
        shop: str | None = None,
        base_url: str | None = None,
        history_start: date = date(2020, 1, 1),
        bulk_threshold: int = 1_000,
        bulk_timeout: float = 3600.0,
        cap: int = PAGINATION_CAP,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._shop = _shop_name(shop) if shop else None
        self.url = f"{_base_url(self._shop, base_url)}/admin/api/{API_VERSION}/graphql.json"
        budget = CostBudget(monotonic=monotonic)
        http = HttpClient(
            Endpoint("Shopify", "RETREASURE_SHOPIFY_SHOP and RETREASURE_SHOPIFY_URL", "RETREASURE_SHOPIFY_TOKEN"),
            headers={"X-Shopify-Access-Token": token, "Accept": "application/json"},
            limiter=budget,
            transport=transport,
            sleep=sleep,
            now=now,
        )
        super().__init__("shopify", ENTITIES, http)
        self._client = GraphqlClient(http, self.url, budget, sleep=sleep)
        bulk = BulkReader(self._client, timeout=bulk_timeout, sleep=sleep, monotonic=monotonic)
        self._history_start = iso(datetime(history_start.year, history_start.month, history_start.day, tzinfo=UTC))
        self._history = History(self._client, bulk, self._history_start, bulk_threshold)
        self._cap = cap
        self._now = now

    def check(self) -> Sequence[str]:
        """One cheap call: which shop the token opens, and what it may read there; see the protocol."""

        def parse(body: bytes) -> _Checked:
            try:
                return msgspec.json.decode(body, type=_Checked)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise malformed("Shopify") from None

        data = self._client.run(documents.text("shop"), {}, parse, purpose="the shop's name").data
        missing = []
        served = data.shop.domain.removesuffix(".myshopify.com")
        if self._shop and served != self._shop:
            missing.append(
                f"The token opens the shop {served}, not {self._shop}: set RETREASURE_SHOPIFY_SHOP to the one meant."
            )
        if data.installation is not None:
            granted = {scope.handle for scope in data.installation.scopes}
            missing += [
                f"The token lacks the scope {scope}: grant it to the app and install it again, to read {what}."
                for scope, what in SCOPES.items()
                if not granted & {scope, *_INSTEAD.get(scope, ())}
            ]
        return missing

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """Read what is new since ``cursor``, or what lies in ``window``; see the protocol.

        A window reads records by the same time that an incremental sync goes by (updated, issued, processed).
        Locations are few: they are always read whole.

        Raises:
            SourceError: by type; batches yielded before stay valid.
        """
        if window.since is not None or window.until is not None:
            since = iso(window.since) if window.since else self._history_start
            held = self._read(entity, ScanState(since), until=iso(window.until) if window.until else None)
            for page in held:
                yield batch(entity, page.records, page.origin, None)
            return
        stored = load(cursor, entity)
        found = False
        for read in self._sync(entity, stored):
            found = True
            yield read
        if not found and stored.under_way:
            # What was left of the interrupted sync is gone: the next one begins behind the watermark again.
            yield from self._sync(entity, CursorState(updated_at=stored.updated_at))

    def _sync(self, entity: Entity, stored: CursorState) -> Iterator[RawBatch]:
        state = stored.scan
        place = stored.place if stored.place and self._fresh(stored.place.scan, entity) else None
        if state is None:
            since = self._history_start
            if stored.updated_at is not None:
                since = overlapped(stored.updated_at, entity)
            elif entity.name in _NESTED:
                since = yield from self._history.batches(entity, stored.bulk)
            state = ScanState(since)
        pending: _Held | None = None
        for page in self._read(entity, state, watermark=stored.updated_at, place=place):
            if pending is not None:
                yield batch(entity, pending.records, pending.origin, pending.cursor)
            pending = page
        if pending is not None:
            # A record that was changed in the future would have every sync until then find nothing.
            latest = max(stored.updated_at or "", min(pending.seen, iso(self._now())))
            yield batch(entity, pending.records, pending.origin, CursorState(updated_at=latest or None))

    def _fresh(self, state: ScanState, entity: Entity) -> bool:
        """Whether an unsorted scan is young enough to go on.

        A record may change behind its back; the next sync sees that only within the overlap.
        """
        started = parse_time(state.started)
        return started is not None and self._now() - started < entity.overlap / 2

    def _read(
        self,
        entity: Entity,
        state: ScanState,
        *,
        until: str | None = None,
        watermark: str | None = None,
        place: Place | None = None,
    ) -> Iterator[_Held]:
        """The pages that hold records, from ``state`` or ``place`` on."""
        timeline = TIMELINES[entity.name]
        if entity.name == "inventory_levels":
            yield from self._read_stock(entity, timeline, state, until, watermark, place)
            return
        completer = Completer(self._client, entity.name) if entity.name in _NESTED else None
        head = completer.head(timeline.time_key) if completer else None
        for step in scan(self._client, timeline, state, until=until, head=head, cap=self._cap):
            if step.records:
                records = [Record(node) for node in step.records]
                if completer is not None:
                    records = list(map(completer.complete, step.records, step.heads))
                yield self._held(entity, step, records, CursorState(updated_at=watermark, scan=step.state))

    def _read_stock(
        self,
        entity: Entity,
        timeline: Timeline,
        state: ScanState,
        until: str | None,
        watermark: str | None,
        place: Place | None,
    ) -> Iterator[_Held]:
        """Stock levels, location by location: they can be filtered by change time, but not sorted by it."""
        locations = self._locations()
        if place is not None and place.location in locations:
            locations = locations[locations.index(place.location) :]
            state = place.scan
        else:
            state = replace_state(state, started=iso(self._now()))
        for location, following in zip_longest(locations, locations[1:]):
            steps = scan(self._client, timeline, state, until=until, variables={"location": location}, cap=self._cap)
            for step in steps:
                state = step.state
                place = Place(location, state)
                if step.done:
                    state = ScanState(state.since, seen=state.seen, started=state.started)
                    place = Place(following or location, state)
                if step.records:
                    records = [Record(node) for node in step.records]
                    yield self._held(entity, step, records, CursorState(updated_at=watermark, place=place))

    def _locations(self) -> list[str]:
        steps = scan(self._client, Timeline("location_ids", ("data", "locations"), None, "id", 250), ScanState(""))
        try:
            return [_IDENTIFIED.decode(node).id for step in steps for node in step.records]
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Without it the watermark would pass changes that nobody has read.
            raise MalformedInputError(
                "One of Shopify's locations has no id, so its stock cannot be asked for.",
                remedy="Look at the shop's locations in Shopify's admin, then run again.",
            ) from None

    def _held(self, entity: Entity, step: Step, records: list[Record], cursor: CursorState) -> _Held:
        origin = f"{public_url(self.url)}#{entity.name}[{step.asked_after or 'first'}]"
        return _Held(records, origin, cursor, step.state.seen)


def _base_url(shop: str | None, base_url: str | None) -> str:
    return base_url.rstrip("/") if base_url else f"https://{_shop_name(shop or '')}.myshopify.com"


def _shop_name(shop: str) -> str:
    name = shop.strip().lower().removeprefix("https://").rstrip("/").removesuffix(".myshopify.com")
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", name):
        raise ConfigurationError(
            "RETREASURE_SHOPIFY_SHOP is not a shop's myshopify name.",
            remedy="Set it to the part before .myshopify.com, such as retreasure-vintage.",
        )
    return name
