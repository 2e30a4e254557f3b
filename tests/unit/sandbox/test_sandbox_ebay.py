"""eBay in the sandbox: a world whose past does not change, and a platform that refuses what eBay refuses."""

from __future__ import annotations

import asyncio
import base64
import dataclasses
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.types import ASGIApp

from retreasure_assets.sandbox import ebay
from retreasure_assets.sandbox.ebay import EbayFace, EbayOptions
from retreasure_assets.sandbox.ebay_signature import SIGNING_JWE, SIGNING_KEY
from retreasure_assets.sandbox.server import create_app
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ebay_ledger import ebay_business
from retreasure_assets.sandbox.world_ebay_types import EbayBusiness, EbayEntry
from retreasure_assets.sources.ebay.signing import signer

ORDER = "/sell/fulfillment/v1/order"
TRANSACTION = "/apiz/sell/finances/v1/transaction"
PAYOUT = "/apiz/sell/finances/v1/payout"
ITEM = "/sell/inventory/v1/inventory_item"


@pytest.fixture(scope="module")
def business(full_world: World) -> EbayBusiness:
    return ebay_business(full_world)


class Client:
    """Asks an application without a server in between."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def get(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("GET", path, options))

    def post(self, path: str, **options: Any) -> httpx.Response:
        return asyncio.run(self._ask("POST", path, options))

    async def _ask(self, method: str, path: str, options: dict[str, Any]) -> httpx.Response:
        transport = httpx.ASGITransport(self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://apiz.test") as client:
            return await client.request(method, path, **options)


class Clock:
    now = 1_780_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(world: World, clock: Clock) -> Client:
    face = EbayFace(world, EbayOptions(token_seconds=100, clock=clock))
    return Client(Starlette(routes=face.routes))


def token(client: Client) -> dict[str, str]:
    answer = client.post(
        "/identity/v1/oauth2/token",
        auth=(ebay.EBAY_CLIENT_ID, ebay.EBAY_CLIENT_SECRET),
        data={"grant_type": "refresh_token", "refresh_token": ebay.EBAY_REFRESH_TOKEN},
    )
    assert answer.status_code == 200
    return {"Authorization": f"Bearer {answer.json()['access_token']}", "X-EBAY-C-MARKETPLACE-ID": "EBAY_IE"}


def ask(client: Client, clock: Clock, path: str, **query: str) -> httpx.Response:
    headers = {**token(client), **signer(SIGNING_KEY, SIGNING_JWE, clock).headers("GET", f"http://apiz.test{path}")}
    return client.get(path, params=query, headers=headers)


def test_it_has_one_of_everything(business: EbayBusiness) -> None:
    orders = business.orders
    assert len(orders) > 350
    assert {order.currency for order in orders} == {"EUR", "GBP", "USD"}
    assert max(len(order.lines) for order in orders) > 1
    assert any(line.discount for order in orders for line in order.lines)
    assert any(line.shipping_discount for order in orders for line in order.lines)
    assert {line.tax_type for order in orders for line in order.lines} == {None, "VAT", "STATE_SALES_TAX"}
    reasons = Counter(order.cancellation.reason for order in orders if order.cancellation)
    assert {"BUYER_NO_SHOW", "OUT_OF_STOCK_OR_CANNOT_FULFILL", "ORDER_MISTAKE"} <= set(reasons)
    assert any(order.cancelled_at and order.paid_at is None for order in orders)
    assert any(order.cancelled_at and order.paid_at for order in orders)
    shares = {refund.amount / order.total for order in orders for refund in order.refunds}
    assert 1 in shares
    assert min(shares) < 1
    kinds = Counter(entry.kind for entry in business.entries)
    assert set(kinds) == {"SALE", "REFUND", "NON_SALE_CHARGE", "SHIPPING_LABEL", "CREDIT", "TRANSFER", "DISPUTE"}
    assert {e.fee_kind for e in business.entries if e.referred} >= {"AD_FEE", "PAYMENT_DISPUTE_FEE"}
    labels = Counter(entry.entry_id for entry in business.entries if entry.kind == "SHIPPING_LABEL")
    assert max(labels.values()) == 2
    assert any(payout.express_fee for payout in business.payouts)


def test_every_payout_is_the_sum_of_its_entries(business: EbayBusiness) -> None:
    for payout in business.payouts:
        entries = [entry for entry in business.entries if entry.payout_id == payout.payout_id]
        assert len(entries) == payout.entries
        assert sum((entry.signed for entry in entries), Decimal(0)) == payout.amount + payout.express_fee
        assert all(entry.at < payout.at for entry in entries)


def test_a_sale_is_what_the_buyer_paid_less_fees_and_remitted_tax(business: EbayBusiness) -> None:
    for entry in business.entries:
        if entry.kind == "SALE" and entry.order:
            paid = entry.order.total * entry.order.rate
            assert abs(entry.amount + entry.fee_total - paid) <= Decimal("0.005")


def told(entry: EbayEntry) -> tuple[Any, ...]:
    return (
        entry.entry_id,
        entry.kind,
        entry.credit,
        entry.at,
        entry.amount,
        entry.fees,
        entry.order and entry.order.order_id,
    )


@pytest.mark.parametrize("days", [1, 9, 25, 59])
def test_the_past_does_not_depend_on_how_long_the_world_goes_on(world: World, days: int) -> None:
    whole = ebay_business(world)
    clock = world.clock - timedelta(days=days)
    part = ebay_business(world.as_of(clock))
    assert [order.order_id for order in part.orders] == [o.order_id for o in whole.orders if o.at < clock]
    assert [told(entry) for entry in part.entries] == [told(entry) for entry in whole.entries if entry.at < clock]
    assert part.payouts == [payout for payout in whole.payouts if payout.at < clock]
    later = {order.order_id: order for order in whole.orders}
    for order in part.orders:
        full = later[order.order_id]
        assert order.lines == full.lines
        assert order.changed_at < clock
        assert order.parcels == [parcel for parcel in full.parcels if parcel.at < clock]
        assert order.refunds == [refund for refund in full.refunds if refund.at < clock]
        assert order.paid_at == (full.paid_at if full.paid_at and full.paid_at < clock else None)


def test_it_is_one_of_the_faces(world: World) -> None:
    faces = Client(create_app(world)).get("/").json()["faces"]
    assert faces["ebay_finances"] == "/apiz/sell/finances/v1"
    assert "RETREASURE_EBAY_REFRESH_TOKEN" in EbayFace.environment("http://x")


@pytest.mark.parametrize(
    ("auth", "form", "status", "error"),
    [
        ("x:y", {"grant_type": "refresh_token"}, 401, "invalid_client"),
        (None, {"grant_type": "authorization_code"}, 400, "unsupported_grant_type"),
        (None, {"grant_type": "refresh_token", "refresh_token": "old"}, 400, "invalid_grant"),
    ],
)
def test_tokens_are_given_for_the_right_keys_only(
    client: Client, auth: str | None, form: dict[str, str], status: int, error: str
) -> None:
    keys = (auth or f"{ebay.EBAY_CLIENT_ID}:{ebay.EBAY_CLIENT_SECRET}").encode()
    headers = {"Authorization": f"Basic {base64.b64encode(keys).decode()}"}
    answer = client.post("/identity/v1/oauth2/token", headers=headers, data=form)
    assert (answer.status_code, answer.json()["error"]) == (status, error)


def test_a_token_ends(client: Client, clock: Clock) -> None:
    headers = token(client)
    assert client.get(ORDER, headers=headers).status_code == 200
    clock.now += 101
    assert client.get(ORDER, headers=headers).status_code == 401
    assert client.get(ORDER).json()["errors"][0]["errorId"] == 1001


def test_the_finances_api_wants_marketplace_and_signature(client: Client, clock: Clock) -> None:
    headers = token(client)
    assert client.get(PAYOUT, headers=headers).json()["errors"][0]["errorId"] == 215001
    del headers["X-EBAY-C-MARKETPLACE-ID"]
    assert client.get(PAYOUT, headers=headers).json()["errors"][0]["errorId"] == 135011
    assert ask(client, clock, PAYOUT).status_code == 200


@pytest.mark.parametrize(
    ("path", "query", "error"),
    [
        (ORDER, {"limit": "201"}, 31100),
        (ORDER, {"limit": "0"}, 31100),
        (ORDER, {"offset": "-1"}, 31000),
        (ORDER, {"filter": "lastmodifieddate:[yesterday..]"}, 30810),
        (ORDER, {"filter": "lastmodifieddate:[2026-02-01T00:00:00.000Z..2026-01-01T00:00:00.000Z]"}, 30840),
        (ORDER, {"filter": "lastmodifieddate:[2023-02-01T00:00:00.000Z..2026-01-01T00:00:00.000Z]"}, 30830),
        (ORDER, {"filter": "buyer:{x}"}, 30700),
        (ORDER, {"filter": "nonsense"}, 30700),
        (ORDER, {"fieldGroups": "ALL"}, 32800),
        (ORDER, {"orderIds": ",".join(["1"] * 51)}, 30900),
        (f"{ORDER}/1", {}, 32100),
        (TRANSACTION, {"limit": "1001"}, 135003),
        (TRANSACTION, {"sort": "amount"}, 135005),
        (TRANSACTION, {"filter": "transactionDate:[today..]"}, 135008),
        (TRANSACTION, {"filter": "transactionType:{GIFT}"}, 135006),
        (TRANSACTION, {"filter": "transactionStatus:{GONE}"}, 135007),
        (PAYOUT, {"limit": "201"}, 135003),
        (PAYOUT, {"filter": "payoutStatus:{GONE}"}, 135002),
        (PAYOUT, {"filter": "payoutDate:[today..]"}, 135004),
        (ITEM, {"limit": "201"}, 25706),
        (ITEM, {"offset": "1000"}, 25706),
        ("/sell/inventory/v1/offer", {}, 25707),
        ("/sell/inventory/v1/offer", {"sku": "none"}, 25713),
    ],
)
def test_it_refuses_what_ebay_refuses(
    client: Client, clock: Clock, path: str, query: dict[str, str], error: int
) -> None:
    answer = ask(client, clock, path, **query)
    assert answer.status_code in (400, 404)
    assert answer.json()["errors"][0]["errorId"] == error


def test_nothing_found_is_204_in_finances_and_an_empty_list_of_orders(client: Client, clock: Clock) -> None:
    period = "[2020-01-01T00:00:00.000Z..2020-02-01T00:00:00.000Z]"
    answer = ask(client, clock, TRANSACTION, filter=f"transactionDate:{period}")
    assert (answer.status_code, answer.content) == (204, b"")
    orders = ask(client, clock, ORDER, filter=f"lastmodifieddate:{period}").json()
    assert (orders["total"], orders["orders"]) == (0, [])


def test_the_creation_date_wins_over_the_date_of_change(client: Client, clock: Clock) -> None:
    never, ever = "[2020-01-01T00:00:00.000Z..2020-02-01T00:00:00.000Z]", "[2026-01-01T00:00:00.000Z..]"
    assert ask(client, clock, ORDER, filter=f"lastmodifieddate:{ever},creationdate:{never}").json()["total"] == 0
    assert ask(client, clock, ORDER, filter=f"lastmodifieddate:{never},creationdate:{ever}").json()["total"] > 0


def test_totals_hold_remitted_tax_only_when_it_is_broken_down(client: Client, clock: Clock, world: World) -> None:
    taxed = next(order for order in ebay_business(world).orders if order.remitted_tax and order.paid_at)
    plain = ask(client, clock, f"{ORDER}/{taxed.order_id}").json()
    broken = ask(client, clock, f"{ORDER}/{taxed.order_id}", fieldGroups="TAX_BREAKDOWN").json()
    assert Decimal(plain["pricingSummary"]["total"]["value"]) == taxed.total
    assert Decimal(broken["pricingSummary"]["total"]["value"]) == taxed.total + taxed.remitted_tax
    assert "tax" not in plain["pricingSummary"]
    assert [line["taxes"] for line in plain["lineItems"]] == [[]] * len(taxed.lines)
    for shown in (plain, broken):
        payment = shown["paymentSummary"]["payments"][0]["amount"]
        paid = payment.get("convertedFromValue", payment["value"])
        assert Decimal(paid) == taxed.total + taxed.remitted_tax


def test_a_list_of_orders_leaves_out_the_requests_to_cancel(client: Client, clock: Clock, world: World) -> None:
    wished = next(order for order in ebay_business(world).orders if order.cancellation)
    listed = ask(client, clock, ORDER, orderIds=wished.order_id).json()["orders"][0]
    alone = ask(client, clock, f"{ORDER}/{wished.order_id}").json()
    assert listed["cancelStatus"]["cancelRequests"] == []
    assert alone["cancelStatus"]["cancelRequests"][0]["cancelReason"] == wished.cancellation.reason  # type: ignore[union-attr]


def test_addresses_are_shown_for_a_while_only(client: Client, clock: Clock, world: World) -> None:
    orders = ask(client, clock, ORDER, limit="200", filter="lastmodifieddate:[2025-12-01T00:00:00.000Z..]").json()[
        "orders"
    ]
    ages: dict[bool, set[bool]] = {True: set(), False: set()}
    for order in orders:
        young = order["creationDate"] > (world.clock - timedelta(days=14)).isoformat()
        ages[young].add("email" in order["buyer"]["buyerRegistrationAddress"])
    assert ages == {True: {True}, False: {False}}


def test_pages_tell_where_the_next_one_is(client: Client, clock: Clock) -> None:
    first = ask(client, clock, ITEM, limit="200").json()
    assert "offset=1" in first["next"]
    last = ask(client, clock, ITEM, limit="200", offset=str((first["total"] - 1) // 200)).json()
    assert "next" not in last
    oldest = ask(client, clock, TRANSACTION, limit="1", sort="transactionDate").json()["transactions"][0]
    newest = ask(client, clock, TRANSACTION, limit="1").json()["transactions"][0]
    assert oldest["transactionDate"] < newest["transactionDate"]


def test_a_world_without_sales_on_ebay(world: World) -> None:
    empty = dataclasses.replace(world, marketplace_sales=[])
    business = ebay_business(empty)
    assert business.orders == []
    assert all(entry.order is None for entry in business.entries)
