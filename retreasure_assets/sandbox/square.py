"""Square over HTTP: locations, customers, orders, payments, refunds, catalogue, counts, payouts (``/v2/...``).

What belongs here: addresses, headers, limits, cursors and refusals. What does not: the records (``square_orders``,
``square_money``, ``square_catalogue``).

It refuses what Square refuses: a missing or wrong token, a version that is no date, unknown body fields, more than
ten locations, limits out of range, a sort that does not go with the time filter, a cursor of another query.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar, Literal

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retreasure_assets.sandbox import square_catalogue, square_money, square_orders
from retreasure_assets.sandbox.face import Contract, Records, Refusal, Traits
from retreasure_assets.sandbox.square_format import Json
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_square import SquareBooks
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

#: A record and the time by which it is found and sorted.
Timed = tuple[datetime, Json]


class RefusalError(Exception):
    """An answer that is an error of Square's."""

    def __init__(self, code: str, detail: str, field: str | None = None, status: int = 400) -> None:
        super().__init__(detail)
        category = {401: "AUTHENTICATION_ERROR", 429: "RATE_LIMIT_ERROR"}.get(status, "INVALID_REQUEST_ERROR")
        error = {"category": category, "code": code, "detail": detail}
        self.body = {"errors": [error if field is None else {**error, "field": field}]}
        self.status = status


class _Strict(msgspec.Struct, forbid_unknown_fields=True):
    """A request body that knows no other fields."""


class _Range(_Strict):
    start_at: str | None = None
    end_at: str | None = None


class _OrderTimes(_Strict):
    created_at: _Range | None = None
    updated_at: _Range | None = None
    closed_at: _Range | None = None


class _States(_Strict):
    states: list[Literal["OPEN", "COMPLETED", "CANCELED", "DRAFT"]]


class _OrderFilter(_Strict):
    date_time_filter: _OrderTimes | None = None
    state_filter: _States | None = None


class _OrderSort(_Strict):
    sort_field: Literal["CREATED_AT", "UPDATED_AT", "CLOSED_AT"]
    sort_order: Literal["ASC", "DESC"] = "DESC"


class _OrderQuery(_Strict):
    filter: _OrderFilter | None = None
    sort: _OrderSort | None = None


class _SearchOrders(_Strict):
    location_ids: list[str] = []
    query: _OrderQuery | None = None
    limit: int = 500
    cursor: str | None = None
    return_entries: bool = False


class _SearchCatalog(_Strict):
    object_types: list[str] = []
    begin_time: str | None = None
    include_deleted_objects: bool = False
    include_related_objects: bool = False
    limit: int | None = None
    cursor: str | None = None


class _Counts(_Strict):
    catalog_object_ids: list[str] | None = None
    location_ids: list[str] | None = None
    updated_after: str | None = None
    states: list[str] | None = None
    limit: int = 100
    cursor: str | None = None


class _CustomerFilter(_Strict):
    created_at: _Range | None = None
    updated_at: _Range | None = None


class _CustomerSort(_Strict):
    field: Literal["DEFAULT", "CREATED_AT"] = "DEFAULT"
    order: Literal["ASC", "DESC"] = "ASC"


class _CustomerQuery(_Strict):
    filter: _CustomerFilter | None = None
    sort: _CustomerSort | None = None


