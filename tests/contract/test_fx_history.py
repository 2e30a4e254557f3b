"""The ECB's real files, whole."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from retreasure_assets.entities import Window
from retreasure_assets.sources.fx import ECB_RATES, FxConnector, ecb


@pytest.fixture(scope="module")
def history(contracts: Path) -> bytes:
    return (contracts / "fx" / "eurofxref-hist.csv").read_bytes()


@pytest.fixture(scope="module")
def daily(contracts: Path) -> bytes:
    return (contracts / "fx" / "eurofxref.csv").read_bytes()


def test_every_line_of_the_history(history: bytes) -> None:
    lines = ecb.parse(history)
    rows = list(csv.DictReader(io.StringIO(history.decode())))
    assert len(lines) == len(rows) == 7126
    assert [line.problem for line in lines if line.problem] == []
    days = [line.day for line in lines]
    assert days == sorted(days)  # type: ignore[type-var]
    assert (days[0], days[-1]) == (date(1999, 1, 4), date(2026, 10, 30))
    assert len(set(days)) == len(days)
    raw = history.splitlines()
    for line, row in zip(reversed(lines), rows, strict=True):
        assert line.raw == raw[line.number - 1]
        payload = json.loads(line.payload())
        assert payload["date"] == row["Date"]
        assert payload["base"] == "EUR"
        assert payload["rates"] == {key: text for key, text in row.items() if len(key) == 3 and text not in ("N/A", "")}


def test_the_daily_line_is_the_historys_in_another_notation(history: bytes, daily: bytes) -> None:
    (line,) = ecb.parse(daily)
    last = ecb.parse(history)[-1]
    assert line.day == last.day
    assert line.same_rates(last.rates)
    assert line.raw != last.raw


def test_gaps_are_five_days_at_most(history: bytes) -> None:
    days = [line.day for line in ecb.parse(history) if line.day]
    assert max((b - a).days for a, b in pairwise(days)) <= 5


@pytest.mark.parametrize("suffix", ["zip", "csv"])
def test_through_the_connector(history: bytes, daily: bytes, suffix: str) -> None:
    def handle(request: httpx.Request) -> httpx.Response:
        name, _, asked = request.url.path.removeprefix("/").partition(".")
        if asked != suffix:
            return httpx.Response(404)
        body = history if name == "eurofxref-hist" else daily
        if suffix == "zip":
            out = io.BytesIO()
            with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
                archive.writestr(f"{name}.csv", body)
            body = out.getvalue()
        return httpx.Response(200, content=body)

    connector = FxConnector(ecb_url="https://bank.example/", transport=httpx.MockTransport(handle))
    (batch,) = connector.batches(ECB_RATES, None, Window())
    assert len(batch.records) == 7126
    assert batch.problems is None
    assert list(connector.batches(ECB_RATES, batch.cursor, Window())) == []
    window = Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC))
    (january,) = connector.batches(ECB_RATES, None, window)
    assert len(january.records) == 21
