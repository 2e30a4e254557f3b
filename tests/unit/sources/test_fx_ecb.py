"""The ECB's files, line by line."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.errors import MalformedInputError
from retreasure_assets.sources.fx import ecb

HISTORY = (
    b"Date,USD,JPY,CYP,\n"
    b"2026-10-30,1.1172,175.68,N/A,\n"
    b"2026-10-29,1.113,175.92,N/A,\n"
    b"1999-01-04,1.1789,133.73,0.58231,\n"
)
DAILY = b"Date, USD, JPY, \n30 October 2026, 1.11720, 175.68, \n"


def zipped(body: bytes, name: str = "eurofxref-hist.csv", **more: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, body)
        for other, content in more.items():
            archive.writestr(other, content)
    return out.getvalue()


def test_history() -> None:
    lines = ecb.parse(HISTORY)
    assert [line.day for line in lines] == [date(1999, 1, 4), date(2026, 10, 29), date(2026, 10, 30)]
    assert [line.number for line in lines] == [4, 3, 2]
    assert lines[2].raw == b"2026-10-30,1.1172,175.68,N/A,"
    assert json.loads(lines[2].payload()) == {
        "date": "2026-10-30",
        "base": "EUR",
        "rates": {"USD": "1.1172", "JPY": "175.68"},
    }
    assert lines[0].rates["CYP"] == "0.58231"


def test_daily() -> None:
    (line,) = ecb.parse(DAILY)
    assert line.raw == b"30 October 2026, 1.11720, 175.68, "
    assert json.loads(line.payload()) == {
        "date": "2026-10-30",
        "base": "EUR",
        "rates": {"USD": "1.11720", "JPY": "175.68"},
    }
    history = ecb.parse(HISTORY)[-1]
    assert line.same_rates(history.rates)
    assert not line.same_rates({**history.rates, "USD": "1.1173"})
    assert not line.same_rates({**history.rates, "GBP": "0.8"})


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
def test_line_ends_and_a_byte_order_mark(end: bytes) -> None:
    body = b"\xef\xbb\xbfDate,USD\r\n2026-10-30,1.1" + end
    (line,) = ecb.parse(body)
    assert (line.raw, line.rates) == (b"2026-10-30,1.1", {"USD": "1.1"})


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (b"2026-10-28,1.1,2.2,3.3,4.4,", "4 rates for 3"),
        (b"2026-10-28,1.1,", "1 rates for 3"),
        (b"2026-02-30,1.1,2.2,3.3,", "date"),
        (b"32 October 2026,1.1,2.2,3.3,", "date"),
        (b"30 Oktober 2026,1.1,2.2,3.3,", "date"),
        (b"2026-10-28,1.1,-2.2,3.3,", "JPY"),
        (b"2026-10-28,1.1,0,3.3,", "JPY"),
        (b"2026-10-28,1.1,1e3,3.3,", "JPY"),
        (b"2026-10-28,1.1,\xd9\xa1,3.3,", "plain text"),
        (b"2026-10-28,N/A,N/A,N/A,", "no rate"),
        (b"<html>", "date"),
    ],
)
def test_a_bad_line_leaves_the_others(line: bytes, word: str) -> None:
    found = ecb.parse(HISTORY + line + b"\n")
    bad = [entry for entry in found if entry.problem]
    assert [entry.raw for entry in bad] == [line]
    assert word in (bad[0].problem or "")
    assert bad[0].payload() == b""
    assert sum(1 for entry in found if not entry.problem) == 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n",
        b"Date,USD\n",
        b"Date\n2026-10-30\n",
        b"2026-10-30,1.1\n",
        b"<!DOCTYPE html><html></html>",
        b'{"error":"moved"}',
        b"Date,USD,USD\n2026-10-30,1,1\n",
        b"Date,usd\n2026-10-30,1\n",
        b"\xff\xfe\x00\x01",
    ],
)
def test_another_file_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedInputError, match="ECB") as caught:
        ecb.parse(body)
    assert "RETREASURE_FX_URL" in caught.value.remedy


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_named(body: bytes) -> None:
    try:
        for line in ecb.parse(ecb.unpack(body)):
            assert (line.problem is None) == (line.payload() != b"")
    except MalformedInputError:
        pass


def test_zip() -> None:
    assert ecb.unpack(zipped(HISTORY)) == HISTORY
    assert ecb.unpack(HISTORY) == HISTORY


@pytest.mark.parametrize(
    "body",
    [
        b"PK\x03\x04",
        zipped(HISTORY)[:-30],
        zipped(HISTORY)[:60],
        zipped(HISTORY, name="readme.txt"),
        zipped(HISTORY, other=b"x", **{"b.csv": b"y"}),
        b"PK\x03\x04" + b"\x00" * 200,
        zipped(HISTORY).replace(b"\x08\x00", b"\x63\x00"),
    ],
    # An archive has the time in it; two workers would not agree on what the tests are called.
    ids=["head", "cut", "nearly gone", "no csv", "two", "zeros", "unknown method"],
)
def test_a_damaged_archive_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedInputError, match="ECB"):
        ecb.unpack(body)


def test_a_flipped_bit_in_the_archive_is_noticed() -> None:
    body = bytearray(zipped(HISTORY))
    body[60] ^= 0xFF
    with pytest.raises(MalformedInputError):
        ecb.unpack(bytes(body))


def test_an_oversized_archive_is_not_unpacked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecb, "MAX_UNPACKED", 100)
    with pytest.raises(MalformedInputError):
        ecb.unpack(zipped(b"x" * 101))


@pytest.mark.parametrize(
    ("last", "day", "expected"),
    [
        (date(2026, 10, 29), date(2026, 10, 30), True),  # Thursday -> Friday
        (date(2026, 10, 30), date(2026, 11, 2), True),  # Friday -> Monday
        (date(2026, 10, 29), date(2026, 11, 2), False),  # Friday is missing
        (date(2026, 4, 2), date(2026, 4, 7), False),  # Easter: not missing, but the history tells
        (date(2026, 10, 30), date(2026, 10, 30), True),
    ],
)
def test_follows(last: date, day: date, expected: bool) -> None:
    assert ecb.follows(day, last) is expected


@given(st.dates(date(2000, 1, 1), date(2030, 1, 1)), st.integers(0, 30))
def test_follows_never_skips_a_working_day(last: date, days: int) -> None:
    day = last + timedelta(days=days)
    skipped = [last + timedelta(days=n) for n in range(1, days)]
    assert ecb.follows(day, last) == all(other.isoweekday() in (6, 7) for other in skipped)
