"""The eBay connector against an account that changes, fails and forgets: nothing is lost, errors say what to do."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.entities import Cursor, RawBatch, Window
from retreasure_assets.errors import PermanentSourceError, SourceError, TransientSourceError
from retreasure_assets.sources.ebay import ENTITIES, EbayConnector
from retreasure_assets.sources.ebay.connector import LISTINGS
from retreasure_assets.sources.ebay.records import head_decoder
from retreasure_assets.sources.ebay.scan import Found, ScanState, iso, scan
from tests.unit.sources.fake_seller import CLIENT_ID, CLIENT_SECRET, NOW, REFRESH_TOKEN, FakeSeller, order

Connect = Callable[..., EbayConnector]


@pytest.fixture
def seller() -> FakeSeller:
    return FakeSeller()


@pytest.fixture
def connect(seller: FakeSeller) -> Iterator[Connect]:
    opened: list[EbayConnector] = []

    def build(**changes: Any) -> EbayConnector:
        options: dict[str, Any] = {
            "client_id": CLIENT_ID,
            "client_secret": CLIENT_SECRET,
            "refresh_token": REFRESH_TOKEN,
            "marketplace": "EBAY_GB",
            "history_start": date(2026, 1, 1),
            "transport": httpx.MockTransport(seller.handle),
            "sleep": seller.sleep,
            "monotonic": lambda: seller.clock,
            "now": lambda: NOW,
            **changes,
        }
        opened.append(EbayConnector(**options))
        return opened[-1]

    yield build
    for connector in opened:
        connector.close()


def sync(connector: EbayConnector, name: str, cursor: Cursor | None = None, **window: Any) -> list[RawBatch]:
    return list(connector.batches(ENTITIES[name], cursor, Window(**window)))


def ids(batches: list[RawBatch], key: str = "orderId") -> list[str]:
    return [json.loads(record)[key] for batch in batches for record in batch.records]


def days(number: float) -> timedelta:
    return timedelta(days=number)


def test_every_record_comes_once_byte_for_byte(seller: FakeSeller, connect: Connect) -> None:
    raw = b'{"orderId" : "1", "lastModifiedDate":"2026-05-01T00:00:00.000Z","total":1.10,"new":"\\u00e9"}'
    body = b'{"total":1,"orders":[ ' + raw + b" ]}"
    seller.before = lambda request: httpx.Response(200, content=body)
    batches = sync(connect(history_start=date(2026, 5, 31)), "orders")
    assert {record for batch in batches for record in batch.records} == {raw}


def test_orders_are_asked_for_by_change_in_pages_of_200_with_taxes_broken_down(
    seller: FakeSeller, connect: Connect
) -> None:
    seller.orders = [order(n, NOW - days(100) + timedelta(minutes=n)) for n in range(450)]
    batches = sync(connect(), "orders")
    assert sorted(ids(batches)) == sorted(found["orderId"] for found in seller.orders)
    for request in seller.asked:
        assert request.url.params["filter"].startswith("lastmodifieddate:[")
        assert request.url.params["limit"] == "200"
        assert request.url.params["fieldGroups"] == "TAX_BREAKDOWN"
    # The number of orders is asked for first, then the pages from the last one on.
    period = seller.pages[0][0]
    assert [offset for asked, offset in seller.pages if asked == period] == [0, 400, 200, 0]


def test_an_order_that_changes_while_it_is_read_takes_no_other_along(seller: FakeSeller, connect: Connect) -> None:
    seller.orders = [order(n, NOW - days(5) + timedelta(minutes=n)) for n in range(400)]
    touched: list[int] = []

    def change(request: httpx.Request) -> None:
        # Whenever a page was read, an order at the front changes: it leaves the period, the others move up.
        if len(touched) < 3 and "filter" in request.url.params:
            found = seller.orders[len(touched)]
            found["lastModifiedDate"] = iso(NOW - timedelta(seconds=5))
            touched.append(1)

    seller.before = change
    batches = sync(connect(history_start=date(2026, 5, 20)), "orders")
    assert set(ids(batches)) == {found["orderId"] for found in seller.orders}


@given(
    total=st.integers(0, 60),
    limit=st.integers(1, 9),
    leaving=st.lists(st.integers(0, 59), max_size=30),
)
def test_pages_from_the_last_on_lose_nothing_that_stays(total: int, limit: int, leaving: list[int]) -> None:
    """Whatever leaves the list between two pages, what stays is read."""
    present = [f"{n:03d}" for n in range(total)]
    gone = iter(leaving)

    def ask(start: str, end: str, offset: int) -> Found:
        if not end:
            return Found([], 0)
        page = Found([name.encode() for name in present[offset : offset + limit]], len(present))
        leaver = f"{next(gone, 999):03d}"
        if leaver in present:
            present.remove(leaver)
        return page

    state = ScanState(iso(NOW - days(10)))
    steps = scan(ask, state, now=NOW, limit=limit, head=head_decoder("lastModifiedDate"))
    read = [record for step in steps for record in step.records]
    assert {name.encode() for name in present} <= set(read)


def test_a_killed_sync_goes_on_where_its_last_durable_batch_ended(seller: FakeSeller, connect: Connect) -> None:
    seller.orders = [order(n, NOW - days(3) + timedelta(seconds=n)) for n in range(900)]
    first = connect(history_start=date(2026, 5, 20)).batches(ENTITIES["orders"], None, Window())
    held = [next(first), next(first)]
    del first
    cursor = json.loads(json.dumps(held[-1].cursor))
    before = len(seller.asked)
    rest = sync(connect(history_start=date(2026, 5, 20)), "orders", cursor)
    assert set(ids(held + rest)) == {found["orderId"] for found in seller.orders}
    # 900 orders are 5 pages; what two durable batches held is not asked for again.
    assert len([1 for asked in seller.asked[before:] if asked.url.params["offset"] != "0"]) == 2
    finished = rest[-1].cursor
    assert finished == {"updated_at": seller.orders[-1]["lastModifiedDate"]}


def test_the_next_sync_reads_48_hours_back_and_the_ledger_90_days(seller: FakeSeller, connect: Connect) -> None:
    seller.orders = [order(1, NOW - days(1))]
    seller.entries = [{"transactionId": "1", "transactionDate": iso(NOW - days(1))}]
    connector = connect()
    for name in ("orders", "transactions"):
        done = sync(connector, name)[-1].cursor
        seller.asked.clear()
        again = sync(connector, name, done)
        assert again[-1].cursor == done
        start = seller.pages[0][0].strip("[]").partition("..")[0]
        assert start == iso(NOW - days(1) - ENTITIES[name].overlap)


def test_history_comes_in_periods_and_orders_reach_back_two_years(seller: FakeSeller, connect: Connect) -> None:
    connector = connect(history_start=date(2015, 1, 1))
    assert sync(connector, "orders") == []
    starts = [period.strip("[]").partition("..") for period, _ in seller.pages]
    assert starts[0][0] == iso(NOW - days(729))
    assert all(end == following for (_, _, end), (following, _, _) in itertools.pairwise(starts))
    assert starts[-1][2] == ""
    assert starts[-1][0] == iso(NOW - timedelta(minutes=10))


def test_a_window_is_read_alone_and_without_cursors(seller: FakeSeller, connect: Connect) -> None:
    seller.orders = [order(n, NOW - days(n)) for n in range(1, 40)]
    batches = sync(connect(), "orders", None, since=NOW - days(20), until=NOW - days(10))
    assert sorted(ids(batches)) == sorted(order(n, NOW)["orderId"] for n in range(10, 21))
    assert [batch.cursor for batch in batches] == [None] * len(batches)
    assert sync(connect(), "orders", None, since=NOW - days(1), until=NOW - days(2)) == []


def test_cancelled_orders_are_asked_for_one_by_one(seller: FakeSeller, connect: Connect) -> None:
    wished = {"cancelState": "IN_PROGRESS", "cancelRequests": []}
    seller.orders = [order(1, NOW - days(2)), order(2, NOW - days(1), cancelStatus=wished)]
    records = [json.loads(record) for batch in sync(connect(), "orders") for record in batch.records]
    reasons = {record["orderId"]: record["cancelStatus"]["cancelRequests"] for record in records}
    assert reasons == {"01-00001-00000": [], "01-00002-00000": [{"cancelReason": "ORDER_MISTAKE"}]}
    assert sum("/order/" in request.url.path for request in seller.asked) == 1


def test_an_order_that_is_gone_when_asked_for_keeps_its_place(seller: FakeSeller, connect: Connect) -> None:
    wished = {"cancelState": "SOMETHING_NEW", "cancelRequests": []}
    seller.orders = [order(2, NOW - days(1), cancelStatus=wished)]
    seller.before = lambda request: (
        httpx.Response(404, json={"errors": [{"errorId": 32100}]}) if "/order/" in request.url.path else None
    )
    assert ids(sync(connect(), "orders")) == ["01-00002-00000"]


def test_nothing_in_the_ledger_is_no_error(seller: FakeSeller, connect: Connect) -> None:
    connector = connect()
    assert sync(connector, "transactions") == []
    assert sync(connector, "payouts") == []
    assert connector.http.counters.retries == 0


def test_the_ledger_goes_to_its_own_host_with_the_marketplace(seller: FakeSeller, connect: Connect) -> None:
    seller.payouts = [{"payoutId": "1", "payoutDate": iso(NOW - days(2))}]
    assert ids(sync(connect(), "payouts"), "payoutId") == ["1"]
    for request in seller.asked:
        assert request.url.host == "apiz.ebay.com"
        assert request.headers["x-ebay-c-marketplace-id"] == "EBAY_GB"
        assert request.url.params["sort"] == "payoutDate"
    seller.asked.clear()
    sync(connect(), "orders")
    assert {request.url.host for request in seller.asked} == {"api.ebay.com"}


def test_stock_is_read_whole_by_page_number_and_offers_sku_by_sku(seller: FakeSeller, connect: Connect) -> None:
    seller.items = [{"sku": f"RT-{n:04d} &/é"} for n in range(450)]
    seller.offers = {item["sku"]: [{"offerId": item["sku"], "sku": item["sku"]}] for item in seller.items[:-3]}
    batches = sync(connect(), "inventory_items")
    assert ids(batches, "sku") == [item["sku"] for item in seller.items]
    assert [request.url.params["offset"] for request in seller.asked] == ["0", "1", "2"]
    assert [batch.cursor for batch in batches] == [{"page": 1}, {"page": 2}, {}]
    assert ids(sync(connect(), "inventory_items", {"page": 2}), "sku") == [item["sku"] for item in seller.items[400:]]
    assert ids(sync(connect(), "offers"), "sku") == [item["sku"] for item in seller.items[:-3]]


def test_an_empty_stock(seller: FakeSeller, connect: Connect) -> None:
    assert sync(connect(), "inventory_items") == []
    assert sync(connect(), "offers") == []


def test_a_token_that_ends_in_mid_run_is_renewed(seller: FakeSeller, connect: Connect) -> None:
    seller.orders = [order(n, NOW - days(3) + timedelta(seconds=n)) for n in range(900)]

    def revoke(request: httpx.Request) -> None:
        if len(seller.asked) == 3:
            seller.valid.clear()
        if len(seller.asked) == 6:
            seller.clock += 7200.0

    seller.before = revoke
    connector = connect()
    assert len(set(ids(sync(connector, "orders")))) == 900
    # One to begin with, one for the one revoked, one for the one that ended by itself before it was refused.
    assert seller.issued == 3
    assert connector.http.counters.retries == 0


def test_a_token_that_ends_between_its_renewal_and_its_use_is_renewed_again(
    seller: FakeSeller, connect: Connect
) -> None:
    """As when several threads share it: one renews it, another one uses it until it ends, then the first one does."""
    seller.orders = [order(n, NOW - days(3)) for n in range(3)]
    connector = connect()

    def revoke(request: httpx.Request) -> None:
        if len(seller.asked) == 1:
            seller.valid.clear()
        if len(seller.asked) == 2:
            assert len(ids(sync(connector, "orders"))) == 3
            seller.valid.clear()

    seller.before = revoke
    assert len(ids(sync(connector, "orders"))) == 3
    assert seller.issued == 3


def test_a_token_that_is_always_refused_ends_the_sync(seller: FakeSeller, connect: Connect) -> None:
    seller.before = lambda request: httpx.Response(401, json={"errors": [{"errorId": 1001}]})
    with pytest.raises(PermanentSourceError, match=r"HTTP 401, error 1001.*RETREASURE_EBAY_REFRESH_TOKEN"):
        sync(connect(), "orders")
    assert len(seller.asked) == 2


@pytest.mark.parametrize(
    ("options", "refuse", "said"),
    [
        ({"client_secret": "wrong"}, False, "RETREASURE_EBAY_CLIENT_SECRET"),
        ({}, True, "RETREASURE_EBAY_REFRESH_TOKEN"),
        ({"refresh_token": "of another app"}, False, "RETREASURE_EBAY_REFRESH_TOKEN"),
    ],
)
def test_wrong_keys(seller: FakeSeller, connect: Connect, options: dict[str, str], refuse: bool, said: str) -> None:
    seller.refuse_refresh = refuse
    with pytest.raises(PermanentSourceError, match=said) as caught:
        connect(**options).check()
    assert "another app" not in str(caught.value).replace("belongs to another app", "")


def test_check_names_each_scope_that_is_missing(seller: FakeSeller, connect: Connect) -> None:
    assert connect().check() == []
    assert len(seller.asked) == 3
    seller.before = lambda request: (
        httpx.Response(403, json={"errors": [{"errorId": 1100}]}) if "fulfillment" not in request.url.path else None
    )
    missing = connect().check()
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
    seller: FakeSeller, connect: Connect, status: int, number: int, kind: type[SourceError], said: str
) -> None:
    text = "jane@example.com may not"
    seller.before = lambda request: httpx.Response(status, json={"errors": [{"errorId": number, "message": text}]})
    with pytest.raises(kind, match=said) as caught:
        sync(connect(), "orders")
    assert "jane" not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    assert len(seller.asked) == (4 if kind is TransientSourceError else 1)


@pytest.mark.parametrize(
    "body",
    [b"", b"<html>", b'{"orders":{}}', b'{"total":1}', b'{"total":"x","orders":[]}', b'{"total":2,"orders":[{"a":1},'],
)
def test_a_page_that_is_none_is_tried_again_and_then_named(seller: FakeSeller, connect: Connect, body: bytes) -> None:
    seller.before = lambda request: httpx.Response(200, content=body)
    with pytest.raises(SourceError, match="eBay sent a page that cannot be read"):
        sync(connect(), "orders")
    assert len(seller.asked) == 4
    good = httpx.Response(200, content=b'{"total":0,"orders":[]}')
    answers = iter([httpx.Response(200, content=body), good])
    seller.before = lambda request: next(answers, good)
    assert sync(connect(), "orders") == []


def test_records_that_are_no_orders_travel_on_to_be_judged(seller: FakeSeller, connect: Connect) -> None:
    body = b'{"total":4,"orders":[null,7,{"lastModifiedDate":3},{"orderId":"x","cancelStatus":{"cancelState":{}}}]}'
    seller.before = lambda request: httpx.Response(200, content=body)
    batches = sync(connect(history_start=date(2026, 5, 31)), "orders")
    assert len({record for batch in batches for record in batch.records}) == 4
    assert batches[-1].cursor == {}


@pytest.mark.parametrize("cursor", [{"updated_at": 3}, {"updated_at": "soon"}, {"scan": {"offset": "x"}}])
def test_a_cursor_of_somebody_else(connect: Connect, cursor: Cursor) -> None:
    with pytest.raises(PermanentSourceError, match="--since"):
        sync(connect(), "orders", cursor)


def test_limits_are_those_that_ebay_states() -> None:
    assert {name: listing.limit for name, listing in LISTINGS.items()} == {
        "orders": 200,
        "fulfillments": 200,
        "transactions": 1000,
        "payouts": 200,
    }


def test_secrets_show_in_no_representation(connect: Connect) -> None:
    connector = connect(client_secret="hush-hush", refresh_token="very-quiet")
    shown = repr(connector) + repr(vars(connector))
    assert "hush-hush" not in shown
    assert "very-quiet" not in shown


def sent_order(seller: FakeSeller, number: int, changed: Any, *parcels: str, state: str = "FULFILLED") -> str:
    """An order of which something was sent; its id."""
    seller.orders.append(order(number, changed, orderFulfillmentStatus=state))
    seller.sent[seller.orders[-1]["orderId"]] = [
        {"fulfillmentId": parcel, "shippedDate": iso(changed)} for parcel in parcels
    ]
    return str(seller.orders[-1]["orderId"])


def parcels(batches: list[RawBatch]) -> list[tuple[str, str]]:
    found = [json.loads(payload) for batch in batches for payload in batch.payloads or ()]
    return [(payload["order"]["orderId"], payload["fulfillment"]["fulfillmentId"]) for payload in found]


def test_each_order_of_which_something_was_sent_is_asked_for_its_parcels(seller: FakeSeller, connect: Connect) -> None:
    seller.orders = [order(1, NOW - days(5))]
    # Without a tracking number eBay makes an id up, and the same one for everybody.
    first = sent_order(seller, 2, NOW - days(4), "999")
    second = sent_order(seller, 3, NOW - days(3), "RR1IE", "999", state="IN_PROGRESS")
    batches = sync(connect(), "fulfillments")
    assert sorted(parcels(batches)) == [(first, "999"), (second, "999"), (second, "RR1IE")]
    asked = {request.url.path.split("/")[-2] for request in seller.asked if "shipping_fulfillment" in request.url.path}
    assert asked == {first, second}
    payload = json.loads((batches[0].payloads or [b""])[0])
    assert payload["order"]["creationDate"] == seller.orders[1]["creationDate"]
    assert batches[-1].cursor == {"updated_at": iso(NOW - days(3))}


def test_a_parcels_record_is_what_ebay_sent_of_it_byte_for_byte(seller: FakeSeller, connect: Connect) -> None:
    sent_order(seller, 1, NOW - days(1), "RR1IE")
    raw = b'{ "fulfillmentId":"RR1IE","shippedDate" : "2026-05-31T08:00:00.000Z","new":[1.10,"\\u00e9"]}'

    def answer(request: httpx.Request) -> httpx.Response | None:
        body = b'{"total":1,"fulfillments":[' + raw + b"]}"
        return httpx.Response(200, content=body) if request.url.path.endswith("shipping_fulfillment") else None

    seller.before = answer
    batches = sync(connect(), "fulfillments")
    assert [record for batch in batches for record in batch.records] == [raw]
    assert all(raw in payload for batch in batches for payload in batch.payloads or ())


def test_parcels_of_orders_that_changed_since_are_asked_for_again(seller: FakeSeller, connect: Connect) -> None:
    sent_order(seller, 1, NOW - days(30), "OLD")
    sent_order(seller, 2, NOW - days(10), "LAST")
    cursor = sync(connect(), "fulfillments")[-1].cursor
    # The old order's second parcel leaves now, which changes the order.
    seller.orders[0]["lastModifiedDate"] = iso(NOW - days(1))
    seller.sent[seller.orders[0]["orderId"]].append({"fulfillmentId": "NEW", "shippedDate": iso(NOW - days(1))})
    seller.asked.clear()
    found = parcels(sync(connect(), "fulfillments", cursor))
    assert ("01-00001-00000", "NEW") in found
    # As everywhere, 48 hours before the last change seen are read again: order 2 is among them.
    assert len([request for request in seller.asked if "shipping_fulfillment" in request.url.path]) == 2


def test_an_order_that_is_gone_by_now_has_no_parcels(seller: FakeSeller, connect: Connect) -> None:
    gone = sent_order(seller, 1, NOW - days(2), "A")
    kept = sent_order(seller, 2, NOW - days(1), "B")

    def answer(request: httpx.Request) -> httpx.Response | None:
        missing = f"/{gone}/shipping_fulfillment" in request.url.path
        return httpx.Response(404, json={"errors": [{"errorId": 32100}]}) if missing else None

    seller.before = answer
    assert parcels(sync(connect(), "fulfillments")) == [(kept, "B")]


def test_a_killed_sync_of_parcels_goes_on_where_it_was(seller: FakeSeller, connect: Connect) -> None:
    for number in range(450):
        sent_order(seller, number, NOW - days(3) + timedelta(seconds=number), f"P{number}")
    first = connect(history_start=date(2026, 5, 20)).batches(ENTITIES["fulfillments"], None, Window())
    held = [next(first)]
    del first
    asked = len(seller.asked)
    cursor = json.loads(json.dumps(held[-1].cursor))
    rest = sync(connect(history_start=date(2026, 5, 20)), "fulfillments", cursor)
    assert len(set(parcels(held + rest))) == 450
    assert len(seller.asked) - asked < 450
