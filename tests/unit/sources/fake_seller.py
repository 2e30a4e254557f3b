"""A seller's account on eBay in memory, to be asked through a mock transport; it can change while it is read.

What belongs here: answers as eBay gives them, and mischief. What does not: the connector, and expectations.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx

from retreasure_assets.entities import Cursor, RawBatch, Window
from retreasure_assets.sources.ebay import ENTITIES, EbayConnector

Connect = Callable[..., EbayConnector]
CLIENT_ID, CLIENT_SECRET, REFRESH_TOKEN = "client", "secret", "refresh"

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)


def iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def order(number: int, changed: datetime, **more: Any) -> dict[str, Any]:
    return {
        "orderId": f"01-{number:05d}-00000",
        "creationDate": iso(changed),
        "lastModifiedDate": iso(changed),
        "orderFulfillmentStatus": "NOT_STARTED",
        "cancelStatus": {"cancelState": "NONE_REQUESTED", "cancelRequests": []},
        **more,
    }


@dataclass
class FakeSeller:
    """What the account holds, and how it behaves.

    Args:
        before: called with every request but those for tokens; an answer from it is sent in place of the account's.
    """

    orders: list[dict[str, Any]] = field(default_factory=list)
    sent: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    entries: list[dict[str, Any]] = field(default_factory=list)
    payouts: list[dict[str, Any]] = field(default_factory=list)
    items: list[dict[str, Any]] = field(default_factory=list)
    offers: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    token_seconds: int = 7200
    refuse_refresh: bool = False
    before: Callable[[httpx.Request], httpx.Response | None] = lambda request: None
    asked: list[httpx.Request] = field(default_factory=list)
    issued: int = 0
    valid: set[str] = field(default_factory=set)
    clock: float = 0.0
    slept: list[float] = field(default_factory=list)

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.path == "/identity/v1/oauth2/token":
            return self._token(request)
        self.asked.append(request)
        mischief = self.before(request)
        if mischief is not None:
            return mischief
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.valid:
            return httpx.Response(401, json={"errors": [{"errorId": 1001, "message": "Invalid access token"}]})
        path, query = request.url.path, dict(request.url.params)
        if path == "/sell/fulfillment/v1/order":
            return self._list("orders", "lastModifiedDate", query, 200)
        if path.endswith("/shipping_fulfillment"):
            sent = self.sent.get(path.split("/")[-2], [])
            return httpx.Response(200, json={"total": len(sent), "fulfillments": sent})
        if path.startswith("/sell/fulfillment/v1/order/"):
            found = [o for o in self.orders if o["orderId"] == path.rpartition("/")[2]]
            return self._whole(found[0]) if found else _error(404, 32100)
        if path == "/sell/finances/v1/transaction":
            return self._list("entries", "transactionDate", query, 1000, key="transactions")
        if path == "/sell/finances/v1/payout":
            return self._list("payouts", "payoutDate", query, 200)
        if path == "/sell/inventory/v1/inventory_item":
            limit, number = int(query["limit"]), int(query.get("offset", 0))
            page = self.items[number * limit : (number + 1) * limit]
            return httpx.Response(200, json={"total": len(self.items), "inventoryItems": page})
        if path == "/sell/inventory/v1/offer":
            offers = self.offers.get(query["sku"])
            return httpx.Response(200, json={"total": len(offers), "offers": offers}) if offers else _error(404, 25713)
        return _error(404, 0)

    @property
    def pages(self) -> list[tuple[str, int]]:
        """The periods and offsets asked for, in order."""
        return [
            (re.sub(r"^\w+:", "", request.url.params["filter"]), int(request.url.params["offset"]))
            for request in self.asked
            if "filter" in request.url.params
        ]

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock += seconds

    def _token(self, request: httpx.Request) -> httpx.Response:
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if request.headers["authorization"] != f"Basic {basic}":
            return httpx.Response(401, json={"error": "invalid_client"})
        form = parse_qs(request.content.decode())
        if self.refuse_refresh or form.get("refresh_token") != [REFRESH_TOKEN]:
            return httpx.Response(400, json={"error": "invalid_grant"})
        self.issued += 1
        self.valid = {f"token-{self.issued}"}
        return httpx.Response(200, json={"access_token": f"token-{self.issued}", "expires_in": self.token_seconds})

    def _list(self, name: str, time_key: str, query: dict[str, str], highest: int, key: str = "") -> httpx.Response:
        asked = query.get("filter", f"x:[{iso(NOW - timedelta(days=90))}..]")
        match = re.fullmatch(r"\w+:\[(\S+?)\.\.([^,\s]*)\](?:,orderfulfillmentstatus:\{([A-Z_|]+)\})?", asked)
        assert match is not None
        start, end = match[1], match[2] or "9999"
        limit, offset = int(query["limit"]), int(query.get("offset", 0))
        assert limit <= highest
        assert start <= iso(NOW + timedelta(minutes=1))
        assert not match[2] or end <= iso(NOW)
        found = [record for record in getattr(self, name) if start <= record[time_key] <= end]
        if match[3]:
            found = [record for record in found if record["orderFulfillmentStatus"] in match[3].split("|")]
        if not found and name != "orders":
            return httpx.Response(204)
        return httpx.Response(
            200, json={"total": len(found), "limit": limit, key or name: found[offset : offset + limit]}
        )

    def _whole(self, found: dict[str, Any]) -> httpx.Response:
        status = {**found["cancelStatus"], "cancelRequests": [{"cancelReason": "ORDER_MISTAKE"}]}
        return httpx.Response(200, content=json.dumps({**found, "cancelStatus": status}).encode())


def _error(status: int, number: int) -> httpx.Response:
    return httpx.Response(status, json={"errors": [{"errorId": number, "message": "jane@example.com is not known"}]})


def connector(seller: FakeSeller, /, **changes: Any) -> EbayConnector:
    """A connector to the account; keyword arguments as EbayConnector's."""
    options: dict[str, Any] = {
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
        "refresh_token": REFRESH_TOKEN,
        "marketplace": "EBAY_GB",
        "history_start": date(2026, 1, 1),
        "transport": httpx.MockTransport(seller.handle),
        "sleep": seller.sleep,
        "monotonic": lambda: seller.clock,
        "now": lambda: NOW,
    }
    return EbayConnector(**{**options, **changes})


def sync(connector: EbayConnector, name: str, cursor: Cursor | None = None, **window: Any) -> list[RawBatch]:
    """Everything that one sync of an entity reads."""
    return list(connector.batches(ENTITIES[name], cursor, Window(**window)))


def ids(batches: list[RawBatch], key: str = "orderId") -> list[str]:
    """What the records are called, in order."""
    return [json.loads(record)[key] for batch in batches for record in batch.records]


def days(number: float) -> timedelta:
    return timedelta(days=number)
