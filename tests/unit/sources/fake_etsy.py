"""An Etsy in memory: a few lists that can change while they are read, tokens that rotate, and every request kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs

import httpx
import msgspec

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.sources.etsy import ENTITIES, EtsyConnector

SHOP = 41
T0 = 1_767_571_200  # 2026-01-05
KEY = "key:secret"

Json = dict[str, Any]
Connect = Callable[..., EtsyConnector]


def receipt(number: int, created: int, updated: int | None = None, **fields: Any) -> Json:
    """A receipt with what the connector looks at."""
    return {
        "receipt_id": number,
        "created_timestamp": created,
        "updated_timestamp": created if updated is None else updated,
        "status": "Paid",
        **fields,
    }


def entry(number: int, created: int, kind: str = "listing", **fields: Any) -> Json:
    """A ledger entry."""
    return {"entry_id": number, "created_timestamp": created, "ledger_type": kind, **fields}


class Memory:
    """A token store without a disk; every saved secret is kept."""

    def __init__(self) -> None:
        self.saved: list[bytes] = []
        self.locked = False

    def load(self) -> bytes | None:
        return self.saved[-1] if self.saved else None

    def save(self, secret: bytes) -> None:
        assert self.locked, "saved without the lock"
        self.saved.append(secret)

    @contextmanager
    def lock(self) -> Iterator[None]:
        assert not self.locked
        self.locked = True
        try:
            yield
        finally:
            self.locked = False


@dataclass
class FakeEtsy:
    """One shop.

    Args:
        valid: refresh tokens that are good; by default each is good until the next one is used.
        before: called with (path, query) before a list is answered.
        answers: answers to give instead of the next ones; None lets one through.
        repeats: whether the first record of every page comes twice.
    """

    receipts: list[Json] = field(default_factory=list)
    cancelled: set[int] = field(default_factory=set)
    entries: list[Json] = field(default_factory=list)
    payments: dict[int, Json] = field(default_factory=dict)
    of_entry: dict[int, int] = field(default_factory=dict)
    listings: dict[str, list[Json]] = field(default_factory=dict)
    founded: int = T0 - 86_400
    valid: set[str] = field(default_factory=lambda: {"r0"})
    access: set[str] = field(default_factory=set)
    lifetime: float = 3600
    scopes: set[str] = field(default_factory=lambda: {"transactions_r", "listings_r", "shops_r"})
    before: Callable[[str, Json], None] = lambda path, query: None
    answers: list[httpx.Response | Exception | None] = field(default_factory=list)
    repeats: bool = False
    requests: list[tuple[str, Json]] = field(default_factory=list)
    refreshed: list[str] = field(default_factory=list)
    slept: list[float] = field(default_factory=list)
    clock: float = T0 + 100 * 86_400

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock, UTC)

    def monotonic(self) -> float:
        return self.clock

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock += seconds

    def handle(self, request: httpx.Request) -> httpx.Response:
        """Answer as Etsy does."""
        assert request.headers["x-api-key"] == KEY
        if request.url.path == "/v3/public/oauth/token":
            return self._token(parse_qs(request.content.decode()))
        query = dict(request.url.params)
        path = request.url.path.removeprefix("/v3/application/").removeprefix(f"shops/{SHOP}")
        self.requests.append((path, query))
        if self.answers and (answer := self.answers.pop(0)) is not None:
            if isinstance(answer, Exception):
                raise answer
            return answer
        if request.headers["authorization"].removeprefix("Bearer ") not in self.access:
            return httpx.Response(401, json={"error": "invalid_token"})
        if path == "":
            return httpx.Response(200, json={"created_timestamp": self.founded})
        if path == "scopes":
            return httpx.Response(200, json={"scopes": sorted(self.scopes)})
        scope = "listings_r" if path == "/listings" else "transactions_r"
        if scope not in self.scopes:
            return httpx.Response(403, json={"error": f"insufficient_scope: {scope}"})
        self.before(path, query)
        found = getattr(self, f"_{path.rpartition('/')[2].replace('-', '_')}")(path, query)
        limit, offset = int(query.get("limit", 25)), int(query.get("offset", 0))
        assert limit <= 100
        page = found[offset : offset + limit]
        body = msgspec.json.encode({"count": len(found), "results": [*page, *page[: int(self.repeats)]]})
        return httpx.Response(200, content=body, headers={"x-limit-per-second": "10", "x-remaining-today": "9000"})

    def _token(self, form: dict[str, list[str]]) -> httpx.Response:
        assert form["grant_type"] == ["refresh_token"]
        assert form["client_id"] == ["key"]
        token = form["refresh_token"][0]
        self.refreshed.append(token)
        if token not in self.valid:
            return httpx.Response(400, json={"error": "invalid_grant", "error_description": "used"})
        number = len(self.refreshed)
        self.valid = {token, f"r{number}"}
        self.access = {f"a{number}"}
        body = {"access_token": f"a{number}", "refresh_token": f"r{number}", "expires_in": self.lifetime}
        return httpx.Response(200, json=body)

    def _receipts(self, path: str, query: Json) -> list[Json]:
        wanted = query.get("was_canceled") == "true"
        rows = [row for row in self.receipts if (row["receipt_id"] in self.cancelled) == wanted]
        for name, column in (("created", "created_timestamp"), ("last_modified", "updated_timestamp")):
            low, high = int(query.get(f"min_{name}", 0)), int(query.get(f"max_{name}", 2**40))
            rows = [row for row in rows if low <= row[column] <= high]
        column = {"created": "created_timestamp", "updated": "updated_timestamp"}[query["sort_on"]]
        assert query["sort_order"] == "asc"
        return sorted(rows, key=lambda row: (row[column], row["receipt_id"]))

    def _ledger_entries(self, path: str, query: Json) -> list[Json]:
        low, high = int(query["min_created"]), int(query["max_created"])
        assert 0 <= high - low <= 2_678_400
        rows = [row for row in self.entries if low <= row["created_timestamp"] <= high]
        return sorted(rows, key=lambda row: -row["entry_id"])

    def _payments(self, path: str, query: Json) -> list[Json]:
        if "ledger_entry_ids" in query:
            numbers = [self.of_entry[int(text)] for text in query["ledger_entry_ids"].split(",")]
        else:
            numbers = [int(text) for text in query["payment_ids"].split(",")]
        assert len(numbers) <= 100
        query["limit"] = "100"
        return [self.payments[number] for number in numbers]

    def _listings(self, path: str, query: Json) -> list[Json]:
        assert query["includes"] == "Inventory,Images"
        return self.listings.get(query["state"], [])


def day(number: float) -> int:
    """Epoch seconds of a day of the shop."""
    return T0 + int(timedelta(days=number).total_seconds())


def connector(etsy: FakeEtsy, /, **changes: Any) -> EtsyConnector:
    """A connector to the shop; keyword arguments as EtsyConnector's."""
    options: dict[str, Any] = {
        "keystring": "key",
        "shared_secret": "secret",
        "refresh_token": "r0",
        "shop_id": SHOP,
        "store": Memory(),
        "transport": httpx.MockTransport(etsy.handle),
        "sleep": etsy.sleep,
        "monotonic": etsy.monotonic,
        "now": etsy.now,
    }
    return EtsyConnector(**{**options, **changes})


def read(each: EtsyConnector, name: str, cursor: Any = None, window: Window | None = None) -> list[RawBatch]:
    """Everything that one sync of an entity reads; each batch is as a connector's must be."""
    batches = list(each.batches(ENTITIES[name], cursor, window or Window()))
    for batch in batches:
        assert batch.records
        assert len(batch.records) == len(batch.origins)
        assert all(
            origin.startswith(f"https://openapi.etsy.com/v3/application/shops/{SHOP}/") for origin in batch.origins
        )
        assert json.loads(json.dumps(batch.cursor)) == batch.cursor
    return batches


def ids(batches: list[RawBatch]) -> list[int]:
    """What the records are called, in order."""
    return [next(iter(json.loads(record).values())) for batch in batches for record in batch.records]
