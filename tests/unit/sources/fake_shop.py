"""A shop in memory that answers the connector's documents, for unit tests that need no contracts and no sandbox.

It keeps to what Shopify does where the connector depends on it: filters and sorting by change time, page cursors that
name a place in the sort, sizes of inner lists, costs and throttling, bulk files. It serialises with odd white space,
so that a re-serialised record is noticed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import httpx
from graphql import DocumentNode, FieldNode, InlineFragmentNode, IntValueNode, OperationDefinitionNode, parse

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.sources.shopify import ENTITIES, ShopifyConnector
from retreasure_assets.sources.shopify.connector import SCOPES

TOKEN = "shpat_test"
T0 = datetime(2026, 1, 1, tzinfo=UTC)

Node = dict[str, Any]
Connect = Callable[..., ShopifyConnector]


def stamp(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def dump(value: Any) -> str:
    """JSON as no ordinary serialiser writes it."""
    return json.dumps(value, ensure_ascii=False, separators=(" , ", " :"))


def order(number: int, updated: datetime, lines: int = 1, refunds: int = 0, **more: Any) -> Node:
    return {
        "id": f"gid://shopify/Order/{number}",
        "name": f"#{number}",
        "updatedAt": stamp(updated),
        "email": f"müller{number}@example.com",
        "shippingLines": {"nodes": [{"id": f"gid://shopify/ShippingLine/{number}"}]},
        "lineItems": {"nodes": [{"id": f"gid://shopify/LineItem/{number * 1000 + n}", "n": n} for n in range(lines)]},
        "transactions": [],
        "refunds": [
            {"id": f"r{n}", "refundLineItems": {"nodes": []}, "refundShippingLines": {"nodes": []}}
            for n in range(refunds)
        ],
        "fulfillments": [],
        **more,
    }


@dataclass
class FakeShop:
    """Holds nodes by entity; ``handle`` is an httpx handler."""

    nodes: dict[str, list[Node]] = field(default_factory=dict)
    levels: dict[str, list[Node]] = field(default_factory=dict)
    time: float = 0.0
    slept: list[float] = field(default_factory=list)
    operations: list[str] = field(default_factory=list)
    variables: list[dict[str, Any]] = field(default_factory=list)
    domain: str = "retreasure.myshopify.com"
    scopes: tuple[str, ...] = tuple(SCOPES)
    #: Called before each operation: may change the shop, or answer in its place.
    before: Callable[[str, dict[str, Any]], httpx.Response | None] | None = None
    cost_per_object: float = 1.0
    bucket: float = 2000.0
    maximum: float = 2000.0
    restore_rate: float = 100.0
    has_payments: bool = True
    bulk_errors: list[dict[str, Any]] = field(default_factory=list)
    bulk_statuses: list[str] = field(default_factory=lambda: ["CREATED", "RUNNING", "COMPLETED"])
    bulk_body: bytes | None = None
    bulk_query: str = ""
    #: Downloads break after so many bytes, once each.
    bulk_breaks: list[int] = field(default_factory=list)
    downloads: list[str] = field(default_factory=list)
    sent: dict[str, bytes] = field(default_factory=dict)
    _refilled: float = 0.0

    # the connector's clock
    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds

    def monotonic(self) -> float:
        return self.time

    def now(self) -> datetime:
        return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=self.time)

    def handle(self, request: httpx.Request) -> httpx.Response:
        if request.url.host == "files.example":
            return self._download(request)
        if request.headers.get("x-shopify-access-token") != TOKEN:
            return httpx.Response(401, json={"errors": "[API] Invalid API key or access token"})
        sent = json.loads(request.content)
        document = _parsed(sent["query"])
        operation = next(node for node in document.definitions if isinstance(node, OperationDefinitionNode))
        name = operation.name.value if operation.name else ""
        variables = sent.get("variables") or {}
        self.operations.append(name)
        self.variables.append(variables)
        if self.before is not None and (response := self.before(name, variables)) is not None:
            return response
        cost = self.cost_per_object * (variables.get("first") or len(variables.get("ids", [])) or 1)
        if cost > 1000:
            return self._answer(None, cost, [{"message": "Query cost", "extensions": {"code": "MAX_COST_EXCEEDED"}}])
        self.bucket = min(self.maximum, self.bucket + (self.time - self._refilled) * self.restore_rate)
        self._refilled = self.time
        if cost > self.bucket:
            return self._answer(None, cost, [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}])
        self.bucket -= cost
        return self._answer(self._data(name, variables, operation, sent["query"]), cost, None)

    def _answer(self, data: str | None, cost: float, errors: list[dict[str, Any]] | None) -> httpx.Response:
        status = {
            "maximumAvailable": self.maximum,
            "currentlyAvailable": self.bucket,
            "restoreRate": self.restore_rate,
        }
        extensions = {"cost": {"requestedQueryCost": cost, "actualQueryCost": None, "throttleStatus": status}}
        parts = [f'"errors": {json.dumps(errors)}'] if errors else []
        if data is not None:
            parts.append(f'"data" : {data}')
        return httpx.Response(200, content=f'{{{",".join(parts)} ,\n"extensions":{json.dumps(extensions)}}}'.encode())

    def _data(self, name: str, variables: dict[str, Any], operation: OperationDefinitionNode, document: str) -> str:
        if name == "Shop":
            scopes = ",".join(f'{{"handle":"{scope}"}}' for scope in self.scopes)
            shop = f'{{"name":"ReTreasure","myshopifyDomain":"{self.domain}"}}'
            return f'{{"shop":{shop},"currentAppInstallation":{{"accessScopes":[{scopes}]}}}}'
        if name in ("Orders", "Products", "Customers", "Locations", "LocationIds"):
            key = "locations" if name == "LocationIds" else name.lower()
            return f'{{"{key}":{self._connection(key, variables, document)}}}'
        if name in ("Payouts", "BalanceTransactions"):
            key = "payouts" if name == "Payouts" else "balanceTransactions"
            if not self.has_payments:
                return '{"shopifyPaymentsAccount":null}'
            return f'{{"shopifyPaymentsAccount":{{"{key}":{self._connection(key, variables, document)}}}}}'
        if name == "InventoryLevels":
            location = variables["location"]
            if location not in self.levels:
                return '{"location":null}'
            self.nodes["levels"] = self.levels[location]
            return f'{{"location":{{"inventoryLevels":{self._connection("levels", variables, document)}}}}}'
        if name in ("OrdersById", "ProductsById"):
            found = [self._find(node_id) for node_id in variables["ids"]]
            return f'{{"nodes":[{", ".join("null" if n is None else self._emit(n, document) for n in found)}]}}'
        if name == "Continuation":
            return f'{{"nodes":[{self._continue(variables, operation)}]}}'
        if name in ("OrdersHistory", "ProductsHistory"):
            key = name.removesuffix("History").lower()
            chosen = self._matching(key, variables["query"])
            newest = json.dumps([{"updatedAt": node["updatedAt"]} for node in chosen[-1:]])
            count = min(len(chosen), variables["limit"])
            return f'{{"{key}Count":{{"count":{count}}},"{key}":{{"nodes":{newest}}}}}'
        if name == "BulkRun":
            self.bulk_query = variables["query"]
            made = None if self.bulk_errors else {"id": "gid://shopify/BulkOperation/1", "status": "CREATED"}
            return json.dumps({"bulkOperationRunQuery": {"bulkOperation": made, "userErrors": self.bulk_errors}})
        if name == "BulkStatus":
            status = self.bulk_statuses.pop(0) if len(self.bulk_statuses) > 1 else self.bulk_statuses[0]
            return json.dumps({"bulkOperation": self._bulk_status(status)})
        if name == "BulkCancel":
            return '{"bulkOperationCancel":{"userErrors":[]}}'
        raise AssertionError(f"the fake shop does not know {name}")

    # pages

    def _matching(self, key: str, query: str | None) -> list[Node]:
        time_key = {"payouts": "issuedAt", "balanceTransactions": "transactionDate"}.get(key, "updatedAt")
        filters = re.findall(r"\w+:(>=|<)'([^']+)'", query or "")
        for term in (query or "").split(" AND "):
            assert term == "" or re.fullmatch(r"\w+:(>=|<)'[^']+'", term), term

        def fits(node: Node) -> bool:
            return all(node[time_key] >= at if sign == ">=" else node[time_key] < at for sign, at in filters)

        chosen = [node for node in self.nodes.get(key, []) if fits(node)]
        unsorted = key in ("levels", "locations")
        return sorted(chosen, key=lambda n: n["id"] if unsorted else (n[time_key], n["id"]))

    def _connection(self, key: str, variables: dict[str, Any], document: str) -> str:
        time_key = {"payouts": "issuedAt", "balanceTransactions": "transactionDate"}.get(key, "updatedAt")

        def place(node: Node) -> str:
            return node["id"] if key in ("levels", "locations") else f"{node[time_key]}|{node['id']}"

        chosen = [n for n in self._matching(key, variables.get("query")) if place(n) > (variables.get("after") or "")]
        page = chosen[: variables["first"]]
        more = len(chosen) > len(page)
        info = {"hasNextPage": more, "endCursor": place(page[-1]) if page else None}
        nodes = " ,\n ".join(self._emit(node, document) for node in page)
        return f'{{"nodes" : [ {nodes} ], "pageInfo":{json.dumps(info)}}}'

    def _emit(self, node: Node, document: str) -> str:
        """A node as the document's sizes show it; kept, so that tests compare bytes."""
        nested = "lineItems" in node or "variants" in node
        text = dump(_cut(node, _sizes(document)) if nested else node)
        self.sent[node["id"]] = text.encode()
        return text

    def _find(self, node_id: str) -> Node | None:
        return next((n for key in ("orders", "products") for n in self.nodes.get(key, []) if n["id"] == node_id), None)

    def _continue(self, variables: dict[str, Any], operation: OperationDefinitionNode) -> str:
        node = self._find(variables["id"])
        if node is None:
            return "null"
        fragment = operation.selection_set.selections[0].selection_set.selections[0]  # type: ignore[union-attr]
        connection = fragment.selection_set.selections[-1].name.value  # type: ignore[union-attr]
        start = int(variables["after"]) + 1
        items = node[connection]["nodes"][start : start + variables["first"]]
        end = start + len(items) - 1
        info = {"hasNextPage": end + 1 < len(node[connection]["nodes"]), "endCursor": str(end)}
        return dump({"id": node["id"], "updatedAt": node["updatedAt"], connection: {"nodes": items, "pageInfo": info}})

    # bulk

    def _bulk_status(self, status: str) -> dict[str, Any]:
        done = status == "COMPLETED"
        body = self.bulk_file() if done else b""
        return {
            "id": "gid://shopify/BulkOperation/1",
            "status": status,
            "errorCode": "TIMEOUT" if status == "FAILED" else None,
            "objectCount": "3",
            "fileSize": str(len(body)) if done else None,
            "url": "https://files.example/bulk.jsonl?signature=secret" if done and body else None,
        }

    def bulk_file(self) -> bytes:
        if self.bulk_body is not None:
            return self.bulk_body
        match = re.match(r'\{ (\w+)\(query: "([^"]*)"\)', self.bulk_query)
        assert match, self.bulk_query
        lines: list[str] = []
        for node in self._matching(match[1], match[2]):
            lines += bulk_lines(node)
        return "".join(line + "\n" for line in lines).encode()

    def _download(self, request: httpx.Request) -> httpx.Response:
        assert "x-shopify-access-token" not in request.headers
        body = self.bulk_file()
        header = request.headers.get("range", "")
        self.downloads.append(header)
        start = int(header.removeprefix("bytes=").removesuffix("-")) if header else 0
        if start and start >= len(body):
            return httpx.Response(416)
        rest = body[start:]
        if self.bulk_breaks:
            cut = self.bulk_breaks.pop(0)

            def broken() -> Iterator[bytes]:
                yield rest[:cut]
                raise httpx.RemoteProtocolError("peer closed connection")

            return httpx.Response(206 if start else 200, content=broken())
        return httpx.Response(206 if start else 200, content=(rest[i : i + 7] for i in range(0, len(rest), 7)))


