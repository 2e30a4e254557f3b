"""What eBay refuses and when tokens end: the sync goes on where it can, errors name the remedy and quote nothing."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from retreasure_assets.errors import PermanentSourceError, SourceError, TransientSourceError
from retreasure_assets.sources.ebay.connector import LISTINGS
from tests.unit.sources.fake_seller import NOW, Connect, FakeSeller, days, ids, order, sync


def test_a_token_that_ends_in_mid_run_is_renewed(seller: FakeSeller, connect_ebay: Connect) -> None:
    seller.orders = [order(n, NOW - days(3) + timedelta(seconds=n)) for n in range(900)]

    def revoke(request: httpx.Request) -> None:
        if len(seller.asked) == 3:
            seller.valid.clear()
        if len(seller.asked) == 6:
            seller.clock += 7200.0

    seller.before = revoke
    connector = connect_ebay()
    assert len(set(ids(sync(connector, "orders")))) == 900
    # One to begin with, one for the one revoked, one for the one that ended by itself before it was refused.
    assert seller.issued == 3
    assert connector.http.counters.retries == 0


def test_a_token_that_ends_between_its_renewal_and_its_use_is_renewed_again(
    seller: FakeSeller, connect_ebay: Connect
) -> None:
    """As when several threads share it: one renews it, another one uses it until it ends, then the first one does."""
    seller.orders = [order(n, NOW - days(3)) for n in range(3)]
    connector = connect_ebay()

    def revoke(request: httpx.Request) -> None:
        if len(seller.asked) == 1:
            seller.valid.clear()
        if len(seller.asked) == 2:
            assert len(ids(sync(connector, "orders"))) == 3
            seller.valid.clear()

    seller.before = revoke
    assert len(ids(sync(connector, "orders"))) == 3
    assert seller.issued == 3


def test_a_token_that_is_always_refused_ends_the_sync(seller: FakeSeller, connect_ebay: Connect) -> None:
    seller.before = lambda request: httpx.Response(401, json={"errors": [{"errorId": 1001}]})
    with pytest.raises(PermanentSourceError, match=r"HTTP 401, error 1001.*RETREASURE_EBAY_REFRESH_TOKEN"):
        sync(connect_ebay(), "orders")
    assert len(seller.asked) == 2


@pytest.mark.parametrize(
    ("options", "refuse", "said"),
    [
        ({"client_secret": "wrong"}, False, "RETREASURE_EBAY_CLIENT_SECRET"),
        ({}, True, "RETREASURE_EBAY_REFRESH_TOKEN"),
        ({"refresh_token": "of another app"}, False, "RETREASURE_EBAY_REFRESH_TOKEN"),
    ],
)
def test_wrong_keys(
    seller: FakeSeller, connect_ebay: Connect, options: dict[str, str], refuse: bool, said: str
) -> None:
    seller.refuse_refresh = refuse
    with pytest.raises(PermanentSourceError, match=said) as caught:
        connect_ebay(**options).check()
    assert "another app" not in str(caught.value).replace("belongs to another app", "")


def test_check_names_each_scope_that_is_missing(seller: FakeSeller, connect_ebay: Connect) -> None:
    assert connect_ebay().check() == []
    assert len(seller.asked) == 3
    seller.before = lambda request: (
        httpx.Response(403, json={"errors": [{"errorId": 1100}]}) if "fulfillment" not in request.url.path else None
    )
    missing = connect_ebay().check()
    assert len(missing) == 2
    assert "sell.inventory.readonly" in missing[0]
    assert "sell.finances" in missing[1]


@pytest.mark.parametrize(
    ("status", "number", "kind", "said"),
    [
        (400, 30810, PermanentSourceError, "error 30810"),
        (403, 1100, PermanentSourceError, "sell.fulfillment.readonly"),
        (403, 215001, PermanentSourceError, "RETREASURE_EBAY_SIGNING_KEY"),
        (404, 0, PermanentSourceError, "RETREASURE_EBAY_URL"),
        (429, 2001, TransientSourceError, "limits the rate"),
        (500, 30500, TransientSourceError, "HTTP 500"),
        (503, 0, TransientSourceError, "HTTP 503"),
        (301, 0, PermanentSourceError, "redirects"),
    ],
)
def test_refusals_name_the_remedy_and_quote_nothing(
    seller: FakeSeller, connect_ebay: Connect, status: int, number: int, kind: type[SourceError], said: str
) -> None:
    text = "jane@example.com may not"
    seller.before = lambda request: httpx.Response(status, json={"errors": [{"errorId": number, "message": text}]})
    with pytest.raises(kind, match=said) as caught:
        sync(connect_ebay(), "orders")
    assert "jane" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert len(seller.asked) == (4 if kind is TransientSourceError else 1)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"orders":{}}', b'{"total":1}', b'{"total":"x","orders":[]}', b'{"total":2,"orders":[{"a":1},'],
)
def test_a_page_that_is_none_is_tried_again_and_then_named(
    seller: FakeSeller, connect_ebay: Connect, body: bytes
) -> None:
    seller.before = lambda request: httpx.Response(200, content=body)
    with pytest.raises(SourceError, match="eBay sent a page that cannot be read"):
        sync(connect_ebay(), "orders")
    assert len(seller.asked) == 4
    good = httpx.Response(200, content=b'{"total":0,"orders":[]}')
    answers = iter([httpx.Response(200, content=body), good])
    seller.before = lambda request: next(answers, good)
    assert sync(connect_ebay(), "orders") == []


def test_limits_are_those_that_ebay_states() -> None:
    assert {name: listing.limit for name, listing in LISTINGS.items()} == {
        "orders": 200,
        "fulfillments": 200,
        "transactions": 1000,
        "payouts": 200,
    }


def test_secrets_show_in_no_representation(connect_ebay: Connect) -> None:
    connector = connect_ebay(client_secret="hush-hush", refresh_token="very-quiet")
    shown = repr(connector) + repr(vars(connector))
    assert "hush-hush" not in shown
    assert "very-quiet" not in shown
