"""The sandbox's Etsy: what its world gives, and what its face refuses."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from decimal import Decimal
from typing import Any

import httpx
import pytest

from retreasure_assets.sandbox.etsy import KEYSTRING, SHARED_SECRET, EtsyFace
from retreasure_assets.sandbox.etsy_format import SHOP_ID
from retreasure_assets.sandbox.etsy_requests import EtsyOptions
from retreasure_assets.sandbox.etsy_tokens import TokenOffice, refresh_token
from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.truth import planted_personal_values, truth
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world
from retreasure_assets.sandbox.world_etsy import etsy_shop
from retreasure_assets.sandbox.world_etsy_types import EtsyShop

Ask = Callable[..., httpx.Response]
SHOP = f"/v3/application/shops/{SHOP_ID}"
LEDGER = f"{SHOP}/payment-account/ledger-entries"
KEY = {"x-api-key": f"{KEYSTRING}:{SHARED_SECRET}"}


@pytest.fixture(scope="module")
def etsy(full_world: World) -> EtsyShop:
    return etsy_shop(full_world)


@pytest.fixture(scope="module")
def url(world: World) -> Iterator[str]:
    with running_sandbox(world) as base:
        yield base


def token(url: str, number: int = 0) -> httpx.Response:
    form = {"grant_type": "refresh_token", "client_id": KEYSTRING, "refresh_token": refresh_token(number)}
    return httpx.post(f"{url}/v3/public/oauth/token", data=form)


@pytest.fixture(scope="module")
def bearer(url: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token(url).json()['access_token']}"}


@pytest.fixture(scope="module")
def ask(url: str, bearer: dict[str, str]) -> Ask:
    """GET a path with both credentials; ``headers`` replaces them."""

    def send(path: str, headers: dict[str, str] | None = None, **query: Any) -> httpx.Response:
        return httpx.get(f"{url}{path}", params=query, headers={**KEY, **bearer} if headers is None else headers)

    return send


# --- the world ---------------------------------------------------------------------------------------------------


def test_there_is_one_of_everything(etsy: EtsyShop, full_world: World) -> None:
    receipts = etsy.receipts
    sales = sum(sale.channel == "etsy" for sale in full_world.marketplace_sales)
    assert sales - 1 <= sum(len(receipt.lines) for receipt in receipts) <= sales
    assert len({receipt.receipt_id for receipt in receipts}) == len(receipts)
    assert any(len(receipt.lines) > 1 for receipt in receipts)
    assert {receipt.currency for receipt in receipts} == {"EUR", "GBP", "USD", "JPY"}
    for wanted in ("discount", "shipping", "gift_wrap", "tax", "vat", "message", "gift_message", "refunds"):
        some = sum(bool(getattr(receipt, wanted)) for receipt in receipts)
        assert 0 < some < len(receipts), wanted
    assert {receipt.vat_included for receipt in receipts if receipt.vat} == {True, False}
    assert {receipt.email is None for receipt in receipts} == {True, False}
    cancelled = [receipt for receipt in receipts if receipt.cancelled_at is not None]
    assert {receipt.paid_at is None for receipt in cancelled} == {True, False}
    assert {receipt.cancelled_silently for receipt in cancelled} == {True, False}
    refunds = [(receipt, refund) for receipt in receipts for refund in receipt.refunds]
    assert {refund.surfaces for _, refund in refunds} == {"at once", "silently", "never"}
    assert {refund.amount == receipt.total for receipt, refund in refunds} == {True, False}
    assert any(refund.reason == "Out of stock" for _, refund in refunds), "an oversold piece"
    kinds = Counter(entry.ledger_type for entry in etsy.entries)
    assert kinds.keys() >= {
        "PAYMENT_GROSS",
        "PAYMENT_PROCESSING_FEE",
        "REFUND_GROSS",
        "sales_tax",
        "sales_tax_refund",
        "transaction",
        "transaction_refund",
        "shipping_transaction",
        "gift_wrap_fees",
        "offsite_ads_fee",
        "shipping_labels",
        "listing",
        "auto_renew_expired",
        "vat_seller_services",
        "DISBURSE2",
        "seller_protection_adjustment",
    }


def test_the_ledger_keeps_its_balance(etsy: EtsyShop) -> None:
    balance = 0
    for place, entry in enumerate(etsy.entries, 1):
        balance += entry.amount
        assert (entry.sequence, entry.balance) == (place, balance)
        assert entry.parent is None or entry.parent.sequence < entry.sequence
    times = [entry.at for entry in etsy.entries]
    assert times == sorted(times)
    left = [entry.balance for entry in etsy.entries if entry.ledger_type == "DISBURSE2"]
    assert all(balance >= 0 for balance in left)
    assert any(balance > 0 for balance in left), "some of it is not available yet"


@pytest.mark.parametrize("days", [9, 23, 41])
def test_a_shorter_world_is_the_first_part_of_a_longer_one(days: int) -> None:
    longer = generate_world(WorldSpec(seed=5, days=48, scale=0.6))
    shorter = generate_world(WorldSpec(seed=5, days=days, scale=0.6))
    assert etsy_shop(longer.as_of(shorter.clock)) == etsy_shop(shorter)
    later = {receipt.receipt_id: receipt for receipt in etsy_shop(longer).receipts}
    for receipt in etsy_shop(shorter).receipts:
        same = replace(
            later[receipt.receipt_id],
            paid_at=receipt.paid_at,
            cancelled_at=receipt.cancelled_at,
            refunds=receipt.refunds,
            parcels=receipt.parcels,
        )
        assert same == receipt
    entries = etsy_shop(longer).entries
    known = [(entry.entry_id, entry.amount, entry.balance, entry.at) for entry in etsy_shop(shorter).entries]
    assert [(entry.entry_id, entry.amount, entry.balance, entry.at) for entry in entries][: len(known)] == known


def test_the_truth_of_the_channel_adds_up(full_world: World, etsy: EtsyShop) -> None:
    facts = truth(full_world)
    orders = [row for row in facts["fct_orders"] if row["channel"] == "etsy"]
    assert len(orders) == len(etsy.receipts) == facts["counts"]["etsy_receipts"]
    fees = sum(Decimal(row["fee_amount"]) for row in facts["fct_fees"] if row["channel"] == "etsy")
    paid_out = sum(Decimal(row["net_amount"]) for row in facts["fct_payouts"] if row["channel"] == "etsy")
    moved = sum(
        entry.amount
        for entry in etsy.entries
        if entry.ledger_type in ("PAYMENT_GROSS", "REFUND_GROSS", "sales_tax", "sales_tax_refund")
    )
    # What came in, less fees and payouts, is the balance.
    assert Decimal(moved) / 100 - fees - paid_out == Decimal(etsy.entries[-1].balance) / 100


def test_planted_values_are_in_the_face_and_in_the_list(ask: Ask, world: World) -> None:
    planted = set(planted_personal_values(world))
    for record in ask(f"{SHOP}/receipts", limit=100).json()["results"]:
        for name in ("name", "first_line", "buyer_email", "message_from_buyer", "gift_message", "gift_sender"):
            assert record[name] in planted | {None, ""}
        assert str(record["buyer_user_id"]) in planted


# --- the face ----------------------------------------------------------------------------------------------------


def test_pages_are_of_a_hundred_at_most_and_whole(ask: Ask, world: World) -> None:
    assert len(ask(f"{SHOP}/receipts").json()["results"]) == 25
    found: set[int] = set()
    for cancelled in ("false", "true"):
        offset = 0
        while True:
            page = ask(f"{SHOP}/receipts", limit=7, offset=offset, was_canceled=cancelled).json()
            found |= {record["receipt_id"] for record in page["results"]}
            offset += 7
            if offset >= page["count"]:
                break
    assert found == {receipt.receipt_id for receipt in etsy_shop(world).receipts}


def test_cancelled_receipts_come_only_where_they_are_asked_for(ask: Ask, world: World) -> None:
    gone = {receipt.receipt_id for receipt in etsy_shop(world).receipts if receipt.cancelled_at is not None}
    assert gone
    plain = {record["receipt_id"] for record in ask(f"{SHOP}/receipts", limit=100).json()["results"]}
    asked = {
        record["receipt_id"] for record in ask(f"{SHOP}/receipts", limit=100, was_canceled="true").json()["results"]
    }
    assert asked == gone
    assert not plain & gone


@pytest.mark.parametrize(
    ("sort_on", "column", "bound"),
    [("created", "created_timestamp", "created"), ("updated", "updated_timestamp", "last_modified")],
)
def test_orders_and_bounds(ask: Ask, sort_on: str, column: str, bound: str) -> None:
    rows = ask(f"{SHOP}/receipts", limit=100, sort_on=sort_on, sort_order="asc").json()["results"]
    times = [row[column] for row in rows]
    assert times == sorted(times)
    low, high = times[5], times[20]
    for order in ("asc", "desc"):
        query = {f"min_{bound}": low, f"max_{bound}": high, "sort_on": sort_on, "sort_order": order, "limit": 100}
        some = [row[column] for row in ask(f"{SHOP}/receipts", **query).json()["results"]]
        assert sorted(some) == [at for at in times if low <= at <= high]


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (f"{SHOP}/receipts", {"limit": 101}),
        (f"{SHOP}/receipts", {"limit": 0}),
        (f"{SHOP}/receipts", {"offset": -1}),
        (f"{SHOP}/receipts", {"min_last_modified": 5}),
        (f"{SHOP}/receipts", {"min_last_modified": "yesterday"}),
        (f"{SHOP}/receipts", {"sort_on": "updated_at"}),
        (f"{SHOP}/receipts", {"sort_order": "upwards"}),
        (f"{SHOP}/receipts", {"was_canceled": "1"}),
        (f"{SHOP}/receipts", {"updated_after": 1_767_571_200}),
        (f"{SHOP}/listings", {"state": "archived"}),
        (f"{SHOP}/listings", {"includes": "Everything"}),
        (LEDGER, {"min_created": 1_767_571_200}),
        (LEDGER, {"max_created": 1_767_571_200}),
        (LEDGER, {"min_created": 1_767_571_200, "max_created": 1_767_571_200 + 2_678_401}),
        (LEDGER, {"min_created": 1_767_571_201, "max_created": 1_767_571_200}),
        (f"{LEDGER}/payments", {}),
        (f"{SHOP}/payments", {"payment_ids": ",".join(map(str, range(1, 102)))}),
    ],
)
def test_what_etsy_refuses(ask: Ask, path: str, query: dict[str, Any]) -> None:
    answer = ask(path, **query)
    assert answer.status_code == 400
    assert set(answer.json()) == {"error"}


def test_a_window_of_31_days_is_allowed(ask: Ask) -> None:
    answer = ask(LEDGER, min_created=1_767_571_200, max_created=1_767_571_200 + 2_678_400, limit=100)
    times = [entry["created_timestamp"] for entry in answer.json()["results"]]
    assert len(times) == 100
    assert times == sorted(times, reverse=True)


def test_keys_and_tokens(ask: Ask, bearer: dict[str, str]) -> None:
    good = bearer["Authorization"]
    for headers in (
        {"Authorization": good},
        {"Authorization": good, "x-api-key": KEYSTRING},
        KEY,
        {**KEY, "Authorization": "Bearer nothing"},
        {**KEY, "Authorization": good[:-1]},
        {**KEY, "Authorization": f"Bearer {refresh_token(0)}"},
    ):
        assert ask(f"{SHOP}/receipts", headers=headers).status_code == 401
    assert ask(f"{SHOP}/receipts", headers={**KEY, "Authorization": good}).status_code == 200
    # The shop itself is open to the app.
    assert ask(SHOP, headers=KEY).status_code == 200
    assert ask("/v3/application/shops/1/receipts").status_code == 404


def test_a_refresh_token_rotates_and_ends_with_the_use_of_the_next() -> None:
    now = [0.0]
    office = TokenOffice(clock=lambda: now[0])
    access, second = office.refresh(refresh_token(0)) or ("", "")
    assert office.refresh(refresh_token(0)) is not None, "nothing of the answer was used yet: it may be lost"
    assert office.admits(access)
    assert office.refresh(refresh_token(0)) is None, "used up"
    third = office.refresh(second)
    assert third is not None
    now[0] += 3601
    assert not office.admits(access), "an access token lives an hour"
    assert TokenOffice().refresh(third[1]) is not None, "a server started anew knows it"
    assert office.refresh(third[1][:-1] + "0") is None or third[1].endswith("0")
    strict = TokenOffice(grace=False)
    strict.refresh(refresh_token(0))
    assert strict.refresh(refresh_token(0)) is None


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"client_id": "another"}, "invalid_client"),
        ({"refresh_token": "512004118.refresh-000000-0"}, "invalid_grant"),
    ],
)
def test_refreshing_wrongly(url: str, form: dict[str, str], error: str) -> None:
    good = {"grant_type": "refresh_token", "client_id": KEYSTRING, "refresh_token": refresh_token(0)}
    answer = httpx.post(f"{url}/v3/public/oauth/token", data={**good, **form})
    assert answer.status_code in (400, 401)
    assert answer.json() == {"error": error}


def strict(world: World, options: EtsyOptions, path: str, times: int = 1) -> list[httpx.Response]:
    """Answers of a face with options of its own."""
    import anyio
    from starlette.applications import Starlette

    app = Starlette(routes=EtsyFace(world, options).routes)

    async def run() -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://etsy") as client:
            form = {"grant_type": "refresh_token", "client_id": KEYSTRING, "refresh_token": refresh_token(0)}
            issued = (await client.post("/v3/public/oauth/token", data=form)).json()
            headers = {**KEY, "Authorization": f"Bearer {issued['access_token']}"}
            return [await client.get(path, headers=headers) for _ in range(times)]

    return anyio.run(run)


def test_a_missing_scope(world: World) -> None:
    (answer,) = strict(world, EtsyOptions(scopes=("listings_r",)), f"{SHOP}/receipts")
    assert answer.status_code == 403
    assert "transactions_r" in answer.json()["error"]


def test_limits_are_told_and_kept(world: World) -> None:
    now = [0.0]
    answers = strict(world, EtsyOptions(per_second=3, per_day=5, clock=lambda: now[0]), f"{SHOP}/receipts", 4)
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert answers[0].headers["x-limit-per-second"] == "3"
    assert answers[2].headers["x-remaining-today"] == "2"
    assert answers[3].headers["retry-after"] == "1"
    spent = strict(world, EtsyOptions(per_day=1), f"{SHOP}/receipts", 2)
    assert (spent[1].status_code, spent[1].headers["retry-after"]) == (429, "86400")
