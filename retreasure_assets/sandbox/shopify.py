"""Shopify over HTTP: ``POST /admin/api/2026-10/graphql.json`` and the files of bulk operations.

What belongs here: addresses, headers, the token. What does not: GraphQL (``shopify_engine``).
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import ClassVar

import msgspec
from starlette.requests import Request as HttpRequest
from starlette.responses import Response
from starlette.routing import Route

from retreasure_assets.sandbox.face import Records, Refusal, Traits
from retreasure_assets.sandbox.shopify_bulk import MAX_AT_ONCE, BulkOperations
from retreasure_assets.sandbox.shopify_connections import PAGINATION_CAP
from retreasure_assets.sandbox.shopify_cost import PLANS, Bucket
from retreasure_assets.sandbox.shopify_engine import THROTTLED, Engine, build_admin_schema
from retreasure_assets.sandbox.shopify_format import Json
from retreasure_assets.sandbox.shopify_json import encode
from retreasure_assets.sandbox.shopify_shop import SHOP_NAME, Shop
from retreasure_assets.sandbox.world import World

API_VERSION = "2026-10"

#: What the sandbox takes for an access token; it opens nothing else.
SHOPIFY_TOKEN = "shpat_sandbox_0000000000000000000000000000"  # noqa: S105 (not a secret: printed by the sandbox)

_RANGE = re.compile(r"^bytes=(\d+)-(\d*)$")


@dataclass(frozen=True, slots=True)
class ShopifyOptions:
    """How strict the platform is.

    Args:
        restore_rate: cost points a second; by default those of Shopify's largest plan, so that a demo is not slowed.
        bucket: points at most.
        bulk_seconds: how long a bulk operation takes.
        bulk_at_once: how many may be under way.
        pagination_cap: objects of one query that can be paged through.
        clock: seconds, monotonic; replaceable in tests.
    """

    restore_rate: float = PLANS["enterprise"][0]
    bucket: float = PLANS["enterprise"][1]
    bulk_seconds: float = 0.4
    bulk_at_once: int = MAX_AT_ONCE
    pagination_cap: int = PAGINATION_CAP
    clock: Callable[[], float] = time.monotonic


def _records(connection: str, enums: tuple[str, ...] = (), total: str | None = None) -> Records:
    """A connection's records."""
    return Records(f"{connection}.nodes", "id", f"{connection}.pageInfo.hasNextPage", enums=enums, total=total)


class ShopifyFace:
    """The routes of one shop.

    Args:
        world: what the shop sells and has sold.
        options: how strict it is.
    """

    paths: ClassVar[Mapping[str, str]] = {"shopify": f"/admin/api/{API_VERSION}/graphql.json"}
    traits: ClassVar[Traits] = Traits(
        records=(
            _records("data.orders", enums=("displayFinancialStatus",), total="totalPriceSet.presentmentMoney.amount"),
            _records("data.products", enums=("status",)),
            _records("data.customers"),
            _records("data.locations"),
            _records("data.location.inventoryLevels"),
            _records("data.shopifyPaymentsAccount.payouts", enums=("status",)),
            _records("data.shopifyPaymentsAccount.balanceTransactions", enums=("type",)),
            # What a page showed in part only is asked for again by id.
            Records("data.nodes", "id"),
        ),
        throttled=Refusal(200, {"errors": [THROTTLED]}),
    )

    def __init__(self, world: World, options: ShopifyOptions | None = None) -> None:
        options = options or ShopifyOptions()
        bucket = Bucket(options.restore_rate, options.bucket, options.clock)
        self._engine = Engine(Shop(world), build_admin_schema(), bucket, options.pagination_cap)
        self._bulk = BulkOperations(
            self._engine, seconds=options.bulk_seconds, at_once=options.bulk_at_once, clock=options.clock
        )
        # Starlette runs these handlers in threads; nodes, costs and operations are shared.
        self._lock = threading.Lock()

    @staticmethod
    def environment(base_url: str) -> Mapping[str, str]:
        """See Face."""
        return {
            "RETREASURE_SHOPIFY_URL": base_url,
            "RETREASURE_SHOPIFY_SHOP": "retreasure",
            "RETREASURE_SHOPIFY_TOKEN": SHOPIFY_TOKEN,
        }

    @property
    def routes(self) -> list[Route]:
        """To be mounted at the server's root."""
        return [
            Route("/admin/api/{version}/graphql.json", self._graphql, methods=["POST"]),
            Route("/bulk/bulk-{number:int}.jsonl", self._file, methods=["GET"]),
        ]

    async def _graphql(self, request: HttpRequest) -> Response:
        if request.headers.get("x-shopify-access-token") != SHOPIFY_TOKEN:
            message = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return _answer({"errors": message}, status=401)
        if request.path_params["version"] != API_VERSION:
            return _answer({"errors": "Not Found"}, status=404)
        body = await request.body()
        if request.headers.get("content-type", "").split(";")[0].strip() == "application/graphql":
            call = _Call(query=body.decode("utf-8", "replace"))
        else:
            try:
                call = msgspec.json.decode(body, type=_Call)
            except (msgspec.DecodeError, UnicodeDecodeError):
                return _answer({"errors": {"query": "Required parameter missing or invalid"}}, status=400)
        with self._lock:
            self._bulk.base_url = str(request.base_url).rstrip("/")
            answer = self._engine.run(call.query, call.variables, call.operation_name)
        return _answer(answer)

    async def _file(self, request: HttpRequest) -> Response:
        """A bulk file, whole or from an offset on; the real one lies on a storage service that needs no token."""
        with self._lock:
            content = self._bulk.file(request.path_params["number"])
        if content is None:
            return Response("<Error><Code>NoSuchKey</Code></Error>", status_code=404, media_type="application/xml")
        headers = {"Accept-Ranges": "bytes"}
        asked = _RANGE.match(request.headers.get("range", ""))
        if asked is None:
            return Response(content, media_type="application/jsonl", headers=headers)
        start, stop = int(asked[1]), int(asked[2]) + 1 if asked[2] else len(content)
        if start >= len(content):
            headers["Content-Range"] = f"bytes */{len(content)}"
            return Response(status_code=416, headers=headers)
        stop = min(stop, len(content))
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{len(content)}"
        return Response(content[start:stop], status_code=206, media_type="application/jsonl", headers=headers)


class _Call(msgspec.Struct, rename={"operation_name": "operationName"}):
    query: str
    variables: Json | None = None
    operation_name: str | None = None


def _answer(payload: Json, status: int = 200) -> Response:
    headers = {"X-Shopify-API-Version": API_VERSION, "X-Shopify-Shop": SHOP_NAME}
    return Response(encode(payload), status_code=status, media_type="application/json", headers=headers)
