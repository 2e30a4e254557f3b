"""The Square connector: pages, parts, cursors, windows, and what happens when something goes wrong."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from itertools import islice

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.entities import Cursor, RawBatch, Window
from retreasure_assets.errors import (
    ConfigurationError,
    MalformedInputError,
    PermanentSourceError,
    SourceError,
    TransientSourceError,
)
from retreasure_assets.sources.square import ENTITIES, SquareConnector
from tests.unit.sources.fake_square import TOKEN, FakeSquare, Json, error, stamp

ORDERS = ENTITIES["orders"]
PAYMENTS = ENTITIES["payments"]


@pytest.fixture
def square() -> FakeSquare:
    return FakeSquare()


@pytest.fixture
def connector(square: FakeSquare) -> Iterator[SquareConnector]:
    connector = connect(square)
    yield connector
    connector.close()


def connect(square: FakeSquare, token: str = TOKEN) -> SquareConnector:
    return SquareConnector(
        token=token,
        history_start=date(2020, 1, 1),
        transport=httpx.MockTransport(square.handle),
        sleep=square.slept.append,
        now=square.now,
    )


def order(number: int, location: str = "L01", minute: int | None = None) -> Json:
    return {"id": f"O{number}", "location_id": location, "updated_at": stamp(number if minute is None else minute)}


def ids(batches: list[RawBatch]) -> list[str]:
    return [json.loads(record)["id"] for batch in batches for record in batch.records]


def read(
    connector: SquareConnector, name: str, cursor: Cursor | None = None, window: Window | None = None
) -> list[RawBatch]:
    return list(connector.batches(ENTITIES[name], cursor, window or Window()))


def test_records_are_the_bytes_received(square: FakeSquare, connector: SquareConnector) -> None:
    raw = b'{ "orders" : [ {"id":"O1",  "updated_at":"2026-10-01T00:00:00Z", "total_money":{"amount":1.50e2}} ] }'
    square.refuse = lambda path, asked: httpx.Response(200, content=raw) if "orders" in path else None
    (batch,) = read(connector, "orders")
    assert batch.records == [b'{"id":"O1",  "updated_at":"2026-10-01T00:00:00Z", "total_money":{"amount":1.50e2}}']
    assert batch.origins == ["https://connect.squareup.com/v2/orders/search[first][0]"]


def test_all_pages_of_all_locations_ten_at_a_time(square: FakeSquare, connector: SquareConnector) -> None:
    locations = [f"L{number:02d}" for number in range(23)]
    square.records["locations"] = [{"id": name} for name in reversed(locations)]
    square.records["orders"] = [order(number, locations[number % 23]) for number in range(60)]
    found = read(connector, "orders")
    assert sorted(ids(found)) == sorted(f"O{number}" for number in range(60))
    groups = {tuple(asked["location_ids"]) for path, asked in square.requests if path == "/v2/orders/search"}
    assert sorted(map(len, groups)) == [3, 10, 10]
    # Only the last batch moves the watermark.
    assert [batch.cursor is not None and "scan" in batch.cursor for batch in found] == [True] * (len(found) - 1) + [
        False
    ]
    assert found[-1].cursor == {"updated_at": stamp(59)}


def test_payments_are_asked_for_location_by_location_from_the_first_day(
    square: FakeSquare, connector: SquareConnector
) -> None:
    square.records["locations"] = [{"id": "L01"}, {"id": "L02"}]
    square.records["payments"] = [order(1, "L01"), order(2, "L02")]
    assert ids(read(connector, "payments")) == ["O1", "O2"]
    asked = [asked for path, asked in square.requests if path == "/v2/payments"]
    assert [each["location_id"] for each in asked] == ["L01", "L02"]
    assert {each["begin_time"] for each in asked} == {"2020-01-01T00:00:00.000Z"}
    assert {each["updated_at_begin_time"] for each in asked} == {"2020-01-01T00:00:00.000Z"}


def test_the_next_sync_reads_back_by_the_overlap(square: FakeSquare, connector: SquareConnector) -> None:
    square.records["orders"] = [order(1)]
    (batch,) = read(connector, "orders")
    read(connector, "orders", batch.cursor)
    period = square.requests[-1][1]["query"]["filter"]["date_time_filter"]["updated_at"]
    assert period == {"start_at": "2026-09-27T00:01:00.000Z"}


def test_the_watermark_is_never_later_than_the_beginning_of_the_sync(
    square: FakeSquare, connector: SquareConnector
) -> None:
    """What changed in a part already read while a later one was read must come with the next sync."""
    square.records["orders"] = [{"id": "O1", "location_id": "L01", "updated_at": "2026-12-24T00:00:00Z"}]
    (batch,) = read(connector, "orders")
    assert batch.cursor == {"updated_at": "2026-11-01T12:00:00.000Z"}


def test_what_stands_is_read_from_ever_and_its_begin_time_is_exclusive(
    square: FakeSquare, connector: SquareConnector
) -> None:
    square.records["objects"] = [{"id": "I1", "updated_at": "2015-01-01T00:00:00.000Z"}]
    (batch,) = read(connector, "catalog_objects")
    assert ids([batch]) == ["I1"]
    assert square.requests[-1][1]["include_deleted_objects"] is True
    square.records["objects"].append({"id": "I2", "updated_at": "2014-12-30T00:00:00.000Z"})
    # The overlap's lower end itself is read too.
    assert sorted(ids(read(connector, "catalog_objects", batch.cursor))) == ["I1", "I2"]
    assert square.requests[-1][1]["begin_time"] == "2014-12-29T23:59:59.999Z"


def test_entries_of_every_payout(square: FakeSquare, connector: SquareConnector) -> None:
    square.records["payouts"] = [
        {"id": f"po_{number}", "created_at": stamp(number), "updated_at": stamp(number)} for number in range(5)
    ]
    square.entries = {f"po_{number}": [{"id": f"poe_{number}", "effective_at": stamp(number)}] for number in (0, 2, 4)}
    assert ids(read(connector, "payout_entries")) == ["poe_0", "poe_2", "poe_4"]
    paid = read(connector, "payouts")
    assert ids(paid) == [f"po_{number}" for number in range(5)]
    assert paid[-1].cursor == {"updated_at": stamp(4)}


def test_nothing_there(square: FakeSquare, connector: SquareConnector) -> None:
    assert read(connector, "orders") == []
    square.records["locations"] = []
    assert read(connector, "payments") == []


def test_a_window_has_both_ends_and_leaves_the_cursor_alone(square: FakeSquare, connector: SquareConnector) -> None:
    square.records["orders"] = [order(number) for number in range(5)]
    window = Window(datetime(2026, 10, 1, tzinfo=UTC), datetime(2026, 10, 2, tzinfo=UTC))
    found = read(connector, "orders", {"updated_at": stamp(1)}, window)
    assert {batch.cursor is None for batch in found} == {True}
    period = square.requests[-1][1]["query"]["filter"]["date_time_filter"]["updated_at"]
    assert period == {"start_at": "2026-10-01T00:00:00.000Z", "end_at": "2026-10-02T00:00:00.000Z"}
    square.records["objects"] = [
        {"id": "I1", "updated_at": "2026-10-01T12:00:00Z"},
        {"id": "I2", "updated_at": "2026-10-03T12:00:00Z"},
        {"id": "I3", "updated_at": "not a time"},
    ]
    # The catalogue's endpoint has no upper end; a record without a readable time is bronze's to judge.
    assert ids(read(connector, "catalog_objects", None, window)) == ["I1", "I3"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 300)), max_size=40),
    st.lists(st.integers(1, 6), max_size=8),
    st.booleans(),
)
def test_a_sync_killed_anywhere_loses_nothing(
    changes: list[tuple[int, int]], kills: list[int], restarted: bool
) -> None:
    """Batches are durable one by one; the next sync goes on from the last cursor, even if Square forgot its own."""
    square = FakeSquare(page_size=2)
    square.records["locations"] = [{"id": f"L{number:02d}"} for number in range(13)]
    square.records["orders"] = sorted(
        (order(number, f"L{location:02d}", minute) for number, (location, minute) in enumerate(changes)),
        key=lambda record: str(record["updated_at"]),
    )
    cursor: Cursor | None = None
    durable: list[str] = []
    for kept in kills:
        for batch in islice(connect(square).batches(ORDERS, cursor, Window()), kept):
            durable += ids([batch])
            cursor = batch.cursor
        if restarted:
            square.generation += 1
    for batch in connect(square).batches(ORDERS, cursor, Window()):
        durable += ids([batch])
        cursor = batch.cursor
    assert set(durable) == {f"O{number}" for number in range(len(changes))}
    if changes:
        assert cursor == {"updated_at": stamp(max(minute for _, minute in changes))}


def test_a_stored_part_that_is_gone_starts_the_sync_anew(square: FakeSquare, connector: SquareConnector) -> None:
    square.records["payments"] = [order(1)]
    scan = {"since": stamp(0), "started": stamp(5), "part": "L99", "cursor": "x"}
    assert ids(read(connector, "payments", {"scan": scan})) == ["O1"]


def test_an_interrupted_sync_whose_rest_is_gone_starts_anew(square: FakeSquare, connector: SquareConnector) -> None:
    square.records["orders"] = [order(1)]
    scan = {"since": "2026-10-20T00:00:00.000Z", "started": "2026-10-20T00:00:00.000Z", "part": "L01"}
    assert ids(read(connector, "orders", {"updated_at": stamp(2), "scan": scan})) == ["O1"]


@pytest.mark.parametrize("cursor", [{"updated_at": 5}, {"scan": "x"}, {"updated_at": "yesterday"}])
def test_a_stored_cursor_that_cannot_be_read(connector: SquareConnector, cursor: Cursor) -> None:
    with pytest.raises(PermanentSourceError, match="orders") as caught:
        read(connector, "orders", cursor)
    assert "--since" in caught.value.remedy


@pytest.mark.parametrize(
    ("status", "code", "kind", "says"),
    [
        (401, "ACCESS_TOKEN_EXPIRED", PermanentSourceError, "no longer valid"),
        (401, "UNAUTHORIZED", PermanentSourceError, "does not accept the credential"),
        (403, "INSUFFICIENT_SCOPES", PermanentSourceError, "docs/connecting/square.md"),
        (404, "NOT_FOUND", PermanentSourceError, "nothing at /v2/orders/search"),
        (400, "INVALID_TIME_RANGE", PermanentSourceError, "INVALID_TIME_RANGE"),
        (400, "Jane Doe", PermanentSourceError, "refuses the request"),
        (200, "RATE_LIMITED", TransientSourceError, "limits the rate"),
        (429, "RATE_LIMITED", TransientSourceError, "limits the rate"),
        (503, "SERVICE_UNAVAILABLE", TransientSourceError, "HTTP 503"),
    ],
)
def test_errors_are_told_by_their_codes_and_quote_nothing(
    square: FakeSquare, connector: SquareConnector, status: int, code: str, kind: type[SourceError], says: str
) -> None:
    square.refuse = lambda path, asked: error(status, code) if "orders" in path else None
    with pytest.raises(kind) as caught:
        read(connector, "orders")
    assert says in str(caught.value)
    assert "Jane" not in str(caught.value)
    assert "RETREASURE_SQUARE" in str(caught.value) or caught.value.transient
    # What is permanent is asked once, what is transient four times, with growing waits that no two clients share.
    tried = [path for path, _ in square.requests if "orders" in path]
    assert len(tried) == (4 if caught.value.transient else 1)
    assert len(set(square.slept)) == len(tried) - 1


def test_a_rate_limit_that_passes(square: FakeSquare, connector: SquareConnector) -> None:
    square.records["orders"] = [order(1)]
    answers = iter([httpx.Response(429, headers={"Retry-After": "7"}), error(500, "INTERNAL_SERVER_ERROR")])
    square.refuse = lambda path, asked: next(answers, None) if "orders" in path else None
    assert ids(read(connector, "orders")) == ["O1"]
    assert 7 <= square.slept[0] < 8
    assert connector.http.counters.retries == 2


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b'{"orders":{}}', b'{"orders":[{]}', b"\xff"])
def test_a_page_that_cannot_be_read(square: FakeSquare, connector: SquareConnector, body: bytes) -> None:
    square.refuse = lambda path, asked: httpx.Response(200, content=body) if "orders" in path else None
    with pytest.raises(MalformedInputError):
        read(connector, "orders")


def test_a_failure_keeps_what_came_before(square: FakeSquare, connector: SquareConnector) -> None:
    square.records["orders"] = [order(number) for number in range(9)]
    square.refuse = lambda path, asked: error(500, "X") if "[1, 6" in str(asked.get("cursor")) else None
    batches = connector.batches(ORDERS, None, Window())
    first = next(batches)
    with pytest.raises(TransientSourceError):
        list(batches)
    square.refuse = lambda path, asked: None
    assert ids([first]) == ["O0", "O1", "O2"]
    rest = list(connect(square).batches(ORDERS, first.cursor, Window()))
    assert ids(rest) == [f"O{number}" for number in range(3, 9)]


def test_check_says_which_scope_is_missing(square: FakeSquare, connector: SquareConnector) -> None:
    assert connector.check() == []
    square.scopes = ["ORDERS_READ", "ITEMS_READ", "INVENTORY_READ", "MERCHANT_PROFILE_READ", "CUSTOMERS_READ"]
    assert connector.check() == [
        "The token lacks the scope PAYMENTS_READ, for payments and refunds.",
        "The token lacks the scope PAYOUTS_READ, for payouts and payout entries.",
    ]
    assert len(square.requests) == 2
    with pytest.raises(PermanentSourceError, match="credential"):
        connect(square, "EAAA-other").check()


def test_a_token_with_a_line_break() -> None:
    with pytest.raises(ConfigurationError, match="credential"):
        SquareConnector(token="EAAA\nX")


def test_every_request_carries_token_and_version(square: FakeSquare) -> None:
    seen: list[httpx.Headers] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers)
        return square.handle(request)

    connector = SquareConnector(token=TOKEN, transport=httpx.MockTransport(handle))
    read(connector, "orders")
    assert {headers["square-version"] for headers in seen} == {"2025-08-20"}
