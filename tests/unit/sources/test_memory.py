"""However many pages a source has, its connector holds a few of them at a time."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from retreasure_assets.entities import Connector, Window
from retreasure_assets.sources.ebay import EbayConnector
from retreasure_assets.sources.etsy import EtsyConnector
from retreasure_assets.sources.shopify import ShopifyConnector
from retreasure_assets.sources.square import SquareConnector
from tests.unit.sources.fake_etsy import Memory

NOW = datetime(2026, 6, 1, tzinfo=UTC)
FIRST = NOW - timedelta(days=5)
#: Of a record, and records of a page.
SIZE, PAGE = 2_000, 100

Json = dict[str, Any]
Answer = Callable[[httpx.Request, int], Json]


def made(start: int, total: int, key: str, of: Callable[[int], Json]) -> list[Json]:
    return [{key: f"{n}", "note": "x" * SIZE, **of(n)} for n in range(start, min(start + PAGE, total))]


def text(number: int) -> str:
    return (FIRST + timedelta(seconds=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def shopify(request: httpx.Request, total: int) -> Json:
    start = int(json.loads(request.content)["variables"]["after"] or 0)
    nodes = made(start, total, "id", lambda n: {"updatedAt": text(n)})
    more = {"hasNextPage": start + PAGE < total, "endCursor": str(start + PAGE)}
    return {"data": {"customers": {"nodes": nodes, "pageInfo": more}}}


def ebay(request: httpx.Request, total: int) -> Json:
    if "oauth2" in request.url.path:
        return {"access_token": "a"}
    low, high = request.url.params["filter"].partition(":[")[2].rstrip("]").split("..")
    inside = bool(high) and low <= text(0) <= high
    start = int(request.url.params["offset"])
    # Two of these pages are one of eBay's.
    orders = [one for begin in (start, start + PAGE) for one in made(begin, total, "orderId", _changed)]
    return {"total": total, "orders": orders} if inside else {"total": 0, "orders": []}


def _changed(number: int) -> Json:
    return {"lastModifiedDate": text(number)}


def etsy(request: httpx.Request, total: int) -> Json:
    if "oauth" in request.url.path:
        return {"access_token": "a", "refresh_token": "r"}
    asked = request.url.params
    if "was_canceled" in asked:
        return {"count": 0, "results": []}
    begun = int(FIRST.timestamp())
    start = max(0, int(asked["min_last_modified"]) - begun) + int(asked["offset"])
    results = made(start, total, "receipt", lambda n: {"receipt_id": n, "updated_timestamp": begun + n})
    return {"count": total, "results": results}


def square(request: httpx.Request, total: int) -> Json:
    if request.url.path == "/v2/locations":
        return {"locations": [{"id": "L1"}]}
    start = int(json.loads(request.content).get("cursor", 0))
    more = {"cursor": str(start + PAGE)} if start + PAGE < total else {}
    return {"orders": made(start, total, "id", lambda n: {"updated_at": text(n)}), **more}


SOURCES: Mapping[str, tuple[Answer, str, Callable[[Json], Connector]]] = {
    "shopify": (shopify, "customers", lambda given: ShopifyConnector(token="t", shop="s", **given)),
    "ebay": (
        ebay,
        "orders",
        lambda given: EbayConnector(
            client_id="i", client_secret="s", refresh_token="r", marketplace="EBAY_IE", **given
        ),
    ),
    "etsy": (
        etsy,
        "receipts",
        lambda given: EtsyConnector(
            keystring="k", shared_secret="s", refresh_token="r", shop_id=1, store=Memory(), **given
        ),
    ),
    "square": (square, "orders", lambda given: SquareConnector(token="t", **given)),
}


def peak(source: str, pages: int) -> int:
    """The most memory, in bytes, that reading and dropping so many pages takes."""
    answer, entity, build = SOURCES[source]
    total = pages * PAGE
    # As from a network: what was read is nowhere else.
    transport = httpx.MockTransport(
        lambda request: httpx.Response(200, content=iter([json.dumps(answer(request, total)).encode()]))
    )
    connector = build({"transport": transport, "now": lambda: NOW, "history_start": FIRST.date()})
    tracemalloc.start()
    try:
        batches = connector.batches(connector.entities[entity], None, Window())
        assert sum(len(batch.records) for batch in batches) >= total
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
        connector.close()


@pytest.mark.parametrize("source", SOURCES)
def test_memory_does_not_grow_with_the_pages(source: str) -> None:
    peak(source, 2)  # What is loaded and remembered once is no part of it.
    few, many = peak(source, 4), peak(source, 24)
    assert many - few < 3 * PAGE * SIZE, (few, many)
