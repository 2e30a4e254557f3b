"""Orders of four channels, as many as wanted, out of memory: a server that is never what a reader waits for.

What belongs here: pages of records that were made beforehand, and as much of each API as reading orders takes. What
does not: refusing anything; the sandbox does, and what is read here was read there first.

The records are the sandbox's own, each many times with another id, time and buyer.
"""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
import uvicorn
from graphql import FragmentDefinitionNode, get_operation_ast, parse
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retreasure_assets.entities import Window
from retreasure_assets.sandbox.server import environment, listen, running_sandbox
from retreasure_assets.sandbox.shopify_cost import MAX_QUERY_COST, PLANS, Bucket, CostReader, requested_cost
from retreasure_assets.sandbox.shopify_engine import build_admin_schema
from retreasure_assets.sandbox.shopify_json import encode
from retreasure_assets.sandbox.world import WorldSpec, generate_world
from retreasure_assets.settings import Settings
from retreasure_assets.sources.registry import configured_connectors
from retreasure_assets.sources.shopify import documents

Json = dict[str, Any]

#: What each channel calls its orders.
NAMES: Mapping[str, str] = {"shopify": "orders", "etsy": "receipts", "ebay": "orders", "square": "orders"}
#: Buyers come back: orders of one.
_ORDERS_A_BUYER = 1.4
_STEP = timedelta(minutes=1)
_PERIOD = re.compile(r"lastmodifieddate:\[([^.\]]+\.\d+Z)\.\.([^\]]*)\]")


@dataclass(frozen=True, slots=True)
class Shelf:
    """One channel's orders, oldest first: their bytes, ids and times (ISO text, epoch seconds for Etsy)."""

    texts: list[bytes]
    ids: list[str]
    times: list[Any]

    def place(self) -> dict[str, int]:
        """Where each id is."""
        return {id_: place for place, id_ in enumerate(self.ids)}


def templates(days: int = 20, scale: float = 1.0) -> dict[str, list[Json]]:
    """Orders as the connectors read them from the sandbox."""
    found = {}
    with (
        tempfile.TemporaryDirectory(prefix="retreasure-bench-") as home,
        running_sandbox(generate_world(WorldSpec(days=days, scale=scale))) as url,
    ):
        connectors = configured_connectors(Settings(**{**_settings(url), "home": Path(home)}))
        for source, name in NAMES.items():
            with closing(connectors[source]) as connector:
                batches = connector.batches(connector.entities[name], None, Window())
                nodes = [node for batch in batches for node in batch.payloads or batch.records]
            found[source] = [msgspec.json.decode(node) for node in nodes if node]
    return found


def _settings(url: str) -> dict[str, Any]:
    return {name.removeprefix("RETREASURE_").lower(): value for name, value in environment(url).items()}


def _changed(source: str, template: Json, number: int, at: datetime) -> tuple[Json, str, Any]:
    """The template as another order: it, its id and its time."""
    buyer = int(number / _ORDERS_A_BUYER)
    email = f"buyer{buyer}@example.com"
    iso = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    if source == "shopify":
        id_, time = f"gid://shopify/Order/{7_000_000 + number}", at.strftime("%Y-%m-%dT%H:%M:%SZ")
        found = {**template, "id": id_, "legacyResourceId": str(7_000_000 + number), "updatedAt": time, "email": email}
        if template.get("customer"):
            found["customer"] = {**template["customer"], "id": f"gid://shopify/Customer/{buyer}"}
        return found, id_, time
    if source == "etsy":
        seconds = int(at.timestamp())
        stamps = dict.fromkeys(("updated_timestamp", "update_timestamp"), seconds)
        return {**template, "receipt_id": number, "buyer_user_id": buyer, "buyer_email": email, **stamps}, "", seconds
    if source == "square":
        id_ = f"ORDER{number:015d}"
        return {**template, "id": id_, "updated_at": iso, "customer_id": f"CUSTOMER{buyer}"}, id_, iso
    id_ = f"12-{number:05d}-{number % 99_999:05d}"
    person = {**template["buyer"], "username": f"buyer-{buyer}"}
    if "buyerRegistrationAddress" in person:
        person["buyerRegistrationAddress"] = {**person["buyerRegistrationAddress"], "email": email}
    return {**template, "orderId": id_, "lastModifiedDate": iso, "buyer": person}, id_, iso


