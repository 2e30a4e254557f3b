"""The eBay connector against an account that changes, fails and forgets: nothing is lost, errors say what to do."""

from __future__ import annotations

import itertools
import json
from datetime import date, timedelta

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.entities import Cursor, Window
from retreasure_assets.errors import PermanentSourceError
from retreasure_assets.sources.ebay import ENTITIES
from retreasure_assets.sources.ebay.records import head_decoder
from retreasure_assets.sources.ebay.scan import Found, ScanState, iso, scan
from tests.unit.sources.fake_seller import NOW, Connect, FakeSeller, days, ids, order, sync


def test_every_record_comes_once_byte_for_byte(seller: FakeSeller, connect_ebay: Connect) -> None:
    raw = b'{"orderId" : "1", "lastModifiedDate":"2026-05-01T00:00:00.000Z","total":1.10,"new":"\\u00e9"}'
    body = b'{"total":1,"orders":[ ' + raw + b" ]}"
    seller.before = lambda request: httpx.Response(200, content=body)
    batches = sync(connect_ebay(history_start=date(2026, 5, 31)), "orders")
    assert {record for batch in batches for record in batch.records} == {raw}


def test_orders_are_asked_for_by_change_in_pages_of_200_with_taxes_broken_down(
    seller: FakeSeller, connect_ebay: Connect
) -> None:
    seller.orders = [order(n, NOW - days(100) + timedelta(minutes=n)) for n in range(450)]
    batches = sync(connect_ebay(), "orders")
    assert sorted(ids(batches)) == sorted(found["orderId"] for found in seller.orders)
    for request in seller.asked:
        assert request.url.params["filter"].startswith("lastmodifieddate:[")
        assert request.url.params["limit"] == "200"
        assert request.url.params["fieldGroups"] == "TAX_BREAKDOWN"
    # The number of orders is asked for first, then the pages from the last one on.
    period = seller.pages[0][0]
    assert [offset for asked, offset in seller.pages if asked == period] == [0, 400, 200, 0]


def test_an_order_that_changes_while_it_is_read_takes_no_other_along(seller: FakeSeller, connect_ebay: Connect) -> None:
    seller.orders = [order(n, NOW - days(5) + timedelta(minutes=n)) for n in range(400)]
    touched: list[int] = []

    def change(request: httpx.Request) -> None:
        # Whenever a page was read, an order at the front changes: it leaves the period, the others move up.
        if len(touched) < 3 and "filter" in request.url.params:
            found = seller.orders[len(touched)]
            found["lastModifiedDate"] = iso(NOW - timedelta(seconds=5))
            touched.append(1)

    seller.before = change
    batches = sync(connect_ebay(history_start=date(2026, 5, 20)), "orders")
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


def test_a_killed_sync_goes_on_where_its_last_durable_batch_ended(seller: FakeSeller, connect_ebay: Connect) -> None:
    seller.orders = [order(n, NOW - days(3) + timedelta(seconds=n)) for n in range(900)]
    first = connect_ebay(history_start=date(2026, 5, 20)).batches(ENTITIES["orders"], None, Window())
    held = [next(first), next(first)]
    del first
    cursor = json.loads(json.dumps(held[-1].cursor))
    before = len(seller.asked)
    rest = sync(connect_ebay(history_start=date(2026, 5, 20)), "orders", cursor)
    assert set(ids(held + rest)) == {found["orderId"] for found in seller.orders}
    # 900 orders are 5 pages; what two durable batches held is not asked for again.
    assert len([1 for asked in seller.asked[before:] if asked.url.params["offset"] != "0"]) == 2
    finished = rest[-1].cursor
    assert finished == {"updated_at": seller.orders[-1]["lastModifiedDate"]}


def test_the_next_sync_reads_48_hours_back_and_the_ledger_90_days(seller: FakeSeller, connect_ebay: Connect) -> None:
    seller.orders = [order(1, NOW - days(1))]
    seller.entries = [{"transactionId": "1", "transactionDate": iso(NOW - days(1))}]
    connector = connect_ebay()
    for name in ("orders", "transactions"):
        done = sync(connector, name)[-1].cursor
        seller.asked.clear()
        again = sync(connector, name, done)
        assert again[-1].cursor == done
        start = seller.pages[0][0].strip("[]").partition("..")[0]
        assert start == iso(NOW - days(1) - ENTITIES[name].overlap)


def test_an_order_that_was_changed_in_the_future_hides_none_from_later_syncs(
    seller: FakeSeller, connect_ebay: Connect
) -> None:
    seller.orders = [order(1, NOW - days(1)), order(2, NOW + days(9000))]
    assert sync(connect_ebay(), "orders")[-1].cursor == {"updated_at": iso(NOW)}


def test_history_comes_in_periods_and_orders_reach_back_two_years(seller: FakeSeller, connect_ebay: Connect) -> None:
    connector = connect_ebay(history_start=date(2015, 1, 1))
    assert sync(connector, "orders") == []
    starts = [period.strip("[]").partition("..") for period, _ in seller.pages]
    assert starts[0][0] == iso(NOW - days(729))
    assert all(end == following for (_, _, end), (following, _, _) in itertools.pairwise(starts))
    assert starts[-1][2] == ""
    assert starts[-1][0] == iso(NOW - timedelta(minutes=10))


