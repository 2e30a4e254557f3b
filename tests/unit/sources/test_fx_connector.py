"""Which exchange rates are fetched when."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.errors import MalformedInputError, PermanentSourceError, TransientSourceError
from retreasure_assets.sources.fx import ECB_RATES, INTRADAY_RATES, FxConnector
from tests.unit.sources.test_fx_ecb import zipped


@dataclass
class FakeBank:
    """The ECB's folder, up to a day; working days have rates."""

    today: date = date(2026, 10, 30)
    suffixes: tuple[str, ...] = (".zip",)
    etag: bool = False
    history_lags: int = 0
    requests: list[str] = field(default_factory=list)
    correction: str | None = None

    def days(self) -> list[date]:
        first = date(2026, 9, 1)
        all_days = (first + timedelta(days=n) for n in range((self.today - first).days + 1))
        return [day for day in all_days if day.weekday() < 5]

    def rate(self, day: date) -> str:
        return self.correction if self.correction and day == self.today else f"1.{day.toordinal() % 1000:03}"

    def handle(self, request: httpx.Request) -> httpx.Response:
        name = request.url.path.removeprefix("/stats/")
        self.requests.append(name)
        stem, dot, suffix = name.partition(".")
        if dot + suffix not in self.suffixes:
            return httpx.Response(404)
        if stem == "eurofxref-hist":
            days = self.days()[: -self.history_lags or None]
            body = "Date,USD,CYP,\n" + "".join(f"{d},{self.rate(d)},N/A,\n" for d in reversed(days))
        else:
            day = self.days()[-1]
            body = f"Date, USD, \n{day.day} {day:%B %Y}, {self.rate(day)}0, \n"
        tag = f'"{hash(body)}"'
        if self.etag and request.headers.get("if-none-match") == tag:
            return httpx.Response(304, headers={"etag": tag})
        content = zipped(body.encode(), f"{stem}.csv") if suffix == "zip" else body.encode()
        return httpx.Response(200, content=content, headers={"etag": tag} if self.etag else {})

    def read(self, cursor: Any = None, window: Window | None = None) -> list[RawBatch]:
        connector = FxConnector(
            ecb_url="https://bank.example/stats/",
            transport=httpx.MockTransport(self.handle),
            sleep=lambda seconds: None,
        )
        batches = list(connector.batches(ECB_RATES, cursor, window or Window()))
        for batch in batches:
            assert batch.records
            assert batch.payloads is not None
            assert len(batch.records) == len(batch.origins) == len(batch.payloads)
            assert json.loads(json.dumps(batch.cursor)) == batch.cursor
        return batches


def dates(batches: list[RawBatch]) -> list[str]:
    return [json.loads(payload)["date"] for batch in batches for payload in batch.payloads or () if payload]


def test_first_the_whole_history() -> None:
    bank = FakeBank()
    (batch,) = bank.read()
    assert bank.requests == ["eurofxref-hist.zip"]
    assert dates([batch]) == [day.isoformat() for day in bank.days()]
    assert batch.records[-1] == f"2026-10-30,{bank.rate(bank.today)},N/A,".encode()
    assert batch.origins[-1] == "https://bank.example/stats/eurofxref-hist.zip:2"
    assert batch.cursor is not None
    assert batch.cursor["date"] == "2026-10-30"


def test_again_on_the_same_day_adds_nothing() -> None:
    bank = FakeBank()
    cursor = bank.read()[0].cursor
    assert bank.read(cursor) == []
    assert bank.requests[1:] == ["eurofxref.zip"]


@pytest.mark.parametrize(
    ("today", "files"),
    [
        (date(2026, 10, 31), ["eurofxref.zip"]),
        (date(2026, 11, 2), ["eurofxref.zip"]),
        (date(2026, 11, 3), ["eurofxref.zip", "eurofxref-hist.zip"]),
        (date(2026, 11, 20), ["eurofxref.zip", "eurofxref-hist.zip"]),
    ],
)
def test_later_the_daily_file_or_the_history_where_a_day_is_missing(today: date, files: list[str]) -> None:
    bank = FakeBank()
    cursor = bank.read()[0].cursor
    bank.today = today
    bank.requests.clear()
    assert dates(bank.read(cursor)) == [d.isoformat() for d in bank.days() if d > date(2026, 10, 30)]
    assert bank.requests == files