CHILDREN = {"lineItems": "LineItem", "shippingLines": "ShippingLine", "variants": "ProductVariant", "media": "Video"}


def bulk_lines(node: Node) -> list[str]:
    parent = {key: value for key, value in node.items() if key not in CHILDREN}
    if "refunds" in parent:
        parent["refunds"] = [{"id": refund["id"]} for refund in parent["refunds"]]
    lines = [dump(parent)]
    for key, kind in CHILDREN.items():
        for child in node.get(key, {"nodes": []})["nodes"]:
            lines.append(dump({"__typename": kind, **child, "__parentId": node["id"]}))
    return lines


@lru_cache
def _parsed(document: str) -> DocumentNode:
    return parse(document)


@lru_cache
def _sizes(document: str) -> dict[str, int]:
    """Sizes of lists by field name."""
    sizes: dict[str, int] = {}

    def walk(node: Any) -> None:
        selection = getattr(node, "selection_set", None)
        if isinstance(node, FieldNode):
            for argument in node.arguments:
                if argument.name.value == "first" and isinstance(argument.value, IntValueNode):
                    sizes[node.name.value] = int(argument.value.value)
        for child in selection.selections if selection else ():
            if isinstance(child, FieldNode | InlineFragmentNode):
                walk(child)

    for definition in _parsed(document).definitions:
        walk(definition)
    return sizes