def shelf(source: str, given: Sequence[Json], count: int) -> Shelf:
    """As many orders as wanted, a minute apart, the last one a day ago."""
    start = datetime.now(UTC) - timedelta(days=1) - count * _STEP
    made = [_changed(source, given[n % len(given)], n, start + n * _STEP) for n in range(count)]
    encode = msgspec.json.Encoder().encode
    return Shelf([encode(node) for node, _, _ in made], [id_ for _, id_, _ in made], [time for _, _, time in made])


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _list(name: str, texts: Sequence[bytes], more: Json) -> Response:
    return _json(b'{"%s":[%s],%s' % (name.encode(), b",".join(texts), msgspec.json.encode(more)[1:]))


class Ebay:
    """getOrders and getOrder."""

    def __init__(self, orders: Shelf) -> None:
        self._orders, self._places = orders, orders.place()

    async def search(self, request: Request) -> Response:
        """A page of a period."""
        asked = request.query_params
        period = _PERIOD.match(asked["filter"])
        assert period is not None
        times = self._orders.times
        low, high = bisect_left(times, period[1]), bisect_right(times, period[2]) if period[2] else len(times)
        start = low + int(asked["offset"])
        return _list(
            "orders", self._orders.texts[start : min(start + int(asked["limit"]), high)], {"total": high - low}
        )

    async def one(self, request: Request) -> Response:
        """An order with its cancellations."""
        return _json(self._orders.texts[self._places[request.path_params["id"]]])

    async def token(self, _request: Request) -> Response:
        """Any."""
        return _json(b'{"access_token":"a","expires_in":7200,"refresh_token":"r"}')


class Etsy:
    """The shop's receipts, none of them cancelled."""

    def __init__(self, orders: Shelf) -> None:
        self._orders = orders

    async def search(self, request: Request) -> Response:
        """A page from a time on."""
        asked = request.query_params
        texts, start = self._orders.texts, len(self._orders.texts)
        if "was_canceled" not in asked:
            start = bisect_left(self._orders.times, int(asked["min_last_modified"])) + int(asked["offset"])
        return _list("results", texts[start : start + int(asked["limit"])], {"count": len(texts)})


class Square:
    """One location's orders."""

    def __init__(self, orders: Shelf) -> None:
        self._orders = orders

    async def locations(self, _request: Request) -> Response:
        """One."""
        return _json(b'{"locations":[{"id":"L1"}]}')

    async def search(self, request: Request) -> Response:
        """A page; its cursor is where the next one begins."""
        asked = msgspec.json.decode(await request.body())
        start = int(asked.get("cursor", 0))
        end = start + asked["limit"]
        more: dict[str, str | None] = {"cursor": str(end)} if end < len(self._orders.texts) else {"errors": None}
        return _list("orders", self._orders.texts[start:end], more)