def test_day_after_day_equals_the_history() -> None:
    bank = FakeBank(today=date(2026, 9, 10))
    batches = bank.read()
    while bank.today < date(2026, 10, 20):
        bank.today += timedelta(days=1)
        batches += bank.read(batches[-1].cursor)
    assert dates(batches) == [day.isoformat() for day in bank.days()]


def test_a_corrected_day_is_read_again() -> None:
    bank = FakeBank()
    cursor = bank.read()[0].cursor
    bank.correction = "9.999"
    (batch,) = bank.read(cursor)
    assert json.loads((batch.payloads or [b""])[0])["rates"] == {"USD": "9.9990"}
    assert bank.read(batch.cursor) == []


def test_validators_are_sent() -> None:
    bank = FakeBank(etag=True)
    cursor = bank.read()[0].cursor
    bank.today = date(2026, 11, 2)
    (batch,) = bank.read(cursor)
    assert batch.cursor is not None
    assert "etag" in batch.cursor
    assert bank.read(batch.cursor) == []


def test_a_history_behind_the_daily_file_hides_no_day() -> None:
    bank = FakeBank(etag=True)
    batches = bank.read()
    bank.today = date(2026, 11, 4)
    bank.history_lags = 1
    batches += bank.read(batches[-1].cursor)
    assert dates(batches)[-1] == "2026-11-03"
    batches += bank.read(batches[-1].cursor)
    assert dates(batches) == [day.isoformat() for day in bank.days()]


def test_an_older_daily_file_is_ignored() -> None:
    bank = FakeBank()
    cursor = bank.read()[0].cursor
    bank.today = date(2026, 10, 20)
    assert bank.read(cursor) == []


@pytest.mark.parametrize("suffixes", [(".csv",), (".zip", ".csv")])
def test_plain_files_do_as_well(suffixes: tuple[str, ...]) -> None:
    bank = FakeBank(suffixes=suffixes)
    batches = bank.read()
    bank.today = date(2026, 11, 2)
    batches += bank.read(batches[-1].cursor)
    assert dates(batches) == [day.isoformat() for day in bank.days()]


def test_a_window() -> None:
    bank = FakeBank()
    start = datetime(2026, 10, 1, tzinfo=UTC)
    batches = bank.read({"date": "2026-10-30"}, Window(start, start + timedelta(days=7)))
    assert dates(batches) == [f"2026-10-{day:02}" for day in (1, 2, 5, 6, 7)]
    assert batches[0].cursor is None
    assert bank.read(None, Window(since=datetime(2030, 1, 1, tzinfo=UTC))) == []


def test_nothing_there_names_the_setting() -> None:
    with pytest.raises(PermanentSourceError) as caught:
        FakeBank(suffixes=()).read()
    assert "RETREASURE_FX_URL" in caught.value.remedy


def test_a_bad_line_is_handed_on_with_its_reason() -> None:
    body = b"Date,USD\n2026-10-30,1.1\n2026-10-29,broken\n"
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=body))
    (batch,) = FxConnector(ecb_url="https://x.example", transport=transport).batches(ECB_RATES, None, Window())
    assert batch.problems == ["the rate of USD is not a positive number", None]
    assert batch.payloads is not None
    assert batch.payloads[0] == b""
    assert batch.cursor is not None
    assert batch.cursor["date"] == "2026-10-30"


def test_nothing_but_bad_lines_leaves_the_cursor() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(200, content=b"Date,USD\n2026-10-29,broken\n"))
    (batch,) = FxConnector(ecb_url="https://x.example", transport=transport).batches(ECB_RATES, None, Window())
    assert batch.cursor is None


@pytest.mark.parametrize("cursor", [{"date": "yesterday"}, {}, {"updated_at": "2026-01-01"}])
def test_a_foreign_cursor_is_named(cursor: dict[str, Any]) -> None:
    with pytest.raises(PermanentSourceError, match="stored cursor"):
        FakeBank().read(cursor)


# Intraday

Intraday = Callable[..., list[RawBatch]]
GOOD = (
    b'{"base":"EUR","timestamp":1767225600,"rates":{"USD":1.1172,"JPY": 175.680 ,"IDR":2.03e4,"GBP":"0.8338"},"x":[]}'
)