class _SearchCustomers(_Strict):
    query: _CustomerQuery | None = None
    limit: int = 100
    cursor: str | None = None
    count: bool = False


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

    # --- what there is ---------------------------------------------------------------------------------------

    @cached_property
    def _books(self) -> SquareBooks:
        return SquareBooks(self._world)

    @property
    def _seed(self) -> int:
        return self._world.seed

    @cached_property
    def _all_orders(self) -> list[Json]:
        return [
            *(square_orders.sale_order(self._seed, sale) for sale in self._books.sales),
            *(square_orders.return_order(self._seed, back) for back in self._books.returns),
        ]

    @cached_property
    def _all_payments(self) -> list[Json]:
        return [square_money.payment(self._seed, sale) for sale in self._books.sales]

    @cached_property
    def _all_refunds(self) -> list[Json]:
        return [square_money.refund(self._seed, back) for back in self._books.returns]

    @cached_property
    def _all_payouts(self) -> list[Json]:
        return [square_money.payout(self._seed, paid) for paid in self._books.payouts]

    @cached_property
    def _all_objects(self) -> list[Json]:
        first: dict[str, datetime] = {}
        for shelf in self._books.shelves:
            since = min(first.get(shelf.item.category, shelf.item.listed_at), shelf.item.listed_at)
            first[shelf.item.category] = since
        return [
            *(square_catalogue.catalog_category(self._seed, name, at) for name, at in sorted(first.items())),
            *(square_catalogue.catalog_item(self._seed, shelf) for shelf in self._books.shelves),
        ]

    @cached_property
    def _all_counts(self) -> list[Json]:
        return [square_catalogue.inventory_count(self._seed, shelf) for shelf in self._books.shelves]

    # --- what is asked ---------------------------------------------------------------------------------------

    def _token_status(self, _request: Request, _body: bytes) -> Json:
        return {"scopes": list(SCOPES), "client_id": "sq0idp-sandbox", "merchant_id": square_catalogue.MERCHANT_ID}

    def _locations(self, _request: Request, _body: bytes) -> Json:
        return {"locations": square_catalogue.locations(self._seed)}

    def _orders(self, _request: Request, body: bytes) -> Json:
        asked = _decoded(body, _SearchOrders)
        self._known_locations(asked.location_ids, required=True)
        if not 1 <= asked.limit <= MAX_ORDERS:
            raise RefusalError("VALUE_TOO_HIGH", f"`limit` must be from 1 to {MAX_ORDERS}.", "limit")
        if asked.return_entries:
            raise RefusalError("NOT_IMPLEMENTED", "The sandbox returns whole orders only.", "return_entries", 501)
        query = asked.query or _OrderQuery()
        sort = query.sort or _OrderSort("CREATED_AT")
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
            for order in self._all_orders
            if order["location_id"] in asked.location_ids and (states is None or order["state"] in states)
        ]
        chosen = _between(found, key, filtered.get(key) or _Range())
        signature = _signature("orders", msgspec.structs.replace(asked, cursor=None))
        ordered = _sorted(chosen, sort.sort_order == "DESC")
        return _page("orders", ordered, asked.cursor, asked.limit, signature)

    def _payments(self, request: Request, _body: bytes) -> Json:
        known = {"location_id", "is_offline_payment", "total", "last_4", "card_brand"}
        return self._listing(request, "payments", self._all_payments, known, main_location_only=True)

    def _refunds(self, request: Request, _body: bytes) -> Json:
        return self._listing(request, "refunds", self._all_refunds, {"location_id", "status", "source_type"})

    def _payouts(self, request: Request, _body: bytes) -> Json:
        known = {"location_id", "status"}
        return self._listing(request, "payouts", self._all_payouts, known, main_location_only=True, by_update=False)

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
        created = _Range(asked.get("begin_time", (clock - _YEAR).isoformat()), asked.get("end_time", clock.isoformat()))
        chosen = [record for _, record in _between(records, "created_at", created)]
        updated = _Range(asked.get("updated_at_begin_time"), asked.get("updated_at_end_time"))
        chosen = [record for _, record in _between(chosen, "updated_at", updated)]
        location = asked.get("location_id", location_id(self._seed) if main_location_only else None)
        if location is not None:
            self._known_locations([location])
            chosen = [record for record in chosen if record["location_id"] == location]
        for field in filters & asked.keys() & {"status"}:
            chosen = [record for record in chosen if record[field] == asked[field]]
        # A limit that cannot be is ignored: the contract says so of payments and payouts.
        limit = _whole(asked.get("limit"), MAX_LISTED)
        signature = _signature(name, {key: value for key, value in sorted(asked.items()) if key != "cursor"})
        ordered = _sorted(_between(chosen, sort.lower(), _Range()), order == "DESC")
        return _page(name, ordered, asked.get("cursor"), min(limit, MAX_LISTED), signature)

    def _entries(self, request: Request, _body: bytes) -> Json:
        asked = dict(request.query_params)
        for field in asked.keys() - {"sort_order", "cursor", "limit"}:
            raise RefusalError("UNKNOWN_QUERY_PARAMETER", "Unknown query parameter.", field)
        payout_id = request.path_params["payout_id"]
        paid = next((paid for paid in self._books.payouts if paid.payout_id == payout_id), None)
        if paid is None:
            raise RefusalError("NOT_FOUND", "There is no such payout.", status=404)
        entries = [(entry.at, square_money.payout_entry(paid, entry)) for entry in paid.entries]
        signature = _signature("entries", [payout_id, asked.get("sort_order"), asked.get("limit")])
        ordered = _sorted(entries, asked.get("sort_order", "DESC") == "DESC")
        limit = min(_whole(asked.get("limit"), MAX_LISTED), MAX_LISTED)
        return _page("payout_entries", ordered, asked.get("cursor"), limit, signature)

    def _catalog(self, _request: Request, body: bytes) -> Json:
        asked = _decoded(body, _SearchCatalog)
        begin = _time(asked.begin_time, "begin_time")
        wanted = asked.object_types or ["ITEM", "CATEGORY"]
        # Exclusive: what changed at the very time is not among the answers.
        chosen = [
            (at, record)
            for at, record in _between(self._all_objects, "updated_at", _Range())
            if record["type"] in wanted and (begin is None or at > begin)
        ]
        limit = asked.limit if asked.limit is not None and 0 < asked.limit <= MAX_OBJECTS else MAX_LISTED
        signature = _signature("catalog", msgspec.structs.replace(asked, cursor=None))
        # In no order of time: objects come as they lie in the catalogue.
        page = _page("objects", chosen, asked.cursor, limit, signature)
        latest = max((record["updated_at"] for record in self._all_objects), default=None)
        return page if latest is None else {**page, "latest_time": latest}

    def _counts(self, _request: Request, body: bytes) -> Json:
        asked = _decoded(body, _Counts)
        if not 1 <= asked.limit <= MAX_COUNTS:
            raise RefusalError("VALUE_TOO_HIGH", f"`limit` must be from 1 to {MAX_COUNTS}.", "limit")
        if asked.location_ids is not None:
            self._known_locations(asked.location_ids)
        after = _time(asked.updated_after, "updated_after")
        chosen = [
            (at, record)
            for at, record in _between(self._all_counts, "calculated_at", _Range())
            if (after is None or at > after)
            and (asked.location_ids is None or record["location_id"] in asked.location_ids)
            and (asked.catalog_object_ids is None or record["catalog_object_id"] in asked.catalog_object_ids)
            and (asked.states is None or record["state"] in asked.states)
        ]
        signature = _signature("counts", msgspec.structs.replace(asked, cursor=None))
        return _page("counts", _sorted(chosen, True), asked.cursor, asked.limit, signature)

    def _customers(self, _request: Request, body: bytes) -> Json:
        asked = _decoded(body, _SearchCustomers)
        if not 1 <= asked.limit <= MAX_LISTED:
            raise RefusalError("VALUE_TOO_HIGH", f"`limit` must be from 1 to {MAX_LISTED}.", "limit")
        query = asked.query or _CustomerQuery()
        records = [square_catalogue.customer(known) for known in self._books.customers]
        if query.filter is not None:
            for name in ("created_at", "updated_at"):
                records = [record for _, record in _between(records, name, getattr(query.filter, name) or _Range())]
        sort = query.sort or _CustomerSort()
        if sort.field == "DEFAULT":
            records.sort(key=lambda record: (record["given_name"], record["family_name"], record["id"]))
            ordered = [(self._world.clock, record) for record in records]
            ordered = ordered[::-1] if sort.order == "DESC" else ordered
        else:
            ordered = _sorted(_between(records, "created_at", _Range()), sort.order == "DESC")
        signature = _signature("customers", msgspec.structs.replace(asked, cursor=None))
        return _page("customers", ordered, asked.cursor, asked.limit, signature)

    def _known_locations(self, asked: Sequence[str], *, required: bool = False) -> None:
        if required and not asked:
            raise RefusalError("MISSING_REQUIRED_PARAMETER", "At least one location is needed.", "location_ids")
        if len(asked) > MAX_LOCATIONS:
            raise RefusalError("ARRAY_LENGTH_TOO_LONG", f"At most {MAX_LOCATIONS} locations.", "location_ids")
        known = {record["id"] for record in square_catalogue.locations(self._seed)}
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