class Shopify:
    """Orders by pages, by id and in bulk."""

    def __init__(self, orders: Shelf, base_url: str) -> None:
        self._orders, self._places = orders, orders.place()
        self._file = b"".join(map(_bulk_lines, orders.texts))
        self._url = f"{base_url}/bulk.jsonl"
        self._schema = build_admin_schema()
        self._charged = lru_cache(self._charge)

    def _charge(self, text: str, first: int) -> bytes:
        """What the sandbox says of a query's cost, with a bucket that is never empty."""
        document = parse(text)
        fragments = {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}
        operation, root = get_operation_ast(document), self._schema.query_type
        assert operation is not None
        assert root is not None
        trees = CostReader(self._schema, fragments, {"first": first}).read(operation.selection_set, root)
        cost = requested_cost(trees)
        if cost > MAX_QUERY_COST:
            raise ValueError(f"{first} orders cost {cost} points, more than Shopify allows for a query")
        bucket = Bucket(*PLANS["enterprise"]).status()
        return msgspec.json.encode({"cost": {"requestedQueryCost": cost, "throttleStatus": bucket}})

    async def ask(self, request: Request) -> Response:
        """Whatever the connector's documents ask."""
        asked = msgspec.json.decode(await request.body())
        document, given = asked["query"], asked["variables"]
        if "ordersCount" in document:
            newest = {"nodes": [{"updatedAt": self._orders.times[-1]}]}
            data: Any = {"ordersCount": {"count": len(self._orders.texts), "precision": "EXACT"}, "orders": newest}
        elif "bulkOperationRunQuery" in document:
            operation = {"id": "gid://shopify/BulkOperation/1", "status": "CREATED"}
            data = {"bulkOperationRunQuery": {"bulkOperation": operation, "userErrors": []}}
        elif "bulkOperation(" in document:
            operation = {"id": given["id"], "status": "COMPLETED", "fileSize": str(len(self._file)), "url": self._url}
            data = {"bulkOperation": operation}
        elif "ids" in given:
            texts = [self._orders.texts[self._places[id_]] for id_ in given["ids"]]
            found = b'{"nodes":[%s]}' % b",".join(texts)
            return _json(b'{"data":%s,"extensions":%s}' % (found, self._charged(document, len(texts))))
        else:
            since = re.search(r">='([^']+)'", given["query"])
            start = int(given["after"] or (bisect_left(self._orders.times, since[1]) if since else 0))
            end = start + given["first"]
            info = {"hasNextPage": end < len(self._orders.texts), "endCursor": str(end)}
            texts = self._orders.texts[start:end]
            found = b'{"orders":{"nodes":[%s],"pageInfo":%s}}' % (b",".join(texts), msgspec.json.encode(info))
            return _json(b'{"data":%s,"extensions":%s}' % (found, self._charged(document, given["first"])))
        return _json(msgspec.json.encode({"data": data}))

    async def file(self, _request: Request) -> Response:
        """The bulk file; lines of what the operation's end leaves out come twice, as the next sync's overlap does."""
        return Response(self._file, media_type="application/jsonl")


def _bulk_lines(text: bytes) -> bytes:
    """An order as a bulk file has it: a line for it, and one for each element of its connections."""
    node = msgspec.json.decode(text)
    kinds = {connection: kind for kind, connection in documents.BULK_CONNECTIONS.items()}
    children = [
        {"__typename": kinds[key], **element, "__parentId": node["id"]}
        for key in kinds
        if isinstance(node.get(key), dict)
        for element in node[key]["nodes"]
    ]
    own = {key: value for key, value in node.items() if key not in kinds}
    return b"".join(encode(line, escape_slashes=True) + b"\n" for line in (own, *children))


def app(shelves: Mapping[str, Shelf], base_url: str) -> Starlette:
    """The server's application."""
    ebay, etsy, square = Ebay(shelves["ebay"]), Etsy(shelves["etsy"]), Square(shelves["square"])
    shopify = Shopify(shelves["shopify"], base_url)
    gets: Mapping[str, Callable[..., Any]] = {
        "/sell/fulfillment/v1/order": ebay.search,
        "/sell/fulfillment/v1/order/{id}": ebay.one,
        "/v3/application/shops/{shop}/receipts": etsy.search,
        "/v2/locations": square.locations,
        "/bulk.jsonl": shopify.file,
    }
    posts: Mapping[str, Callable[..., Any]] = {
        "/identity/v1/oauth2/token": ebay.token,
        "/v3/public/oauth/token": ebay.token,
        "/v2/orders/search": square.search,
        "/admin/api/{version}/graphql.json": shopify.ask,
    }
    return Starlette(
        routes=[
            *(Route(path, answer, methods=["GET"]) for path, answer in gets.items()),
            *(Route(path, answer, methods=["POST"]) for path, answer in posts.items()),
        ]
    )


def main() -> None:
    """Serve until terminated; the first line printed is the address."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--orders", type=int, required=True, help="of each channel")
    count: int = parser.parse_args().orders
    shelves = {source: shelf(source, given, count) for source, given in templates().items()}
    with listen(0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        served = app(shelves, url)
        sys.stdout.write(f"{url}\n")
        sys.stdout.flush()
        config = uvicorn.Config(served, log_level="warning", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
