"""Etsy's Open API v3 over HTTP: the shop's receipts, listings, payment account and payments.

What belongs here: addresses, keys, limits, filters, and refusing what Etsy refuses. What does not: the shop itself
(``world_etsy``), how it is written (``etsy_format``) and tokens (``etsy_tokens``).

As Etsy's users report, cancelled receipts only come where ``was_canceled=true`` is asked for, and some refunds never
show in the receipts at all.
"""

from __future__ import annotations

import hmac
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import ClassVar
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retreasure_assets.sandbox import etsy_format as written
from retreasure_assets.sandbox.etsy_requests import EtsyOptions, Query, Quota, RefusedError
from retreasure_assets.sandbox.etsy_tokens import refresh_token
from retreasure_assets.sandbox.face import Contract, Records, Refusal, Traits
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_etsy import etsy_shop
from retreasure_assets.sandbox.world_etsy_types import EtsyReceipt, EtsyShop

KEYSTRING = "sandboxkeystring00000000"
SHARED_SECRET = "sandboxsecret"  # noqa: S105 (not a secret: printed by the sandbox)

_LEDGER_SPAN = 2_678_400
_STATES = ("active", "inactive", "sold_out", "draft", "expired")
_ASCENDING = ("asc", "ascending", "up")
_ORDERS = (*_ASCENDING, "desc", "descending", "down")
_APPLICATION = "/v3/application"
_TOKEN_PATH = "/v3/public/oauth/token"  # noqa: S105 (an address)


@dataclass(frozen=True, slots=True)
class _Row:
    """A receipt as the receipts endpoint looks at it."""

    created: int
    updated: int
    number: int
    cancelled: bool
    paid: bool
    shipped: bool
    body: bytes


