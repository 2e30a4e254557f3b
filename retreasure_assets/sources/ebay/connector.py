"""The eBay connector: which entity is read how, and what cursor each batch carries.

What belongs here: joining pages into batches for bronze. What does not: tokens and headers (client.py), the order of
pages (scan.py).

Orders, ledger and payouts are read along time. Inventory items and offers have no change time: each sync reads them
whole, and offers can only be asked for SKU by SKU.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import TypeVar

import httpx

from retreasure_assets.entities import Cursor, Entity, RawBatch, Window
from retreasure_assets.sources.api_connector import ApiConnector
from retreasure_assets.sources.cursors import page_batch, parse_time
from retreasure_assets.sources.ebay.client import EbayClient, ScopeError
from retreasure_assets.sources.ebay.entities import ENTITIES
from retreasure_assets.sources.ebay.records import Head, contested, document, head_decoder, of_order, sku_of
from retreasure_assets.sources.ebay.scan import Found, ScanState, Step, iso, page_reader, scan
from retreasure_assets.sources.ebay.signing import Signer
from retreasure_assets.sources.ebay.state import CursorState, load, overlapped
from retreasure_assets.sources.http import HttpClient
from retreasure_assets.sources.http_errors import Endpoint, public_url

API_URL = "https://api.ebay.com"
FINANCES_URL = "https://apiz.ebay.com"

_ORDER = "/sell/fulfillment/v1/order"
_ITEMS = "/sell/inventory/v1/inventory_item"
_OFFER = "/sell/inventory/v1/offer"

#: With it, totals tell the tax that eBay collects and remits apart.
_DETAILED = {"fieldGroups": "TAX_BREAKDOWN"}
#: getOrders reaches back two years; a little less, so that the request is still within when it arrives.
ORDERS_REACH = timedelta(days=729)
#: No offer for this SKU: it is in stock and not listed.
_NO_OFFER = frozenset({25713, 25710})
#: No such order: it is gone since the list was read.
_NO_ORDER = frozenset({32100})


A = TypeVar("A")
B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Listing:
    """How an entity that changes along time is listed.

    Args:
        path: of the API.
        key: the page's field with the records.
        filter: the term over its time.
        time_key: the record's field with that time.
        limit: records of a page, at most.
        only: another term, for some of the records.
        sort: the parameter's value that gives the oldest first, where there is one.
    """

    path: str
    key: str
    filter: str
    time_key: str
    limit: int
    sort: str | None = None
    only: str | None = None


LISTINGS: Mapping[str, Listing] = {
    "orders": Listing(_ORDER, "orders", "lastmodifieddate", "lastModifiedDate", 200),
    # There is no list of fulfilments: each order of which something was sent is asked for its own.
    "fulfillments": Listing(
        _ORDER,
        "orders",
        "lastmodifieddate",
        "lastModifiedDate",
        200,
        only="orderfulfillmentstatus:{FULFILLED|IN_PROGRESS}",
    ),
    "transactions": Listing(
        "/sell/finances/v1/transaction", "transactions", "transactionDate", "transactionDate", 1000, "transactionDate"
    ),
    "payouts": Listing("/sell/finances/v1/payout", "payouts", "payoutDate", "payoutDate", 200, "payoutDate"),
}
#: SKUs of a page of inventory items; that of offers holds as many SKUs.
_STOCK_LIMIT = 200


class EbayConnector(ApiConnector):
    """Reads one seller's account (implements :class:`retreasure_assets.entities.Connector`).

    Args:
        client_id, client_secret: the app's keys.
        refresh_token: the seller's consent.
        marketplace: the seller's own, such as EBAY_GB.
        url, finances_url: other servers than eBay's.
        signer: signs where the seller must.
        history_start: the first day that a first sync asks for.
        lanes: how many single questions (offers of a SKU, cancelled orders, parcels of an order) are asked at a time.
        transport, sleep, monotonic, now: replaceable in tests.
    """

    def __init__(
        self,
        *,
        client_id: str,
        client_secret: str,
        refresh_token: str,
        marketplace: str,
        url: str = API_URL,
        finances_url: str = FINANCES_URL,
        signer: Signer | None = None,
        history_start: date = date(2020, 1, 1),
        lanes: int = 4,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        credentials = "RETREASURE_EBAY_CLIENT_ID, RETREASURE_EBAY_CLIENT_SECRET and RETREASURE_EBAY_REFRESH_TOKEN"
        addresses = "RETREASURE_EBAY_URL and RETREASURE_EBAY_FINANCES_URL"
        http = HttpClient(Endpoint("eBay", addresses, credentials), transport=transport, sleep=sleep, now=now)
        super().__init__("ebay", ENTITIES, http)
        self._client = EbayClient(
            http,
            url.rstrip("/"),
            finances_url.rstrip("/"),
            client_id,
            client_secret,
            refresh_token,
            marketplace,
            signer,
            monotonic,
        )
        self._history_start = datetime(history_start.year, history_start.month, history_start.day, tzinfo=UTC)
        self._lanes = lanes
        self._pool: ThreadPoolExecutor | None = None
        self._now = now

    def close(self) -> None:
        """Close the connections."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
        super().close()

    def check(self) -> Sequence[str]:
        """One cheap call to each of the three APIs, for each is a scope of its own.

        Returns:
            What is missing, a sentence each; empty when all is well.

        Raises:
            SourceError: the keys are wrong or eBay cannot be reached.
        """
        missing = []
        for name in ("orders", "inventory_items", "transactions"):
            path, key = (_ITEMS, "inventoryItems") if name == "inventory_items" else (LISTINGS[name].path, name)
            nothing = Found([], 0)
            purpose = name.replace("_", " ")
            try:
                self._client.get(path, {"limit": "1"}, page_reader(key), purpose=purpose, none=nothing)
            except ScopeError as error:
                missing.append(str(error))
        return missing

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """Read what is new since ``cursor``, or what lies in ``window``; see the protocol.

        A window reads records by the same time that an incremental sync goes by (modified, booked, paid out), stock
        and offers always whole: eBay shows their present state only.

        Raises:
            SourceError: by type; batches yielded before stay valid.
        """
        if entity.name not in LISTINGS:
            yield from self._stock(entity, load(cursor, entity), windowed=bool(window.since or window.until))
            return
        if window.since is not None or window.until is not None:
            since = self._earliest(entity, window.since or self._history_start)
            until = iso(window.until) if window.until else ""
            if not until or since < until:
                for step in self._steps(entity, ScanState(since, until)):
                    if step.records:
                        yield page_batch(entity, step.records, self._origin(entity, step), None, step.payloads)
            return
        stored = load(cursor, entity)
        state = stored.scan
        if state is None:
            watermark = parse_time(overlapped(stored.updated_at, entity)) if stored.updated_at else None
            state = ScanState(self._earliest(entity, watermark or self._history_start), seen=stored.updated_at or "")
        yield from self._sync(entity, stored, state)

    def _sync(self, entity: Entity, stored: CursorState, state: ScanState) -> Iterator[RawBatch]:
        """Batches with cursors. A page is held back until it is known whether another with records follows: the last
        one carries the new watermark."""
        held: Step | None = None
        seen = state.seen
        for step in self._steps(entity, state):
            seen = step.seen
            if not step.records:
                continue
            if held is not None:
                under_way = CursorState(stored.updated_at, held.state)
                yield page_batch(entity, held.records, self._origin(entity, held), under_way, held.payloads)
            held = step
        # A record that was changed in the future would have every sync until then find nothing.
        finished = CursorState(min(seen, iso(self._now())) or None)
        if held is not None:
            yield page_batch(entity, held.records, self._origin(entity, held), finished, held.payloads)
        elif stored.scan is not None:
            # What was left of an interrupted sync is empty: nothing to store but that it is over.
            yield page_batch(entity, [], "", finished)

    def _steps(self, entity: Entity, state: ScanState) -> Iterator[Step]:
        listing = LISTINGS[entity.name]
        read = page_reader(listing.key)
        purpose = entity.name

        def ask(start: str, end: str, offset: int) -> Found:
            period = f"{listing.filter}:[{start}..{end}]"
            parameters = {
                "filter": f"{period},{listing.only}" if listing.only else period,
                "limit": str(listing.limit),
                "offset": str(offset),
            }
            if listing.sort is not None:
                parameters["sort"] = listing.sort
            if entity.name == "orders":
                parameters |= _DETAILED
            return self._client.get(listing.path, parameters, read, purpose=purpose, none=Found([], 0))

        head = head_decoder(listing.time_key)
        for step in scan(ask, state, now=self._now(), limit=listing.limit, head=head):
            if entity.name == "orders":
                step = replace(step, records=self._whole(step))
            elif entity.name == "fulfillments":
                step = self._sent(step)
            yield step

    def _sent(self, step: Step) -> Step:
        """The fulfilments of a page's orders; a fulfilment alone does not say of which order it is."""
        read = page_reader("fulfillments")

        def sent(head: Head) -> list[bytes]:
            path, none = f"{_ORDER}/{head.order_id}/shipping_fulfillment", Found([], 0)
            return self._client.get(path, {}, read, purpose="fulfillments", none=none, absent=_NO_ORDER).records

        orders = [head for head in step.heads if head is not None and head.order_id]
        found = list(zip(orders, self._in_lanes(sent, orders), strict=True))
        return replace(
            step,
            records=[record for _, records in found for record in records],
            payloads=[of_order(head, record) for head, records in found for record in records],
        )

    def _whole(self, step: Step) -> list[bytes]:
        """Orders with their cancellation requests, which a list of orders leaves out."""
        records = step.records
        wanted = {place: order_id for place, head in enumerate(step.heads) if (order_id := contested(head))}

        def of_place(place: int) -> bytes:
            path = f"{_ORDER}/{wanted[place]}"
            return self._client.get(path, _DETAILED, document, purpose="orders", none=records[place], absent=_NO_ORDER)

        found = dict(zip(wanted, self._in_lanes(of_place, list(wanted)), strict=True))
        return [found.get(place, record) for place, record in enumerate(records)]

    def _stock(self, entity: Entity, stored: CursorState, *, windowed: bool) -> Iterator[RawBatch]:
        """Inventory items, or the offers of their SKUs, page by page; ``offset`` is the number of a page here."""
        read = page_reader("inventoryItems")
        number = 0 if windowed else stored.page
        done = False
        while not done:
            parameters = {"limit": str(_STOCK_LIMIT), "offset": str(number)}
            found = self._client.get(_ITEMS, parameters, read, purpose="inventory items", none=Found([], 0))
            done = (number + 1) * _STOCK_LIMIT >= found.total
            number = 0 if done else number + 1
            records = found.records if entity.name == "inventory_items" else self._offers(found.records)
            origin = f"{public_url(self._client.url)}{_ITEMS if entity.name == 'inventory_items' else _OFFER}"
            cursor = None if windowed else CursorState(page=number)
            if records or (done and stored.page):
                yield page_batch(entity, records, f"{origin}#{parameters['offset']}", cursor)

    def _offers(self, items: list[bytes]) -> list[bytes]:
        """The offers of all SKUs of a page, in its order."""
        read = page_reader("offers")

        def of_sku(sku: str) -> list[bytes]:
            found = self._client.get(_OFFER, {"sku": sku}, read, purpose="offers", none=Found([], 0), absent=_NO_OFFER)
            return found.records

        skus = [sku for sku in map(sku_of, items) if sku]
        return [record for records in self._in_lanes(of_sku, skus) for record in records]

    def _in_lanes(self, ask: Callable[[A], B], wanted: Sequence[A]) -> list[B]:
        """What every one of several questions gives, in their order; some are asked at a time."""
        if not wanted:
            return []
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._lanes, "ebay")
        return list(self._pool.map(ask, wanted))

    def _earliest(self, entity: Entity, moment: datetime) -> str:
        """Where a scan may begin: eBay's orders reach back two years."""
        if LISTINGS[entity.name].path == _ORDER:
            moment = max(moment, self._now() - ORDERS_REACH)
        return iso(moment)

    def _origin(self, entity: Entity, step: Step) -> str:
        listing = LISTINGS[entity.name]
        root = self._client.finances_url if "finances" in listing.path else self._client.url
        return f"{public_url(root)}{listing.path}#{step.place}"
