"""eBay over HTTP: OAuth, and the Fulfillment, Inventory and Finances APIs.

What belongs here: addresses, tokens, headers and signatures. What does not: what the APIs answer (``ebay_orders``,
``ebay_stock``, ``ebay_finances``).

The Finances API lives on another host than the rest; here it has another root, ``/apiz``.
"""

from __future__ import annotations

import base64
import hmac
import itertools
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retreasure_assets.sandbox.ebay_finances import Finances
from retreasure_assets.sandbox.ebay_format import RefusalError, answer
from retreasure_assets.sandbox.ebay_orders import Orders
from retreasure_assets.sandbox.ebay_signature import SIGNING_JWE, SIGNING_KEY, signature_problem
from retreasure_assets.sandbox.ebay_stock import EbayStock
from retreasure_assets.sandbox.face import Contract, Records, Refusal, Traits
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ebay_ledger import ebay_business
from retreasure_assets.sandbox.world_ebay_types import EbayBusiness

#: What the sandbox takes for the app's keys and the seller's consent; they open nothing else.
EBAY_CLIENT_ID = "ReTreasu-Sandbox-PRD-000000000-00000000"
EBAY_CLIENT_SECRET = "PRD-sandbox-0000-0000-0000"  # noqa: S105 (not a secret: printed by the sandbox)
EBAY_REFRESH_TOKEN = "v^1.1#i^1#r^1#sandbox-refresh"  # noqa: S105 (the same)
EBAY_MARKETPLACE = "EBAY_IE"

FINANCES_ROOT = "/apiz"
_TOKEN_PATH = "/identity/v1/oauth2/token"  # noqa: S105 (an address)

_MARKETPLACES = frozenset(
    f"EBAY_{country}"
    for country in ("AT", "AU", "BE", "CA", "CH", "DE", "ES", "FR", "GB", "HK", "IE", "IT", "NL", "PL", "SG", "US")
)


@dataclass(frozen=True, slots=True)
class EbayOptions:
    """How strict the platform is.

    Args:
        token_seconds: how long an access token lives.
        signatures: whether the seller is one of the EU or the UK, who must sign.
        clock: seconds since 1970; replaceable in tests.
    """

    token_seconds: int = 7200
    signatures: bool = True
    clock: Callable[[], float] = time.time


