"""Etsy syncs: nothing lost, nothing needless, whatever happens on the way."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import count, pairwise
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.errors import ConfigurationError, PermanentSourceError, TransientSourceError
from retreasure_assets.sandbox.etsy_requests import EtsyOptions, Quota
from retreasure_assets.sources.etsy import ENTITIES, EtsyConnector
from retreasure_assets.sources.etsy.ledger import SPAN
from retreasure_assets.sources.etsy.limits import RequestRate
from tests.unit.sources.fake_etsy import SHOP, T0, FakeEtsy, Json, Memory, day, entry, receipt

Connect = Callable[..., EtsyConnector]


def connector(etsy: FakeEtsy, **changes: Any) -> EtsyConnector:
    options: dict[str, Any] = {
        "keystring": "key",
        "shared_secret": "secret",
        "refresh_token": "r0",
        "shop_id": SHOP,
        "store": Memory(),
        "transport": httpx.MockTransport(etsy.handle),
        "sleep": etsy.sleep,
        "monotonic": etsy.monotonic,
        "now": etsy.now,
    }
    return EtsyConnector(**{**options, **changes})


@pytest.fixture
def etsy() -> FakeEtsy:
    """An empty shop."""
    return FakeEtsy()


@pytest.fixture
def connect(etsy: FakeEtsy) -> Iterator[Connect]:
    """Builds connectors to the shop."""
    opened: list[EtsyConnector] = []

    def build(**changes: Any) -> EtsyConnector:
        opened.append(connector(etsy, **changes))
        return opened[-1]

    yield build
    for each in opened:
        each.close()


def read(each: EtsyConnector, name: str, cursor: Any = None, window: Window | None = None) -> list[RawBatch]:
    batches = list(each.batches(ENTITIES[name], cursor, window or Window()))
    for batch in batches:
        assert batch.records
        assert len(batch.records) == len(batch.origins)
        assert all(
            origin.startswith(f"https://openapi.etsy.com/v3/application/shops/{SHOP}/") for origin in batch.origins
        )
        assert json.loads(json.dumps(batch.cursor)) == batch.cursor
    return batches


def ids(batches: list[RawBatch]) -> list[int]:
    return [next(iter(json.loads(record).values())) for batch in batches for record in batch.records]


# --- receipts ----------------------------------------------------------------------------------------------------


def test_all_receipts_each_once(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.receipts = [receipt(n, day(n / 10)) for n in range(1, 351)]
    batches = read(connect(), "receipts")
    assert ids(batches) == list(range(1, 351))
    assert batches[-1].cursor == {"updated": day(35)}
    assert all(query["limit"] == "100" for path, query in etsy.requests if path == "/receipts")


def test_an_empty_shop_gives_no_batches(connect: Connect) -> None:
    for name in ENTITIES:
        assert read(connect(), name) == []


def test_the_next_sync_goes_back_by_the_overlap_and_looks_at_recent_orders_again(
    etsy: FakeEtsy, connect: Connect
) -> None:
    etsy.receipts = [receipt(n, day(n)) for n in range(1, 101)]
    etsy.cancelled = {30, 99}
    cursor = read(connect(), "receipts")[-1].cursor
    etsy.requests.clear()
    batches = read(connect(), "receipts", cursor)
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


def test_a_refund_in_silence_and_a_cancellation_are_seen(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.receipts = [receipt(n, day(n)) for n in range(1, 51)]
    cursor = read(connect(), "receipts")[-1].cursor
    etsy.receipts[9]["status"] = "Fully Refunded"  # its time of change says nothing of it
    etsy.receipts[19]["status"] = "Canceled"
    etsy.cancelled = {20}
    found = {
        json.loads(record)["receipt_id"]: json.loads(record)["status"]
        for batch in read(connect(), "receipts", cursor)
        for record in batch.records
    }
    assert (found[10], found[20]) == ("Fully Refunded", "Canceled")


def test_receipts_that_change_while_they_are_read_push_none_out(etsy: FakeEtsy, connect: Connect) -> None:
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
    for batch in read(connect(), "receipts"):
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


def test_a_record_that_cannot_be_read_is_handed_on_and_stops_nothing(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.receipts = [receipt(n, day(n / 10)) for n in range(1, 151)]
    each = connect()
    plain = etsy.handle

    def garbled(request: httpx.Request) -> httpx.Response:
        answer = plain(request)
        content = answer.content.replace(b'{"receipt_id":100,', b'{"receipt_id":"hundred",')
        return httpx.Response(answer.status_code, content=content)

    each = connect(transport=httpx.MockTransport(garbled))
    assert {row for row in ids(read(each, "receipts")) if row != "hundred"} == set(range(1, 151)) - {100}


@pytest.mark.parametrize("name", ["receipts", "ledger_entries", "payments"])
def test_a_killed_sync_goes_on_where_its_last_batch_ended(etsy: FakeEtsy, connect: Connect, name: str) -> None:
    etsy.receipts = [receipt(n, day(n / 10)) for n in range(1, 451)]
    etsy.cancelled = set(range(200, 350))
    etsy.entries = [entry(n, day(n / 10), "PAYMENT_GROSS") for n in range(1, 451)]
    etsy.of_entry = {n: 1000 + n for n in range(1, 451)}
    etsy.payments = {1000 + n: {"payment_id": 1000 + n} for n in range(1, 451)}
    whole = set(ids(read(connect(), name)))
    etsy.requests.clear()
    read(connect(), name)
    needed = len(etsy.requests)
    for stop in range(1, 12):
        kept: set[int] = set()
        cursor: Any = None
        rounds = 0
        etsy.requests.clear()
        while rounds < 40:
            rounds += 1
            ended = True
            for place, batch in enumerate(connect().batches(ENTITIES[name], cursor, Window())):
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


def test_a_sync_whose_remainder_is_gone_begins_anew(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.receipts = [receipt(n, day(n / 10)) for n in range(1, 151)]
    first = next(iter(connect().batches(ENTITIES["receipts"], None, Window())))
    assert first.cursor is not None
    assert "scan" in first.cursor
    etsy.receipts = etsy.receipts[:50]
    found = read(connect(), "receipts", first.cursor)
    assert ids(found) == list(range(1, 51))
    assert found[-1].cursor == {"updated": day(5)}


def test_a_window_reads_just_that_and_leaves_the_cursor(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.receipts = [receipt(n, day(n)) for n in range(1, 41)]
    etsy.cancelled = {12}
    etsy.entries = [entry(n, day(n)) for n in range(1, 41)]
    window = Window(
        since=datetime.fromtimestamp(day(10), UTC),
        until=datetime.fromtimestamp(day(20), UTC),
    )
    for name in ("receipts", "ledger_entries"):
        batches = read(connect(), name, window=window)
        assert sorted(ids(batches)) == list(range(10, 21))
        assert {batch.cursor for batch in batches} == {None}


# --- the payment account -----------------------------------------------------------------------------------------


def test_ledger_windows_are_31_days_at_most_and_leave_no_gap(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.entries = [entry(n, day(n / 5)) for n in range(1, 496)]
    batches = read(connect(), "ledger_entries")
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


def test_the_ledger_is_read_again_for_ninety_days(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.entries = [entry(n, day(n)) for n in range(1, 100)]
    cursor = read(connect(), "ledger_entries")[-1].cursor
    assert sorted(set(ids(read(connect(), "ledger_entries", cursor)))) == list(range(9, 100))


def test_payments_are_those_that_the_ledger_tells_of(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.entries = [
        entry(1, day(1), "PAYMENT_GROSS"),
        entry(2, day(1), "PAYMENT_PROCESSING_FEE"),
        entry(3, day(2), "listing", payment_adjustments=[]),
        entry(4, day(40), "REFUND_GROSS", payment_adjustments=[{"payment_id": 51}, {"payment_id": None}]),
        entry(5, day(40), "payment", payment_adjustments=None),
    ]
    etsy.payments = {number: {"payment_id": number} for number in (50, 51, 52)}
    etsy.of_entry = {1: 50, 5: 52}
    assert sorted(ids(read(connect(), "payments"))) == [50, 51, 52]
    asked = [query for path, query in etsy.requests if path.endswith("payments")]
    assert [query.get("ledger_entry_ids") for query in asked if "ledger_entry_ids" in query] == ["1", "5"]
    assert [query.get("payment_ids") for query in asked if "payment_ids" in query] == ["51"]


def test_listings_of_every_state(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.listings = {
        state: [{"listing_id": 1000 * place + n} for n in range(many)]
        for place, (state, many) in enumerate(
            {"active": 250, "inactive": 100, "sold_out": 1, "draft": 0, "expired": 99}.items(), 1
        )
    }
    batches = read(connect(), "listings")
    assert sorted(ids(batches)) == sorted(row["listing_id"] for rows in etsy.listings.values() for row in rows)
    assert {batch.cursor for batch in batches} == {None}


@pytest.mark.parametrize("entity", ["receipts", "ledger_entries"])
def test_a_record_that_comes_twice_moves_no_other_out_of_sight(etsy: FakeEtsy, connect: Connect, entity: str) -> None:
    etsy.repeats = True
    # All in one second, so that only an offset leads from page to page.
    etsy.receipts = [receipt(n, day(1)) for n in range(1, 351)]
    etsy.entries = [entry(n, day(n / 100)) for n in range(1, 351)]
    assert set(ids(read(connect(), entity))) == set(range(1, 351))


# --- limits and refusals -----------------------------------------------------------------------------------------


def test_the_allowed_rate_is_kept_and_used(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.entries = [entry(n, day(n / 100)) for n in range(1, 5001)]
    times: list[float] = []
    etsy.before = lambda path, query: times.append(etsy.clock)
    read(connect(), "ledger_entries")
    assert len(times) > 50
    assert (len(times) - 1) / (times[-1] - times[0]) >= 9.5
    # From the second on: what the limit is, the first answer tells.
    assert all(later - earlier > 1 for earlier, later in zip(times[1:], times[11:], strict=False))


def test_what_slow_answers_cost_is_made_up_for() -> None:
    clock = 0.0
    rate, quota = RequestRate(monotonic=lambda: clock), Quota(EtsyOptions(per_second=10, clock=lambda: clock))
    for number in range(1, 601):
        clock += rate.delay()
        headers, one_too_many = quota.take()
        assert one_too_many is None
        rate.observe(headers)
        # Every fifth takes four times as long as the limit leaves for one.
        clock += 0.4 if number % 5 == 0 else 0.01
    assert 600 / clock >= 9.5


def test_a_wait_that_etsy_asks_for_is_kept(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.receipts = [receipt(1, day(1))]
    each = connect()
    read(each, "receipts")
    etsy.answers = [httpx.Response(429, headers={"retry-after": "7"}, json={"error": "quota"})]
    etsy.slept.clear()
    assert ids(read(each, "receipts")) == [1]
    assert max(etsy.slept) >= 7


def test_the_day_is_used_up(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.answers = [httpx.Response(429, headers={"retry-after": "40000"}, json={"error": "quota"})]
    with pytest.raises(TransientSourceError) as raised:
        read(connect(), "receipts")
    assert raised.value.retry_after == 40000
    assert etsy.slept == []


def test_an_access_token_that_ends_meanwhile_is_renewed(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.receipts = [receipt(n, day(n)) for n in range(1, 151)]

    def end(path: str, query: Json) -> None:
        if len(etsy.refreshed) == 1:
            etsy.access = set()

    etsy.before = end
    assert ids(read(connect(), "receipts")) == list(range(1, 151))
    assert etsy.refreshed == ["r0", "r1"]


def test_a_key_that_is_wrong(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.answers = [httpx.Response(401, json={"error": "invalid api key"})] * 2
    with pytest.raises(PermanentSourceError, match="neither the app's key nor a new access token") as raised:
        read(connect(), "receipts")
    assert "RETREASURE_ETSY_SHARED_SECRET" in raised.value.remedy
    assert len(etsy.refreshed) == 2


def test_a_missing_scope_is_named(etsy: FakeEtsy, connect: Connect) -> None:
    etsy.scopes = {"listings_r"}
    with pytest.raises(PermanentSourceError, match="lacks the scope transactions_r") as raised:
        read(connect(), "ledger_entries")
    assert "transactions_r" in raised.value.remedy
    assert "insufficient_scope:" not in str(raised.value)


def test_check_says_what_is_missing(etsy: FakeEtsy, connect: Connect) -> None:
    assert connect().check() == []
    etsy.valid = {"r0"}
    etsy.scopes = {"shops_r"}
    missing = connect().check()
    assert len(missing) == 2
    assert "listings_r" in " ".join(missing)
    assert "receipts, ledger entries, payments" in " ".join(missing)
    assert len([path for path, _ in etsy.requests if path == "scopes"]) == 2


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(200, content=b'{"count":1,"results":[{"receipt_id":1'),
        httpx.Response(200, content=b"<html>maintenance</html>"),
        httpx.Response(200, json={"count": 0}),
        httpx.Response(503),
        httpx.ReadTimeout("slow"),
        httpx.RemoteProtocolError("cut"),
    ],
)
def test_a_bad_moment_is_survived(etsy: FakeEtsy, connect: Connect, answer: httpx.Response | Exception) -> None:
    etsy.receipts = [receipt(n, day(n)) for n in range(1, 4)]
    etsy.answers = [answer]
    assert ids(read(connect(), "receipts")) == [1, 2, 3]


def test_a_cursor_of_somebody_else(connect: Connect) -> None:
    with pytest.raises(PermanentSourceError, match="cursor"):
        read(connect(), "receipts", {"updated": "yesterday"})


def test_a_shop_that_cannot_be(connect: Connect) -> None:
    with pytest.raises(ConfigurationError):
        connect(shop_id=0)
