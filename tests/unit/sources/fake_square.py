"""A Square account in memory: pages, cursors, filters, and whatever goes wrong on demand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

import httpx

Json = dict[str, Any]

TOKEN = "EAAA-unit-test"
START = datetime(2026, 11, 1, 12, tzinfo=UTC)


def stamp(minute: int) -> str:
    """A time some minutes into October 2026."""
    return f"2026-10-{1 + minute // 1440:02d}T{minute // 60 % 24:02d}:{minute % 60:02d}:00.000Z"


class FakeSquare:
    """Answers like Square; small pages, so that there are many.

    Args:
        page_size: records a page, whatever limit is asked for.
    """

    def __init__(self, page_size: int = 3) -> None:
        self.page_size = page_size
        self.records: dict[str, list[Json]] = {"locations": [{"id": "L01"}]}
        self.entries: dict[str, list[Json]] = {}
        self.requests: list[tuple[str, Json]] = []
        self.refuse: Callable[[str, Json], httpx.Response | None] = lambda path, asked: None
        self.scopes: list[str] | None = None
        self.slept: list[float] = []
        #: Cursors given out before this one are no longer known.
        self.generation = 1

    def now(self) -> datetime:
        return START

    def handle(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        asked: Json = json.loads(request.content) if request.content else {}
        asked |= {name: values[0] for name, values in parse_qs(request.url.query.decode()).items()}
        self.requests.append((path, asked))
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return error(401, "UNAUTHORIZED")
        refused = self.refuse(path, asked)
        if refused is not None:
            return refused
        if path == "/oauth2/token/status":
            return httpx.Response(200, json={} if self.scopes is None else {"scopes": self.scopes})
        return self._listing(path, asked)

    def _listing(self, path: str, asked: Json) -> httpx.Response:
        name = {
            "/v2/orders/search": "orders",
            "/v2/catalog/search": "objects",
            "/v2/customers/search": "customers",
            "/v2/inventory/counts/batch-retrieve": "counts",
        }.get(path, path.rsplit("/", 1)[1].replace("-", "_"))
        found = self.records.get(name, [])
        if name == "payout_entries":
            found = self.entries.get(path.split("/")[3], [])
        locations = asked.get("location_ids") or ([asked["location_id"]] if "location_id" in asked else None)
        if locations is not None:
            found = [record for record in found if record.get("location_id", "L01") in locations]
        if name == "orders":
            since = asked["query"]["filter"]["date_time_filter"]["updated_at"]["start_at"]
            found = [record for record in found if record["updated_at"] >= since]
        elif name in ("payments", "refunds"):
            found = [record for record in found if record["updated_at"] >= asked["updated_at_begin_time"]]
        elif name == "payouts":
            found = [record for record in found if record["created_at"] >= asked["begin_time"]]
        elif name == "objects":
            found = [record for record in found if record["updated_at"] > asked["begin_time"]]
        query = json.dumps({key: value for key, value in asked.items() if key != "cursor"}, sort_keys=True)
        start = 0
        if "cursor" in asked:
            generation, start, owner = json.loads(asked["cursor"])
            if generation != self.generation or owner != query:
                return error(400, "INVALID_CURSOR", field="cursor")
        answer: Json = {}
        if chosen := found[start : start + self.page_size]:
            answer[name] = chosen
        if start + self.page_size < len(found):
            answer["cursor"] = json.dumps([self.generation, start + self.page_size, query])
        return httpx.Response(200, json=answer)


def error(status: int, code: str, *, field: str | None = None) -> httpx.Response:
    """An error as Square words it; its detail quotes a value, which must not get anywhere."""
    body: Json = {"category": "INVALID_REQUEST_ERROR", "code": code, "detail": "Jane Doe is not valid."}
    return httpx.Response(status, json={"errors": [body if field is None else {**body, "field": field}]})