def _decoded(body: bytes, shape: type[Any]) -> Any:
    try:
        return msgspec.json.decode(body or b"{}", type=shape)
    except msgspec.ValidationError as error:
        code = "UNKNOWN_BODY_PARAMETER" if "unknown field" in str(error) else "INVALID_VALUE"
        raise RefusalError(code, "The request body does not have the documented form.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise RefusalError("EXPECTED_JSON_BODY", "The request body is not JSON.") from None


def _time(text: str | None, field: str) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise RefusalError("INVALID_TIME", "The time is not in RFC 3339 format.", field) from None
    if moment.tzinfo is None:
        raise RefusalError("INVALID_TIME", "The time has no zone.", field)
    return moment.astimezone(UTC)


def _between(records: Sequence[Json], key: str, period: _Range) -> list[Timed]:
    """The records whose time lies in the period, both ends included, each with its time."""
    start, end = _time(period.start_at, key), _time(period.end_at, key)
    if start is not None and end is not None and start > end:
        raise RefusalError("INVALID_TIME_RANGE", "The time range begins after its end.", key)
    timed = [(datetime.fromisoformat(record[key]), record) for record in records]
    return [each for each in timed if (start is None or each[0] >= start) and (end is None or each[0] <= end)]


def _sorted(records: list[Timed], descending: bool) -> list[Timed]:
    def place(each: Timed) -> tuple[datetime, str]:
        return each[0], str(each[1].get("id") or each[1].get("catalog_object_id"))

    return sorted(records, key=place, reverse=descending)


def _whole(text: str | None, default: int) -> int:
    """A limit; what is none is ignored, as Square does."""
    return int(text) if text is not None and text.isascii() and text.isdigit() and int(text) > 0 else default


def _signature(name: str, query: object) -> str:
    return hashlib.sha256(name.encode() + msgspec.json.encode(query)).hexdigest()[:16]


def _page(name: str, records: list[Timed], cursor: str | None, limit: int, signature: str) -> Json:
    """One page; its cursor holds the query's signature and the place reached, and fits no other query."""
    start = 0
    if cursor is not None:
        try:
            owner, _, place = base64.urlsafe_b64decode(cursor.encode("ascii", "replace")).decode("ascii").partition(":")
            start = int(place)
        except ValueError:
            owner = ""
        if owner != signature:
            raise RefusalError("INVALID_CURSOR", "The cursor does not belong to this query.", "cursor")
    chosen = [record for _, record in records[start : start + limit]]
    answer: Json = {name: chosen} if chosen else {}
    if start + limit < len(records):
        answer["cursor"] = base64.urlsafe_b64encode(f"{signature}:{start + limit}".encode()).decode()
    return answer