class EbayFace:
    """The routes of one seller's account.

    Args:
        world: what the seller sells and has sold.
        options: how strict it is.
    """

    paths: ClassVar[Mapping[str, str]] = {"ebay": "/sell", "ebay_finances": f"{FINANCES_ROOT}/sell/finances/v1"}
    traits: ClassVar[Traits] = Traits(
        # No list tells in a way to rely on that another page follows: its pages may be read in any order.
        records=(
            Records("orders", "orderId", enums=("orderFulfillmentStatus",), total="pricingSummary.total.value"),
            Records("fulfillments", "fulfillmentId"),
            Records("inventoryItems", "sku", asked_by=True),
            Records("offers", "offerId", enums=("status",)),
            Records(
                "transactions",
                "transactionId",
                required=("transactionType", "bookingEntry"),
                enums=("transactionStatus",),
            ),
            Records("payouts", "payoutId", enums=("payoutStatus",)),
        ),
        expired=Refusal(
            401, {"errors": [{"errorId": 1001, "domain": "OAuth", "category": "REQUEST", "message": "Token expired"}]}
        ),
        grants=(_TOKEN_PATH,),
        contracts=(
            Contract("ebay/ebay-fulfillment-openapi-original.yml", base="/sell/fulfillment/v1"),
            Contract("ebay/ebay-inventory-openapi-original.yml", base="/sell/inventory/v1"),
            Contract("ebay/ebay-finances-openapi-original.yml", base=f"{FINANCES_ROOT}/sell/finances/v1"),
        ),
        invalid=Refusal(
            400,
            {"errors": [{"errorId": 2004, "domain": "ACCESS", "category": "REQUEST", "message": "Invalid request"}]},
        ),
    )

    def __init__(self, world: World, options: EbayOptions | None = None) -> None:
        self._world = world
        self._options = options or EbayOptions()
        self._numbers = itertools.count(1)
        self._tokens: dict[str, float] = {}

    @staticmethod
    def environment(base_url: str) -> Mapping[str, str]:
        """See Face."""
        return {
            "RETREASURE_EBAY_URL": base_url,
            "RETREASURE_EBAY_FINANCES_URL": f"{base_url}{FINANCES_ROOT}",
            "RETREASURE_EBAY_CLIENT_ID": EBAY_CLIENT_ID,
            "RETREASURE_EBAY_CLIENT_SECRET": EBAY_CLIENT_SECRET,
            "RETREASURE_EBAY_REFRESH_TOKEN": EBAY_REFRESH_TOKEN,
            "RETREASURE_EBAY_MARKETPLACE": EBAY_MARKETPLACE,
            "RETREASURE_EBAY_SIGNING_KEY": SIGNING_KEY,
            "RETREASURE_EBAY_SIGNING_JWE": SIGNING_JWE,
        }

    @property
    def routes(self) -> list[Route]:
        """To be mounted at the server's root."""
        fulfilment, inventory = "/sell/fulfillment/v1/order", "/sell/inventory/v1"
        finances = f"{FINANCES_ROOT}/sell/finances/v1"
        return [
            Route(_TOKEN_PATH, self._token, methods=["POST"]),
            self._route(fulfilment, lambda request: self._orders.search(request.query_params)),
            self._route(
                f"{fulfilment}/{{order_id}}", lambda r: self._orders.one(r.path_params["order_id"], r.query_params)
            ),
            self._route(
                f"{fulfilment}/{{order_id}}/shipping_fulfillment",
                lambda request: self._orders.fulfilments(request.path_params["order_id"]),
            ),
            self._route(f"{inventory}/inventory_item", lambda request: self._stock.items(request.query_params)),
            self._route(f"{inventory}/offer", lambda request: self._stock.offers(request.query_params)),
            self._route(f"{finances}/transaction", lambda request: self._finances.transactions(request.query_params)),
            self._route(f"{finances}/payout", lambda request: self._finances.payouts(request.query_params)),
        ]

    @cached_property
    def _business(self) -> EbayBusiness:
        return ebay_business(self._world)

    @cached_property
    def _orders(self) -> Orders:
        return Orders(self._world, self._business)

    @cached_property
    def _finances(self) -> Finances:
        return Finances(self._world, self._business)

    @cached_property
    def _stock(self) -> EbayStock:
        return EbayStock(self._world)

    def _route(self, path: str, respond: Callable[[Request], Response]) -> Route:
        async def handle(request: Request) -> Response:
            try:
                self._admit(request)
                return respond(request)
            except RefusalError as refusal:
                return refusal.answer()

        return Route(path, handle, methods=["GET"])

    def _admit(self, request: Request) -> None:
        """Token, marketplace and signature.

        Raises:
            RefusalError: one is missing or wrong.
        """
        kind, _, token = request.headers.get("authorization", "").partition(" ")
        if kind.lower() != "bearer" or self._tokens.get(token, 0.0) <= self._options.clock():
            raise RefusalError(401, 1001, "Invalid access token", "OAuth")
        if not request.url.path.startswith(FINANCES_ROOT):
            return
        if request.headers.get("x-ebay-c-marketplace-id") not in _MARKETPLACES:
            raise RefusalError(
                400, 135011, "The value of X-EBAY-C-MARKETPLACE-ID is missing or invalid.", "API_FINANCES"
            )
        if self._options.signatures:
            problem = signature_problem(
                request.method,
                request.url.path,
                request.headers.get("host", ""),
                dict(request.headers),
                b"",
                self._options.clock(),
            )
            if problem is not None:
                raise RefusalError(403, problem[0], problem[1], "ACCESS")

    async def _token(self, request: Request) -> Response:
        """A new access token for the refresh token."""
        given = request.headers.get("authorization", "").encode()
        secret = base64.b64encode(f"{EBAY_CLIENT_ID}:{EBAY_CLIENT_SECRET}".encode())
        if not hmac.compare_digest(given, b"Basic " + secret):
            return answer({"error": "invalid_client", "error_description": "client authentication failed"}, 401)
        form = parse_qs((await request.body()).decode("utf-8", "replace"))
        if form.get("grant_type") != ["refresh_token"]:
            return answer({"error": "unsupported_grant_type", "error_description": "grant type not supported"}, 400)
        if form.get("refresh_token") != [EBAY_REFRESH_TOKEN]:
            text = "the provided authorization refresh token is invalid or was issued to another client"
            return answer({"error": "invalid_grant", "error_description": text}, 400)
        token = f"v^1.1#i^1#p^3#t^sandbox-{next(self._numbers)}"
        self._tokens[token] = self._options.clock() + self._options.token_seconds
        return answer(
            {"access_token": token, "expires_in": self._options.token_seconds, "token_type": "User Access Token"}
        )