def _cut(node: Any, sizes: dict[str, int]) -> Any:
    if isinstance(node, list):
        return [_cut(element, sizes) for element in node]
    if not isinstance(node, dict):
        return node
    out: Node = {}
    for key, value in node.items():
        value = _cut(value, sizes)
        size = sizes.get(key)
        if size is not None and isinstance(value, dict) and "nodes" in value:
            shown = value["nodes"][:size]
            value = {**value, "nodes": shown}
            if key in ("lineItems", "variants"):
                more = len(node[key]["nodes"]) > size
                value["pageInfo"] = {"hasNextPage": more, "endCursor": str(len(shown) - 1) if shown else None}
        elif size is not None and isinstance(value, list):
            value = value[:size]
        out[key] = value
    return out


def connector(shop: FakeShop, /, **changes: Any) -> ShopifyConnector:
    """A connector to the shop; keyword arguments as ShopifyConnector's."""
    options: dict[str, Any] = {
        "token": TOKEN,
        "shop": "retreasure",
        "transport": httpx.MockTransport(shop.handle),
        "sleep": shop.sleep,
        "monotonic": shop.monotonic,
        "now": shop.now,
    }
    return ShopifyConnector(**{**options, **changes})


def ids(batches: list[RawBatch]) -> list[str]:
    """What the records are called, in order."""
    return [json.loads(payload)["id"] for batch in batches for payload in (batch.payloads or batch.records)]


def read(each: ShopifyConnector, name: str, cursor: Any = None, window: Window | None = None) -> list[RawBatch]:
    """Everything that one sync of an entity reads; each batch is as a connector's must be."""
    batches = list(each.batches(ENTITIES[name], cursor, window or Window()))
    for batch in batches:
        assert batch.records
        assert len(batch.records) == len(batch.origins)
        assert all(origin.startswith("https://retreasure.myshopify.com/") for origin in batch.origins)
        assert json.loads(json.dumps(batch.cursor)) == batch.cursor
    return batches


def store(durable: dict[str, str], batch: RawBatch) -> None:
    """Keep each record's newest change time, as bronze and silver would keep the record."""
    for record in batch.records:
        node = json.loads(record)
        durable[node["id"]] = max(durable.get(node["id"], ""), node["updatedAt"])