class EtsyFace:
    """The routes of one shop.

    Args:
        world: what the shop sells and has sold.
        options: how strict it is.
    """

    paths: ClassVar[Mapping[str, str]] = {"etsy": _APPLICATION}
    traits: ClassVar[Traits] = Traits(
        records=(
            Records("results", "receipt_id", enums=("status",), total="grandtotal.amount", at="/receipts"),
            Records("results", "listing_id", enums=("state",), at="/listings"),
            Records("results", "entry_id", enums=("ledger_type",), at="/ledger-entries", asked_by=True),
            Records("results", "payment_id", enums=("status",), at="/payments"),
        ),
        expired=Refusal(401, {"error": "invalid_token", "error_description": "access token is expired"}),
        grants=(_TOKEN_PATH,),
        contracts=(
            Contract(
                "etsy/etsy_oas_2026-02.json",
                under=_APPLICATION,
                departures=(
                    # Capitalised, while the contract's words are in lower case.
                    "results.[].status does not keep enum",
                    # Documented as text, and a number in fact (github.com/etsy/open-api issue 295).
                    "results.[].reference_id does not keep type",
                ),
            ),
        ),
        invalid=Refusal(400, {"error": "The request does not fit the API's description."}),
    )

    def __init__(self, world: World, options: EtsyOptions | None = None) -> None:
        self._world = world
        self._options = options or EtsyOptions()
        self._quota = Quota(self._options)
        self._sorted: dict[tuple[str, bool, bool], tuple[list[_Row], list[int]]] = {}

    @staticmethod
    def environment(base_url: str) -> Mapping[str, str]:
        """See Face."""
        return {
            "RETREASURE_ETSY_URL": base_url,
            "RETREASURE_ETSY_KEYSTRING": KEYSTRING,
            "RETREASURE_ETSY_SHARED_SECRET": SHARED_SECRET,
            "RETREASURE_ETSY_REFRESH_TOKEN": refresh_token(0),
            "RETREASURE_ETSY_SHOP_ID": str(written.SHOP_ID),
        }

    @property
    def routes(self) -> list[Route]:
        """To be mounted at the server's root."""
        of_shop = f"{_APPLICATION}/shops/{{shop_id:int}}"
        account = f"{of_shop}/payment-account/ledger-entries"
        return [
            Route(_TOKEN_PATH, self._token, methods=["POST"]),
            Route(f"{_APPLICATION}/scopes", self._scopes, methods=["POST"]),
            self._route(f"{_APPLICATION}/users/me", self._me, "shops_r"),
            self._route(of_shop, self._shop_record, None),
            self._route(f"{of_shop}/receipts", self._receipts, "transactions_r"),
            self._route(f"{of_shop}/listings", self._listings, "listings_r"),
            self._route(account, self._ledger, "transactions_r"),
            self._route(f"{account}/payments", self._entry_payments, "transactions_r"),
            self._route(f"{of_shop}/payments", self._payments, "transactions_r"),
        ]

    # --- who asks --------------------------------------------------------------------------------------------

    def _route(self, path: str, answer: Callable[[Request], bytes], scope: str | None) -> Route:
        async def handle(request: Request) -> Response:
            headers, wait = self._quota.take()
            try:
                self._admit(request, wait, scope)
                return Response(answer(request), media_type="application/json", headers=headers)
            except RefusedError as refusal:
                return _refused(refusal, headers)

        return Route(path, handle, methods=["GET"])

    def _admit(self, request: Request, wait: float | None, scope: str | None) -> None:
        self._check_key(request)
        if wait is not None:
            raise RefusedError(429, "You have exceeded your quota of requests.")
        if request.path_params.get("shop_id", written.SHOP_ID) != written.SHOP_ID:
            raise RefusedError(404, "Could not find a shop with this ID.")
        if scope is None:
            return
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or not self._options.tokens.admits(token):
            raise RefusedError(401, "invalid_token")
        if scope not in self._options.scopes:
            raise RefusedError(403, f"insufficient_scope: {scope}")

    @staticmethod
    def _check_key(request: Request) -> None:
        given = request.headers.get("x-api-key", "")
        if not hmac.compare_digest(given.encode(), f"{KEYSTRING}:{SHARED_SECRET}".encode()):
            raise RefusedError(401, "Missing x-api-key header or invalid API key.")

    async def _token(self, request: Request) -> Response:
        form = await _form(request)
        given = {name: form.get(name, "") for name in ("grant_type", "client_id", "refresh_token")}
        if given["grant_type"] != "refresh_token":
            return _refused(RefusedError(400, "unsupported_grant_type"), {})
        if given["client_id"] != KEYSTRING:
            return _refused(RefusedError(401, "invalid_client"), {})
        issued = self._options.tokens.refresh(given["refresh_token"])
        if issued is None:
            return _refused(RefusedError(400, "invalid_grant"), {})
        access, refresh = issued
        body = {
            "access_token": access,
            "token_type": "Bearer",
            "expires_in": self._options.tokens.lifetime,
            "refresh_token": refresh,
        }
        return Response(msgspec.json.encode(body), media_type="application/json")

    async def _scopes(self, request: Request) -> Response:
        headers, wait = self._quota.take()
        form = await _form(request)
        try:
            self._admit(request, wait, None)
            if not self._options.tokens.admits(form.get("token", "")):
                raise RefusedError(401, "invalid_token")
        except RefusedError as refusal:
            return _refused(refusal, headers)
        body = msgspec.json.encode({"scopes": list(self._options.scopes)})
        return Response(body, media_type="application/json", headers=headers)

    # --- what is asked ---------------------------------------------------------------------------------------

    @cached_property
    def _shop(self) -> EtsyShop:
        return etsy_shop(self._world)

    def _me(self, request: Request) -> bytes:
        Query(request, ())
        return msgspec.json.encode({"user_id": written.SELLER_ID, "shop_id": written.SHOP_ID})

    def _shop_record(self, request: Request) -> bytes:
        Query(request, ())
        first = min((listing.versions[0].at for listing in self._shop.listings), default=self._world.clock)
        active = sum(listing.versions[-1].state == "active" for listing in self._shop.listings)
        return msgspec.json.encode(written.shop(first - timedelta(days=30), active, len(self._shop.receipts)))

    @cached_property
    def _rows(self) -> list[_Row]:
        return [
            _Row(
                created=written.seconds(receipt.at),
                updated=written.seconds(receipt.updated_at),
                number=receipt.receipt_id,
                cancelled=receipt.cancelled_at is not None,
                paid=receipt.paid_at is not None,
                shipped=bool(receipt.parcels),
                body=msgspec.json.encode(written.receipt_record(receipt)),
            )
            for receipt in self._shop.receipts
        ]

    def _sorted_rows(self, key: str, descending: bool, cancelled: bool) -> tuple[list[_Row], list[int]]:
        """Rows in an order, and the values they are ordered by."""
        name = {"created": "created", "updated": "updated", "receipt_id": "number"}[key]
        found = self._sorted.get((name, descending, cancelled))
        if found is None:
            rows = [row for row in self._rows if row.cancelled == cancelled]
            rows.sort(key=lambda row: (getattr(row, name), row.number), reverse=descending)
            found = self._sorted[name, descending, cancelled] = rows, [getattr(row, name) for row in rows]
        return found

    def _receipts(self, request: Request) -> bytes:
        bounds = ("min_created", "max_created", "min_last_modified", "max_last_modified")
        flags = ("was_paid", "was_shipped", "was_delivered", "was_canceled")
        query = Query(request, (*bounds, *flags, "limit", "offset", "sort_on", "sort_order"))
        limit, offset = query.page()
        sort_on = query.choice("sort_on", "created", ("created", "updated", "receipt_id"))
        descending = query.choice("sort_order", "desc", _ORDERS) not in _ASCENDING
        low_created, high_created, low_updated, high_updated = (query.moment(name) for name in bounds)
        paid, shipped, delivered, cancelled = (query.flag(name) for name in flags)
        rows, values = self._sorted_rows(sort_on, descending, bool(cancelled))
        if not descending and sort_on != "receipt_id":
            # Narrowed by the order itself, so that a page costs its own length.
            low, high = (low_created, high_created) if sort_on == "created" else (low_updated, high_updated)
            start = 0 if low is None else bisect_left(values, low)
            rows = rows[start : len(rows) if high is None else bisect_right(values, high)]
        limits = (
            (low_created, high_created, "created"),
            (low_updated, high_updated, "updated"),
        )
        for low, high, name in limits:
            if name == sort_on and not descending:
                continue
            if low is not None or high is not None:
                rows = [
                    row
                    for row in rows
                    if (low is None or getattr(row, name) >= low) and (high is None or getattr(row, name) <= high)
                ]
        for wanted, name in ((paid, "paid"), (shipped, "shipped")):
            if wanted is not None:
                rows = [row for row in rows if getattr(row, name) == wanted]
        if delivered is not None:
            rows = [row for row in rows if not delivered]
        return _page(len(rows), [row.body for row in rows[offset : offset + limit]])

    @cached_property
    def _listing_bodies(self) -> dict[tuple[str, bool], list[bytes]]:
        """Encoded listings by state, newest first, without and with their inventory and photos."""
        items = {item.item_id: item for item in self._world.items}
        found: dict[tuple[str, bool], list[bytes]] = {}
        now = self._world.clock
        for listing in sorted(self._shop.listings, key=lambda listing: listing.versions[0].at, reverse=True):
            state = written.listing_state(listing, now)
            for with_all in (False, True):
                record = written.listing_record(listing, items[listing.item_id], now, with_all=with_all)
                found.setdefault((state, with_all), []).append(msgspec.json.encode(record))
        return found

    def _listings(self, request: Request) -> bytes:
        query = Query(request, ("state", "limit", "offset", "sort_on", "sort_order", "includes"))
        limit, offset = query.page()
        state = query.choice("state", "active", _STATES)
        query.choice("sort_on", "created", ("created", "price", "updated", "score"))
        query.choice("sort_order", "desc", _ORDERS)
        associations = ("Shipping", "Images", "Shop", "User", "Translations", "Inventory", "Videos", "Personalization")
        wanted = query.words("includes", associations)
        with_all = "Inventory" in wanted and "Images" in wanted
        bodies = self._listing_bodies.get((state, with_all), [])
        return _page(len(bodies), bodies[offset : offset + limit])

    @cached_property
    def _entries(self) -> tuple[list[int], list[bytes]]:
        entries = self._shop.entries
        return (
            [written.seconds(entry.at) for entry in entries],
            [msgspec.json.encode(written.entry_record(entry)) for entry in entries],
        )

    def _ledger(self, request: Request) -> bytes:
        query = Query(request, ("min_created", "max_created", "limit", "offset"))
        limit, offset = query.page()
        low, high = query.moment("min_created"), query.moment("max_created")
        if low is None or high is None:
            raise RefusedError(400, "min_created and max_created are required")
        if high < low or high - low > _LEDGER_SPAN:
            raise RefusedError(400, "The range between min_created and max_created must not exceed 2678400 seconds")
        times, bodies = self._entries
        # Newest first, as Etsy lists it.
        found = bodies[bisect_left(times, low) : bisect_right(times, high)][::-1]
        return _page(len(found), found[offset : offset + limit])

    @cached_property
    def _paid(self) -> tuple[dict[int, bytes], dict[int, int]]:
        """Encoded payments by id, and the payment that each ledger entry of one belongs to."""
        receipts = {receipt.receipt_id: receipt for receipt in self._shop.receipts}
        fees: dict[int, int] = {}
        of_entry: dict[int, int] = {}
        for entry in self._shop.entries:
            receipt = receipts.get(entry.order_id or 0)
            if receipt is not None and entry.reference_type == "shop_payment":
                of_entry[entry.entry_id] = receipt.payment_id
                if entry.ledger_type == "PAYMENT_PROCESSING_FEE":
                    fees[receipt.receipt_id] = -entry.amount

        def encoded(receipt: EtsyReceipt) -> bytes:
            return msgspec.json.encode(written.payment_record(receipt, fees.get(receipt.receipt_id, 0)))

        paid = {receipt.payment_id: encoded(receipt) for receipt in receipts.values() if receipt.paid_at is not None}
        return paid, of_entry

    def _entry_payments(self, request: Request) -> bytes:
        payments, of_entry = self._paid
        entries = Query(request, ("ledger_entry_ids",)).numbers("ledger_entry_ids")
        wanted = dict.fromkeys(of_entry[entry] for entry in entries if entry in of_entry)
        return _page(len(wanted), [payments[payment] for payment in wanted if payment in payments])

    def _payments(self, request: Request) -> bytes:
        payments, _ = self._paid
        wanted = dict.fromkeys(Query(request, ("payment_ids",)).numbers("payment_ids"))
        found = [payments[payment] for payment in wanted if payment in payments]
        return _page(len(found), found)


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode("utf-8", "replace")))


def _page(count: int, bodies: Sequence[bytes]) -> bytes:
    return b'{"count":%d,"results":[%s]}' % (count, b",".join(bodies))


def _refused(refusal: RefusedError, headers: Mapping[str, str]) -> Response:
    body = msgspec.json.encode({"error": refusal.error})
    return Response(body, refusal.status, headers=dict(headers), media_type="application/json")
