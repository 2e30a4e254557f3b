"""Etsy syncs: nothing lost, nothing needless, whatever happens on the way."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.entities import Window
from retreasure_assets.errors import ConfigurationError, PermanentSourceError
from retreasure_assets.sources.etsy import ENTITIES
from retreasure_assets.sources.etsy.ledger import SPAN
from tests.unit.sources.fake_etsy import T0, Connect, FakeEtsy, Json, connector, day, entry, ids, read, receipt


def test_all_receipts_each_once(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.receipts = [receipt(n, day(n / 10)) for n in range(1, 351)]
    batches = read(connect_etsy(), "receipts")
    assert ids(batches) == list(range(1, 351))
    assert batches[-1].cursor == {"updated": day(35)}
    assert all(query["limit"] == "100" for path, query in etsy.requests if path == "/receipts")


def test_an_empty_shop_gives_no_batches(connect_etsy: Connect) -> None:
    for name in ENTITIES:
        assert read(connect_etsy(), name) == []


def test_the_next_sync_goes_back_by_the_overlap_and_looks_at_recent_orders_again(
    etsy: FakeEtsy, connect_etsy: Connect
) -> None:
    etsy.receipts = [receipt(n, day(n)) for n in range(1, 101)]
    etsy.cancelled = {30, 99}
    cursor = read(connect_etsy(), "receipts")[-1].cursor
    etsy.requests.clear()
    batches = read(connect_etsy(), "receipts", cursor)
    starts = {
        (query["sort_on"], query.get("was_canceled")): int(query.get("min_last_modified", query.get("min_created")))
        for path, query in etsy.requests
        if path == "/receipts"
    }
    assert starts == {
        ("updated", None): day(98),
        ("created", None): day(40),
        ("created", "true"): day(100 - 180),
    }
    assert batches[-1].cursor == cursor
    assert set(ids(batches)) == set(range(40, 101)) | {30}


def test_a_receipt_that_was_changed_in_the_future_hides_none_from_later_syncs(
    etsy: FakeEtsy, connect_etsy: Connect
) -> None:
    etsy.receipts = [receipt(1, day(1)), receipt(2, day(9000))]
    [*_, batch] = read(connect_etsy(now=lambda: datetime.fromtimestamp(day(50), UTC)), "receipts")
    assert batch.cursor == {"updated": day(50)}


def test_a_refund_in_silence_and_a_cancellation_are_seen(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.receipts = [receipt(n, day(n)) for n in range(1, 51)]
    cursor = read(connect_etsy(), "receipts")[-1].cursor
    etsy.receipts[9]["status"] = "Fully Refunded"  # its time of change says nothing of it
    etsy.receipts[19]["status"] = "Canceled"
    etsy.cancelled = {20}
    found = {
        json.loads(record)["receipt_id"]: json.loads(record)["status"]
        for batch in read(connect_etsy(), "receipts", cursor)
        for record in batch.records
    }
    assert (found[10], found[20]) == ("Fully Refunded", "Canceled")


def test_receipts_that_change_while_they_are_read_push_none_out(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.receipts = [receipt(n, day(n / 10)) for n in range(1, 301)]
    moved = iter(range(5, 300, 30))
    later = count(day(50))

    def change(path: str, query: Json) -> None:
        # Before each page some that were read and some that were not move to the end of the list. What happens once
        # the pass is over is the next sync's to see.
        if "was_canceled" in query:
            return
        for row in etsy.receipts[next(moved, 299) :: 61]:
            row["updated_timestamp"] = next(later)

    etsy.before = change
    latest: dict[int, int] = {}
    for batch in read(connect_etsy(), "receipts"):
        for record in map(json.loads, batch.records):
            latest[record["receipt_id"]] = record["updated_timestamp"]
    assert latest == {row["receipt_id"]: row["updated_timestamp"] for row in etsy.receipts}


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 6), min_size=90, max_size=320))
def test_many_receipts_of_one_second(steps: list[int]) -> None:
    etsy = FakeEtsy()
    at = T0
    for number, step in enumerate(steps, 1):
        at += step // 5  # mostly none
        etsy.receipts.append(receipt(number, at))
    found = ids(list(connector(etsy).batches(ENTITIES["receipts"], None, Window())))
    assert sorted(set(found)) == list(range(1, len(steps) + 1))
    assert len(found) - len(set(found)) <= 100


def test_a_record_that_cannot_be_read_is_handed_on_and_stops_nothing(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.receipts = [receipt(n, day(n / 10)) for n in range(1, 151)]
    each = connect_etsy()
    plain = etsy.handle

    def garbled(request: httpx.Request) -> httpx.Response:
        answer = plain(request)
        content = answer.content.replace(b'{"receipt_id":100,', b'{"receipt_id":"hundred",')
        return httpx.Response(answer.status_code, content=content)

    each = connect_etsy(transport=httpx.MockTransport(garbled))
    assert {row for row in ids(read(each, "receipts")) if row != "hundred"} == set(range(1, 151)) - {100}


@pytest.mark.parametrize("name", ["receipts", "ledger_entries", "payments"])
def test_a_killed_sync_goes_on_where_its_last_batch_ended(etsy: FakeEtsy, connect_etsy: Connect, name: str) -> None:
    etsy.receipts = [receipt(n, day(n / 10)) for n in range(1, 451)]
    etsy.cancelled = set(range(200, 350))
    etsy.entries = [entry(n, day(n / 10), "PAYMENT_GROSS") for n in range(1, 451)]
    etsy.of_entry = {n: 1000 + n for n in range(1, 451)}
    etsy.payments = {1000 + n: {"payment_id": 1000 + n} for n in range(1, 451)}
    whole = set(ids(read(connect_etsy(), name)))
    etsy.requests.clear()
    read(connect_etsy(), name)
    needed = len(etsy.requests)
    for stop in range(1, 12):
        kept: set[int] = set()
        cursor: Any = None
        rounds = 0
        etsy.requests.clear()
        while rounds < 40:
            rounds += 1
            ended = True
            for place, batch in enumerate(connect_etsy().batches(ENTITIES[name], cursor, Window())):
                kept |= set(ids([batch]))
                cursor = batch.cursor if batch.cursor is not None else cursor
                if place + 1 == stop:
                    ended = "scan" not in (cursor or {})
                    break
            if ended and cursor and "scan" not in cursor:
                break
        assert kept == whole
        assert rounds < 40
        if stop > 6:
            assert len(etsy.requests) <= 2 * needed + 4


def test_a_sync_whose_remainder_is_gone_begins_anew(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.receipts = [receipt(n, day(n / 10)) for n in range(1, 151)]
    first = next(iter(connect_etsy().batches(ENTITIES["receipts"], None, Window())))
    assert first.cursor is not None
    assert "scan" in first.cursor
    etsy.receipts = etsy.receipts[:50]
    found = read(connect_etsy(), "receipts", first.cursor)
    assert ids(found) == list(range(1, 51))
    assert found[-1].cursor == {"updated": day(5)}


def test_a_window_reads_just_that_and_leaves_the_cursor(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.receipts = [receipt(n, day(n)) for n in range(1, 41)]
    etsy.cancelled = {12}
    etsy.entries = [entry(n, day(n)) for n in range(1, 41)]
    window = Window(
        since=datetime.fromtimestamp(day(10), UTC),
        until=datetime.fromtimestamp(day(20), UTC),
    )
    for name in ("receipts", "ledger_entries"):
        batches = read(connect_etsy(), name, window=window)
        assert sorted(ids(batches)) == list(range(10, 21))
        assert {batch.cursor for batch in batches} == {None}


# --- the payment account -----------------------------------------------------------------------------------------


def test_ledger_windows_are_31_days_at_most_and_leave_no_gap(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.entries = [entry(n, day(n / 5)) for n in range(1, 496)]
    batches = read(connect_etsy(), "ledger_entries")
    assert set(ids(batches)) == set(range(1, 496))
    windows = sorted(
        {(int(q["min_created"]), int(q["max_created"])) for path, q in etsy.requests if path.endswith("entries")}
    )
    assert windows[0][0] == etsy.founded, "there is nothing before the shop was opened"
    assert windows[-1][1] == int(etsy.clock)
    for (_, end), (start, _) in pairwise(windows):
        assert start == end
    assert all(high - low <= SPAN for low, high in windows)
    assert batches[-1].cursor == {"updated": day(99)}


def test_the_ledger_is_read_again_for_ninety_days(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.entries = [entry(n, day(n)) for n in range(1, 100)]
    cursor = read(connect_etsy(), "ledger_entries")[-1].cursor
    assert sorted(set(ids(read(connect_etsy(), "ledger_entries", cursor)))) == list(range(9, 100))


def test_payments_are_those_that_the_ledger_tells_of(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.entries = [
        entry(1, day(1), "PAYMENT_GROSS"),
        entry(2, day(1), "PAYMENT_PROCESSING_FEE"),
        entry(3, day(2), "listing", payment_adjustments=[]),
        entry(4, day(40), "REFUND_GROSS", payment_adjustments=[{"payment_id": 51}, {"payment_id": None}]),
        entry(5, day(40), "payment", payment_adjustments=None),
    ]
    etsy.payments = {number: {"payment_id": number} for number in (50, 51, 52)}
    etsy.of_entry = {1: 50, 5: 52}
    assert sorted(ids(read(connect_etsy(), "payments"))) == [50, 51, 52]
    asked = [query for path, query in etsy.requests if path.endswith("payments")]
    assert [query.get("ledger_entry_ids") for query in asked if "ledger_entry_ids" in query] == ["1", "5"]
    assert [query.get("payment_ids") for query in asked if "payment_ids" in query] == ["51"]


def test_listings_of_every_state(etsy: FakeEtsy, connect_etsy: Connect) -> None:
    etsy.listings = {
        state: [{"listing_id": 1000 * place + n} for n in range(many)]
        for place, (state, many) in enumerate(
            {"active": 250, "inactive": 100, "sold_out": 1, "draft": 0, "expired": 99}.items(), 1
        )
    }
    batches = read(connect_etsy(), "listings")
    assert sorted(ids(batches)) == sorted(row["listing_id"] for rows in etsy.listings.values() for row in rows)
    assert {batch.cursor for batch in batches} == {None}


@pytest.mark.parametrize("entity", ["receipts", "ledger_entries"])
def test_a_record_that_comes_twice_moves_no_other_out_of_sight(
    etsy: FakeEtsy, connect_etsy: Connect, entity: str
) -> None:
    etsy.repeats = True
    # All in one second, so that only an offset leads from page to page.
    etsy.receipts = [receipt(n, day(1)) for n in range(1, 351)]
    etsy.entries = [entry(n, day(n / 100)) for n in range(1, 351)]
    assert set(ids(read(connect_etsy(), entity))) == set(range(1, 351))


def test_a_cursor_of_somebody_else(connect_etsy: Connect) -> None:
    with pytest.raises(PermanentSourceError, match="cursor"):
        read(connect_etsy(), "receipts", {"updated": "yesterday"})


def test_a_shop_that_cannot_be(connect_etsy: Connect) -> None:
    with pytest.raises(ConfigurationError):
        connect_etsy(shop_id=0)
