"""The EasyPost connector against a server in memory that lists newest first and filters by creation."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.entities import Cursor, Window
from retreasure_assets.errors import MalformedInputError, PermanentSourceError, TransientSourceError
from retreasure_assets.sources.easypost.connector import EasyPostConnector
from retreasure_assets.sources.easypost.entities import TRACKERS

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
KEY = "EZAK123"


class Account:
    """Trackers by their second of creation; serialises with odd white space, so that re-serialising is noticed."""

    def __init__(self, *created: datetime) -> None:
        self.trackers = [(at, f"trk_{number:05d}") for number, at in enumerate(sorted(created))]
        self.asked: list[dict[str, str]] = []
        self.failures: list[httpx.Response] = []

    def text(self, at: datetime, identity: str) -> str:
        return f'{{"id" : "{identity}",  "created_at":"{at:%Y-%m-%dT%H:%M:%SZ}", "weight": 1.50}}'

    def __call__(self, request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Basic " + base64.b64encode(f"{KEY}:".encode()).decode()
        asked = {name: value for name, [value] in parse_qs(urlsplit(str(request.url)).query).items()}
        self.asked.append(asked)
        if self.failures:
            return self.failures.pop(0)
        start = datetime.fromisoformat(asked.get("start_datetime", "2000-01-01T00:00:00Z"))
        end = datetime.fromisoformat(asked.get("end_datetime", "2100-01-01T00:00:00Z"))
        assert end - start <= timedelta(days=31) or "start_datetime" not in asked
        found = [each for each in reversed(self.trackers) if start <= each[0] < end]
        if "before_id" in asked:
            found = found[[identity for _, identity in found].index(asked["before_id"]) + 1 :]
        size = int(asked["page_size"])
        page = ", ".join(self.text(*each) for each in found[:size])
        more = json.dumps(len(found) > size)
        return httpx.Response(200, content=f'{{"trackers": [{page}], "has_more" : {more}}}'.encode())


def connector(account: Account, page_size: int = 3, now: datetime = NOW) -> EasyPostConnector:
    return EasyPostConnector(
        key=KEY,
        base_url="https://easypost.test/",
        history_start=date(2026, 1, 1),
        page_size=page_size,
        transport=httpx.MockTransport(account),
        sleep=lambda _seconds: None,
        now=lambda: now,
    )


def days(*numbers: float) -> list[datetime]:
    return [datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=number) for number in numbers]


def ids(
    reader: EasyPostConnector, cursor: Cursor | None, window: Window | None = None
) -> tuple[list[str], Cursor | None]:
    found: list[str] = []
    for batch in reader.batches(TRACKERS, cursor, window or Window()):
        assert len(batch.records) == len(batch.origins)
        found += [json.loads(record)["id"] for record in batch.records]
        cursor = batch.cursor
    return found, cursor


def test_a_first_sync_reads_the_history_and_keeps_every_byte() -> None:
    account = Account(*days(1, 1, 1, 1, 40, 41, 149))
    reader = connector(account)
    batches = list(reader.batches(TRACKERS, None, Window()))
    records = [record.decode() for batch in batches for record in batch.records]
    assert sorted(records) == sorted(account.text(*each) for each in account.trackers)
    assert batches[-1].cursor == {"created_at": "2026-05-30T00:00:00Z"}
    assert all(batch.cursor is not None for batch in batches)


def test_the_next_sync_reads_the_overlap_again_and_no_more() -> None:
    account = Account(*days(1, 100, 120, 140))
    _, cursor = ids(connector(account), None)
    account.trackers.append((days(150)[0], "trk_new"))
    found, cursor = ids(connector(account), cursor)
    assert found == ["trk_00002", "trk_00001", "trk_new", "trk_00003"]
    assert cursor == {"created_at": "2026-05-31T00:00:00Z"}
    assert min(asked["start_datetime"] for asked in account.asked[6:]) == "2026-04-06T00:00:00Z"


@given(st.lists(st.integers(0, 151 * 24), max_size=40), st.integers(1, 5), st.data())
def test_a_sync_that_is_killed_anywhere_goes_on_and_loses_nothing(
    hours: list[int], page_size: int, data: st.DataObject
) -> None:
    account = Account(*days(*(hour / 24 for hour in hours)))
    whole = list(connector(account, page_size).batches(TRACKERS, None, Window()))
    stop = data.draw(st.integers(0, len(whole) - 1))
    before = {json.loads(record)["id"] for batch in whole[:stop] for record in batch.records}
    cursor = whole[stop - 1].cursor if stop else None
    later = NOW + timedelta(days=1)
    after, end = ids(connector(account, page_size, now=later), cursor)
    assert before | set(after) == {identity for _, identity in account.trackers}
    assert not before & set(after) or stop == 0
    assert end == whole[-1].cursor


def test_a_window_reads_what_was_created_in_it_and_stores_nothing() -> None:
    account = Account(*days(1, 10, 20, 30))
    window = Window(*days(10, 30))
    batches = list(connector(account).batches(TRACKERS, {"created_at": "2026-05-01T00:00:00Z"}, window))
    assert [json.loads(record)["id"] for batch in batches for record in batch.records] == ["trk_00002", "trk_00001"]
    assert [batch.cursor for batch in batches] == [None]


def test_hiccups_are_retried_and_refusals_are_not() -> None:
    account = Account(*days(1))
    account.failures = [
        httpx.Response(429, headers={"retry-after": "1"}),
        httpx.Response(200, content=b'{"trackers": ['),
        httpx.Response(502),
    ]
    assert ids(connector(account), None)[0] == ["trk_00000"]
    account.failures = [httpx.Response(401)]
    with pytest.raises(PermanentSourceError, match="RETREASURE_EASYPOST_API_KEY"):
        ids(connector(account), None)
    account.failures = [httpx.Response(503)] * 4
    with pytest.raises(TransientSourceError):
        ids(connector(account), None)
    account.failures = [httpx.Response(200, content=b"<html>")] * 4
    with pytest.raises(MalformedInputError, match="EasyPost"):
        ids(connector(account), None)


def test_a_page_that_ends_with_a_tracker_without_id_is_no_end() -> None:
    account = Account(*days(1))
    account.failures = [httpx.Response(200, content=b'{"trackers": [{"object": "Tracker"}], "has_more": true}')] * 4
    with pytest.raises(MalformedInputError):
        ids(connector(account), None)


def test_a_page_that_ends_with_a_tracker_that_cannot_be_read_is_gone_on_from_the_one_before() -> None:
    class Spoiling(Account):
        def text(self, at: datetime, identity: str) -> str:
            return '"half a tracker"' if identity == "trk_00005" else super().text(at, identity)

    account = Spoiling(*days(1, 2, 3, 4, 5, 6, 7, 8))
    records = [
        json.loads(record) for batch in connector(account).batches(TRACKERS, None, Window()) for record in batch.records
    ]
    assert {each["id"] for each in records if isinstance(each, dict)} == {f"trk_{n:05d}" for n in range(8) if n != 5}
    assert "half a tracker" in records


def test_a_cursor_of_another_time_is_refused() -> None:
    with pytest.raises(PermanentSourceError, match="--since"):
        ids(connector(Account()), {"created_at": 5, "scan": "x"})


def test_the_check_is_one_request() -> None:
    account = Account(*days(1))
    assert connector(account).check() == []
    assert account.asked == [{"page_size": "1"}]
    account.failures = [httpx.Response(401)]
    with pytest.raises(PermanentSourceError):
        connector(account).check()