def test_a_window_is_read_alone_and_without_cursors(seller: FakeSeller, connect_ebay: Connect) -> None:
    seller.orders = [order(n, NOW - days(n)) for n in range(1, 40)]
    batches = sync(connect_ebay(), "orders", None, since=NOW - days(20), until=NOW - days(10))
    assert sorted(ids(batches)) == sorted(order(n, NOW)["orderId"] for n in range(10, 21))
    assert [batch.cursor for batch in batches] == [None] * len(batches)
    assert sync(connect_ebay(), "orders", None, since=NOW - days(1), until=NOW - days(2)) == []


def test_cancelled_orders_are_asked_for_one_by_one(seller: FakeSeller, connect_ebay: Connect) -> None:
    wished = {"cancelState": "IN_PROGRESS", "cancelRequests": []}
    seller.orders = [order(1, NOW - days(2)), order(2, NOW - days(1), cancelStatus=wished)]
    records = [json.loads(record) for batch in sync(connect_ebay(), "orders") for record in batch.records]
    reasons = {record["orderId"]: record["cancelStatus"]["cancelRequests"] for record in records}
    assert reasons == {"01-00001-00000": [], "01-00002-00000": [{"cancelReason": "ORDER_MISTAKE"}]}
    assert sum("/order/" in request.url.path for request in seller.asked) == 1


def test_an_order_that_is_gone_when_asked_for_keeps_its_place(seller: FakeSeller, connect_ebay: Connect) -> None:
    wished = {"cancelState": "SOMETHING_NEW", "cancelRequests": []}
    seller.orders = [order(2, NOW - days(1), cancelStatus=wished)]
    seller.before = lambda request: (
        httpx.Response(404, json={"errors": [{"errorId": 32100}]}) if "/order/" in request.url.path else None
    )
    assert ids(sync(connect_ebay(), "orders")) == ["01-00002-00000"]


def test_nothing_in_the_ledger_is_no_error(seller: FakeSeller, connect_ebay: Connect) -> None:
    connector = connect_ebay()
    assert sync(connector, "transactions") == []
    assert sync(connector, "payouts") == []
    assert connector.http.counters.retries == 0


def test_the_ledger_goes_to_its_own_host_with_the_marketplace(seller: FakeSeller, connect_ebay: Connect) -> None:
    seller.payouts = [{"payoutId": "1", "payoutDate": iso(NOW - days(2))}]
    assert ids(sync(connect_ebay(), "payouts"), "payoutId") == ["1"]
    for request in seller.asked:
        assert request.url.host == "apiz.ebay.com"
        assert request.headers["x-ebay-c-marketplace-id"] == "EBAY_GB"
        assert request.url.params["sort"] == "payoutDate"
    seller.asked.clear()
    sync(connect_ebay(), "orders")
    assert {request.url.host for request in seller.asked} == {"api.ebay.com"}


def test_stock_is_read_whole_by_page_number_and_offers_sku_by_sku(seller: FakeSeller, connect_ebay: Connect) -> None:
    seller.items = [{"sku": f"RT-{n:04d} &/é"} for n in range(450)]
    seller.offers = {item["sku"]: [{"offerId": item["sku"], "sku": item["sku"]}] for item in seller.items[:-3]}
    batches = sync(connect_ebay(), "inventory_items")
    assert ids(batches, "sku") == [item["sku"] for item in seller.items]
    assert [request.url.params["offset"] for request in seller.asked] == ["0", "1", "2"]
    assert [batch.cursor for batch in batches] == [{"page": 1}, {"page": 2}, {}]
    assert ids(sync(connect_ebay(), "inventory_items", {"page": 2}), "sku") == [
        item["sku"] for item in seller.items[400:]
    ]
    assert ids(sync(connect_ebay(), "offers"), "sku") == [item["sku"] for item in seller.items[:-3]]


def test_an_empty_stock(seller: FakeSeller, connect_ebay: Connect) -> None:
    assert sync(connect_ebay(), "inventory_items") == []
    assert sync(connect_ebay(), "offers") == []


def test_records_that_are_no_orders_travel_on_to_be_judged(seller: FakeSeller, connect_ebay: Connect) -> None:
    body = b'{"total":4,"orders":[null,7,{"lastModifiedDate":3},{"orderId":"x","cancelStatus":{"cancelState":{}}}]}'
    seller.before = lambda request: httpx.Response(200, content=body)
    batches = sync(connect_ebay(history_start=date(2026, 5, 31)), "orders")
    assert len({record for batch in batches for record in batch.records}) == 4
    assert batches[-1].cursor == {}


@pytest.mark.parametrize("cursor", [{"updated_at": 3}, {"updated_at": "soon"}, {"scan": {"offset": "x"}}])
def test_a_cursor_of_somebody_else(connect_ebay: Connect, cursor: Cursor) -> None:
    with pytest.raises(PermanentSourceError, match="--since"):
        sync(connect_ebay(), "orders", cursor)
