"""Parcels of eBay orders: each order of which something was sent is asked for them, and a kill loses none."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import httpx

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.sources.ebay import ENTITIES
from retreasure_assets.sources.ebay.scan import iso
from tests.unit.sources.fake_seller import NOW, Connect, FakeSeller, days, order, sync


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


def test_each_order_of_which_something_was_sent_is_asked_for_its_parcels(
    seller: FakeSeller, connect_ebay: Connect
) -> None:
    seller.orders = [order(1, NOW - days(5))]
    # Without a tracking number eBay makes an id up, and the same one for everybody.
    first = sent_order(seller, 2, NOW - days(4), "999")
    second = sent_order(seller, 3, NOW - days(3), "RR1IE", "999", state="IN_PROGRESS")
    batches = sync(connect_ebay(), "fulfillments")
    assert sorted(parcels(batches)) == [(first, "999"), (second, "999"), (second, "RR1IE")]
    asked = {request.url.path.split("/")[-2] for request in seller.asked if "shipping_fulfillment" in request.url.path}
    assert asked == {first, second}
    payload = json.loads((batches[0].payloads or [b""])[0])
    assert payload["order"]["creationDate"] == seller.orders[1]["creationDate"]
    assert batches[-1].cursor == {"updated_at": iso(NOW - days(3))}


def test_a_parcels_record_is_what_ebay_sent_of_it_byte_for_byte(seller: FakeSeller, connect_ebay: Connect) -> None:
    sent_order(seller, 1, NOW - days(1), "RR1IE")
    raw = b'{ "fulfillmentId":"RR1IE","shippedDate" : "2026-05-31T08:00:00.000Z","new":[1.10,"\\u00e9"]}'

    def answer(request: httpx.Request) -> httpx.Response | None:
        body = b'{"total":1,"fulfillments":[' + raw + b"]}"
        return httpx.Response(200, content=body) if request.url.path.endswith("shipping_fulfillment") else None

    seller.before = answer
    batches = sync(connect_ebay(), "fulfillments")
    assert [record for batch in batches for record in batch.records] == [raw]
    assert all(raw in payload for batch in batches for payload in batch.payloads or ())


def test_parcels_of_orders_that_changed_since_are_asked_for_again(seller: FakeSeller, connect_ebay: Connect) -> None:
    sent_order(seller, 1, NOW - days(30), "OLD")
    sent_order(seller, 2, NOW - days(10), "LAST")
    cursor = sync(connect_ebay(), "fulfillments")[-1].cursor
    # The old order's second parcel leaves now, which changes the order.
    seller.orders[0]["lastModifiedDate"] = iso(NOW - days(1))
    seller.sent[seller.orders[0]["orderId"]].append({"fulfillmentId": "NEW", "shippedDate": iso(NOW - days(1))})
    seller.asked.clear()
    found = parcels(sync(connect_ebay(), "fulfillments", cursor))
    assert ("01-00001-00000", "NEW") in found
    # As everywhere, 48 hours before the last change seen are read again: order 2 is among them.
    assert len([request for request in seller.asked if "shipping_fulfillment" in request.url.path]) == 2


def test_an_order_that_is_gone_by_now_has_no_parcels(seller: FakeSeller, connect_ebay: Connect) -> None:
    gone = sent_order(seller, 1, NOW - days(2), "A")
    kept = sent_order(seller, 2, NOW - days(1), "B")

    def answer(request: httpx.Request) -> httpx.Response | None:
        missing = f"/{gone}/shipping_fulfillment" in request.url.path
        return httpx.Response(404, json={"errors": [{"errorId": 32100}]}) if missing else None

    seller.before = answer
    assert parcels(sync(connect_ebay(), "fulfillments")) == [(kept, "B")]


def test_a_killed_sync_of_parcels_goes_on_where_it_was(seller: FakeSeller, connect_ebay: Connect) -> None:
    for number in range(450):
        sent_order(seller, number, NOW - days(3) + timedelta(seconds=number), f"P{number}")
    first = connect_ebay(history_start=date(2026, 5, 20)).batches(ENTITIES["fulfillments"], None, Window())
    held = [next(first)]
    del first
    asked = len(seller.asked)
    cursor = json.loads(json.dumps(held[-1].cursor))
    rest = sync(connect_ebay(history_start=date(2026, 5, 20)), "fulfillments", cursor)
    assert len(set(parcels(held + rest))) == 450
    assert len(seller.asked) - asked < 450
