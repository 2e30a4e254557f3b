"""Square over HTTP: locations, customers, orders, payments, refunds, catalogue, counts, payouts (``/v2/...``).

What belongs here: addresses, headers, limits, cursors and refusals. What does not: the records (``square_records``).

It refuses what Square refuses: a missing or wrong token, a version that is no date, unknown body fields, more than
ten locations, limits out of range, a sort that does not go with the time filter, a cursor of another query.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import ClassVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retreasure_assets.sandbox.face import Contract, Records, Refusal, Traits
from retreasure_assets.sandbox.square_catalogue import MERCHANT_ID
from retreasure_assets.sandbox.square_format import Json
from retreasure_assets.sandbox.square_pages import between, in_order, page_of, signature_of
from retreasure_assets.sandbox.square_records import SquareRecords
from retreasure_assets.sandbox.square_requests import (
    CustomerQuery,
    CustomerSort,
    OrderQuery,
    OrderSort,
    Range,
    RefusalError,
    SearchCatalog,
    SearchCounts,
    SearchCustomers,
    SearchOrders,
    decoded,
    moment,
    whole,
)
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_square_ids import location_id

API_VERSION = "2025-08-20"

#: What the sandbox takes for an access token; it opens nothing else.
SQUARE_TOKEN = "EAAA-sandbox-square-token"  # noqa: S105 (not a secret: printed by the sandbox)

#: What the sandbox's token may do.
SCOPES = (
    "CUSTOMERS_READ",
    "INVENTORY_READ",
    "ITEMS_READ",
    "MERCHANT_PROFILE_READ",
    "ORDERS_READ",
    "PAYMENTS_READ",
    "PAYOUTS_READ",
)

MAX_LOCATIONS = 10
MAX_ORDERS = 1_000
MAX_LISTED = 100
MAX_COUNTS = 1_000
MAX_OBJECTS = 1_000

_YEAR = timedelta(days=365)
_VERSION = re.compile(r"\d{4}-\d{2}-\d{2}")

_CONTRACT = Contract("square/square_api_2025-08.json", under="/v2")


def _records(name: str, *, enums: tuple[str, ...] = (), total: str | None = None) -> Records:
    """A list as all that Square pages."""
    return Records(name, "id", "cursor", enums=enums, total=total)


class SquareFace:
    """The routes of one Square seller.

    Args:
        world: what passed through the register.
    """

    paths: ClassVar[Mapping[str, str]] = {"square": "/v2"}
    traits: ClassVar[Traits] = Traits(
        records=(
            Records("locations", "id", asked_by=True),
            _records("customers", enums=("creation_source",)),
            _records("orders", enums=("state",), total="total_money.amount"),
            _records("payments", enums=("status",)),
            _records("refunds", enums=("status",)),
            _records("objects", enums=("type",)),
            Records(
                "counts",
                "catalog_object_id",
                "cursor",
                required=("location_id", "state"),
                enums=("catalog_object_type",),
            ),
            Records("payouts", "id", "cursor", enums=("status",), asked_by=True),
            _records("payout_entries", enums=("type",)),
        ),
        contracts=(_CONTRACT, replace(_CONTRACT, under="/oauth2/token/status")),
        invalid=Refusal(400, {"errors": [{"category": "INVALID_REQUEST_ERROR", "code": "BAD_REQUEST"}]}),
    )

    def __init__(self, world: World) -> None:
        self._world = world
        self._records = SquareRecords(world)

    @staticmethod
    def environment(base_url: str) -> Mapping[str, str]:
        """See Face."""
        return {"RETREASURE_SQUARE_URL": base_url, "RETREASURE_SQUARE_TOKEN": SQUARE_TOKEN}

    @property
    def routes(self) -> list[Route]:
        """To be mounted at the server's root."""
        handlers: Sequence[tuple[str, str, Callable[[Request, bytes], Json]]] = (
            ("POST", "/oauth2/token/status", self._token_status),
            ("GET", "/v2/locations", self._locations),
            ("POST", "/v2/customers/search", self._customers),
            ("POST", "/v2/orders/search", self._orders),
            ("GET", "/v2/payments", self._payments),
            ("GET", "/v2/refunds", self._refunds),
            ("POST", "/v2/catalog/search", self._catalog),
            ("POST", "/v2/inventory/counts/batch-retrieve", self._counts),
            ("GET", "/v2/payouts", self._payouts),
            ("GET", "/v2/payouts/{payout_id}/payout-entries", self._entries),
        )
        return [Route(path, _guarded(handler), methods=[method]) for method, path, handler in handlers]

    def _token_status(self, _request: Request, _body: bytes) -> Json:
        return {"scopes": list(SCOPES), "client_id": "sq0idp-sandbox", "merchant_id": MERCHANT_ID}

    def _locations(self, _request: Request, _body: bytes) -> Json:
        return {"locations": self._records.locations}

    def _orders(self, _request: Request, body: bytes) -> Json:
        asked = decoded(body, SearchOrders)
        self._known_locations(asked.location_ids, required=True)
        if not 1 <= asked.limit <= MAX_ORDERS:
            raise RefusalError("VALUE_TOO_HIGH", f"`limit` must be from 1 to {MAX_ORDERS}.", "limit")
        if asked.return_entries:
            raise RefusalError("NOT_IMPLEMENTED", "The sandbox returns whole orders only.", "return_entries", 501)
        query = asked.query or OrderQuery()
        sort = query.sort or OrderSort("CREATED_AT")
        times = query.filter.date_time_filter if query.filter else None
        given = {name: getattr(times, name) for name in ("created_at", "updated_at", "closed_at")} if times else {}
        filtered = {name: part for name, part in given.items() if part is not None}
        if len(filtered) > 1:
            raise RefusalError("BAD_REQUEST", "Only one time range can be filtered by.", "query.filter")
        key = sort.sort_field.lower()
        if filtered and key not in filtered:
            detail = "`sort_field` must match the timestamp of the date-time filter."
            raise RefusalError("BAD_REQUEST", detail, "query.sort.sort_field")
        states = query.filter.state_filter.states if query.filter and query.filter.state_filter else None
        found = [
            order
            for order in self._records.orders
            if order["location_id"] in asked.location_ids and (states is None or order["state"] in states)
        ]
        chosen = between(found, key, filtered.get(key) or Range())
        signature = signature_of("orders", msgspec.structs.replace(asked, cursor=None))
        ordered = in_order(chosen, sort.sort_order == "DESC")
        return page_of("orders", ordered, asked.cursor, asked.limit, signature)

    def _payments(self, request: Request, _body: bytes) -> Json:
        known = {"location_id", "is_offline_payment", "total", "last_4", "card_brand"}
        return self._listing(request, "payments", self._records.payments, known, main_location_only=True)

    def _refunds(self, request: Request, _body: bytes) -> Json:
        return self._listing(request, "refunds", self._records.refunds, {"location_id", "status", "source_type"})

    def _payouts(self, request: Request, _body: bytes) -> Json:
        known = {"location_id", "status"}
        return self._listing(request, "payouts", self._records.payouts, known, main_location_only=True, by_update=False)

    def _listing(
        self,
        request: Request,
        name: str,
        records: list[Json],
        filters: set[str],
        *,
        main_location_only: bool = False,
        by_update: bool = True,
    ) -> Json:
        """A list as payments, refunds and payouts share it: created within a year unless said otherwise."""
        times = {"begin_time", "end_time", *(("updated_at_begin_time", "updated_at_end_time") if by_update else ())}
        known = {*times, *filters, "sort_order", "cursor", "limit", *(("sort_field",) if by_update else ())}
        asked = dict(request.query_params)
        for field in asked:
            if field not in known:
                raise RefusalError("UNKNOWN_QUERY_PARAMETER", "Unknown query parameter.", field)
        order = asked.get("sort_order", "DESC")
        sort = asked.get("sort_field", "CREATED_AT")
        if order not in ("ASC", "DESC") or sort not in ("CREATED_AT", "UPDATED_AT"):
            raise RefusalError("INVALID_ENUM_VALUE", "Not one of the values allowed.", "sort_order")
        clock = self._world.clock
        created = Range(asked.get("begin_time", (clock - _YEAR).isoformat()), asked.get("end_time", clock.isoformat()))
        chosen = [record for _, record in between(records, "created_at", created)]
        updated = Range(asked.get("updated_at_begin_time"), asked.get("updated_at_end_time"))
        chosen = [record for _, record in between(chosen, "updated_at", updated)]
        location = asked.get("location_id", location_id(self._world.seed) if main_location_only else None)
        if location is not None:
            self._known_locations([location])
            chosen = [record for record in chosen if record["location_id"] == location]
        for field in filters & asked.keys() & {"status"}:
            chosen = [record for record in chosen if record[field] == asked[field]]
        # A limit that cannot be is ignored: the contract says so of payments and payouts.
        limit = whole(asked.get("limit"), MAX_LISTED)
        signature = signature_of(name, {key: value for key, value in sorted(asked.items()) if key != "cursor"})
        ordered = in_order(between(chosen, sort.lower(), Range()), order == "DESC")
        return page_of(name, ordered, asked.get("cursor"), min(limit, MAX_LISTED), signature)

    def _entries(self, request: Request, _body: bytes) -> Json:
        asked = dict(request.query_params)
        for field in asked.keys() - {"sort_order", "cursor", "limit"}:
            raise RefusalError("UNKNOWN_QUERY_PARAMETER", "Unknown query parameter.", field)
        payout_id = request.path_params["payout_id"]
        entries = self._records.entries(payout_id)
        if entries is None:
            raise RefusalError("NOT_FOUND", "There is no such payout.", status=404)
        signature = signature_of("entries", [payout_id, asked.get("sort_order"), asked.get("limit")])
        ordered = in_order(entries, asked.get("sort_order", "DESC") == "DESC")
        limit = min(whole(asked.get("limit"), MAX_LISTED), MAX_LISTED)
        return page_of("payout_entries", ordered, asked.get("cursor"), limit, signature)

    def _catalog(self, _request: Request, body: bytes) -> Json:
        asked = decoded(body, SearchCatalog)
        begin = moment(asked.begin_time, "begin_time")
        wanted = asked.object_types or ["ITEM", "CATEGORY"]
        # Exclusive: what changed at the very time is not among the answers.
        chosen = [
            (at, record)
            for at, record in between(self._records.objects, "updated_at", Range())
            if record["type"] in wanted and (begin is None or at > begin)
        ]
        limit = asked.limit if asked.limit is not None and 0 < asked.limit <= MAX_OBJECTS else MAX_LISTED
        signature = signature_of("catalog", msgspec.structs.replace(asked, cursor=None))
        # In no order of time: objects come as they lie in the catalogue.
        page = page_of("objects", chosen, asked.cursor, limit, signature)
        latest = max((record["updated_at"] for record in self._records.objects), default=None)
        return page if latest is None else {**page, "latest_time": latest}

    def _counts(self, _request: Request, body: bytes) -> Json:
        asked = decoded(body, SearchCounts)
        if not 1 <= asked.limit <= MAX_COUNTS:
            raise RefusalError("VALUE_TOO_HIGH", f"`limit` must be from 1 to {MAX_COUNTS}.", "limit")
        if asked.location_ids is not None:
            self._known_locations(asked.location_ids)
        after = moment(asked.updated_after, "updated_after")
        chosen = [
            (at, record)
            for at, record in between(self._records.counts, "calculated_at", Range())
            if (after is None or at > after)
            and (asked.location_ids is None or record["location_id"] in asked.location_ids)
            and (asked.catalog_object_ids is None or record["catalog_object_id"] in asked.catalog_object_ids)
            and (asked.states is None or record["state"] in asked.states)
        ]
        signature = signature_of("counts", msgspec.structs.replace(asked, cursor=None))
        return page_of("counts", in_order(chosen, True), asked.cursor, asked.limit, signature)

    def _customers(self, _request: Request, body: bytes) -> Json:
        asked = decoded(body, SearchCustomers)
        if not 1 <= asked.limit <= MAX_LISTED:
            raise RefusalError("VALUE_TOO_HIGH", f"`limit` must be from 1 to {MAX_LISTED}.", "limit")
        query = asked.query or CustomerQuery()
        records = self._records.customers
        if query.filter is not None:
            for name in ("created_at", "updated_at"):
                records = [record for _, record in between(records, name, getattr(query.filter, name) or Range())]
        sort = query.sort or CustomerSort()
        if sort.field == "DEFAULT":
            records = sorted(records, key=lambda record: (record["given_name"], record["family_name"], record["id"]))
            ordered = [(self._world.clock, record) for record in records]
            ordered = ordered[::-1] if sort.order == "DESC" else ordered
        else:
            ordered = in_order(between(records, "created_at", Range()), sort.order == "DESC")
        signature = signature_of("customers", msgspec.structs.replace(asked, cursor=None))
        return page_of("customers", ordered, asked.cursor, asked.limit, signature)

    def _known_locations(self, asked: Sequence[str], *, required: bool = False) -> None:
        if required and not asked:
            raise RefusalError("MISSING_REQUIRED_PARAMETER", "At least one location is needed.", "location_ids")
        if len(asked) > MAX_LOCATIONS:
            raise RefusalError("ARRAY_LENGTH_TOO_LONG", f"At most {MAX_LOCATIONS} locations.", "location_ids")
        known = {record["id"] for record in self._records.locations}
        if not known.issuperset(asked):
            raise RefusalError("FORBIDDEN", "The merchant has no such location.", "location_ids", 403)


def _guarded(handler: Callable[[Request, bytes], Json]) -> Callable[[Request], Awaitable[Response]]:
    """The handler behind the token, with refusals as Square words them."""

    async def answer(request: Request) -> Response:
        body = await request.body()
        try:
            given = request.headers.get("authorization", "").encode()
            if not hmac.compare_digest(given, f"Bearer {SQUARE_TOKEN}".encode()):
                raise RefusalError("UNAUTHORIZED", "This request could not be authorized.", status=401)
            if not _VERSION.fullmatch(request.headers.get("square-version", API_VERSION)):
                raise RefusalError("INVALID_SQUARE_VERSION_FORMAT", "The version is a date.", "Square-Version")
            content, status = handler(request, body), 200
        except RefusalError as refused:
            content, status = refused.body, refused.status
        return Response(
            msgspec.json.encode(content),
            status_code=status,
            media_type="application/json",
            headers={"Square-Version": API_VERSION},
        )

    return answer