def intraday(body: bytes, cursor: Any = None, window: Window | None = None, **more: Any) -> list[RawBatch]:
    requests: list[httpx.Request] = more.pop("requests", [])

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return httpx.Response(200, content=body)

    connector = FxConnector(
        ecb_url=None,
        intraday_url="https://rates.example/latest?key=secret",
        transport=httpx.MockTransport(handle),
        sleep=lambda seconds: None,
        **more,
    )
    return list(connector.batches(INTRADAY_RATES, cursor, window or Window()))


def test_intraday() -> None:
    (batch,) = intraday(GOOD)
    assert batch.records == [GOOD]
    assert batch.origins == ["https://rates.example/latest"]
    assert batch.payloads is not None
    assert json.loads(batch.payloads[0]) == {
        "base": "EUR",
        "rates": {"USD": "1.1172", "JPY": "175.680", "IDR": "2.03e4", "GBP": "0.8338"},
        "timestamp": "2026-01-01T00:00:00Z",
        "provider": "rates.example",
    }
    assert json.loads(json.dumps(batch.cursor)) == batch.cursor
    assert intraday(GOOD, batch.cursor) == []
    assert intraday(GOOD.replace(b"1767225600", b"1767225601"), batch.cursor)


@pytest.mark.parametrize(
    ("timestamp", "expected"),
    [
        (b"1767225600", "2026-01-01T00:00:00Z"),
        (b"1767225600.5", "2026-01-01T00:00:00.500000Z"),
        (b"1767225600000", "2026-01-01T00:00:00Z"),
        (b'"2026-01-01T00:00:00Z"', "2026-01-01T00:00:00Z"),
        (b'"2026-01-01T01:00:00+01:00"', "2026-01-01T00:00:00Z"),
        (b'"2026-01-01 00:00:00"', "2026-01-01T00:00:00Z"),
    ],
)
def test_intraday_times(timestamp: bytes, expected: str) -> None:
    (batch,) = intraday(GOOD.replace(b"1767225600", timestamp))
    assert json.loads((batch.payloads or [b""])[0])["timestamp"] == expected


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"{}",
        b'{"success":false,"error":{"type":"quota"}}',
        b'{"base":"EUR","rates":{},"timestamp":1}',
        b'{"base":"EUR","rates":{"USD":null},"timestamp":1}',
        b'{"base":"EUR","rates":{"USD":-1},"timestamp":1}',
        b'{"base":"EUR","rates":{"USD":{"a":1}},"timestamp":1}',
        b'{"base":"euro","rates":{"USD":1},"timestamp":1}',
        b'{"base":"EUR","rates":{"USD":1},"timestamp":"noon"}',
        b'{"base":"EUR","rates":{"USD":1},"timestamp":1e300}',
        b'{"base":"EUR","rates":{"USD":1},"timestamp":null}',
        b'{"base":"EUR","rates":{"USD":"\xff"},"timestamp":1}',
    ],
)
def test_intraday_of_another_form_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedInputError, match="RETREASURE_FX_INTRADAY_URL"):
        intraday(body)


def test_intraday_bearer_token() -> None:
    requests: list[httpx.Request] = []
    intraday(GOOD, requests=requests)
    intraday(GOOD, requests=requests, intraday_token="abc")
    assert "authorization" not in requests[0].headers
    assert requests[1].headers["authorization"] == "Bearer abc"


def test_intraday_windows() -> None:
    at = datetime(2026, 1, 1, tzinfo=UTC)
    assert intraday(GOOD, None, Window(since=at))[0].cursor is None
    assert intraday(GOOD, None, Window(since=at + timedelta(seconds=1))) == []
    assert intraday(GOOD, None, Window(until=at)) == []


def test_check_asks_both_providers() -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        if request.url.host == "rates.example":
            return httpx.Response(200, content=GOOD)
        return FakeBank().handle(request)

    connector = FxConnector(
        ecb_url="https://bank.example/stats",
        intraday_url="https://rates.example/",
        transport=httpx.MockTransport(handle),
    )
    assert connector.check() == []
    assert set(connector.entities) == {"ecb_rates", "intraday_rates"}
    connector.close()


def test_an_unreachable_bank_is_transient() -> None:
    transport = httpx.MockTransport(lambda request: httpx.Response(503))
    connector = FxConnector(ecb_url="https://x.example", transport=transport, sleep=lambda seconds: None)
    with pytest.raises(TransientSourceError, match="ECB"):
        connector.check()
