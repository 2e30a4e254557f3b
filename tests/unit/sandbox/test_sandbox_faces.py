"""The smaller faces: exchange rates, the till's files, and the server itself."""

from __future__ import annotations

import csv
import io
import signal
import socket
import subprocess
import sys
import zipfile
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import httpx
import pytest

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sandbox.fx import FX_TOKEN, daily_csv, history_csv, latest_rates, zipped
from retreasure_assets.sandbox.server import environment, running_sandbox
from retreasure_assets.sandbox.till import CATALOGUE_COLUMNS, TRANSACTION_COLUMNS, write_till_files
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_fx import COLUMNS, FxDay
from retreasure_assets.settings import load_settings

# --- exchange rates ---------------------------------------------------------------------------------------------


def unzipped(content: bytes, name: str) -> str:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        assert archive.namelist() == [name]
        return archive.read(name).decode("ascii")


def test_the_history_has_the_ecbs_layout(world: World, client: httpx.Client) -> None:
    text = unzipped(client.get("/stats/eurofxref/eurofxref-hist.zip").content, "eurofxref-hist.csv")
    head, *lines = text.splitlines()
    assert head == "Date," + ",".join(COLUMNS) + ","
    assert len(lines) == len(world.fx)
    days = [line.split(",")[0] for line in lines]
    assert days == sorted(days, reverse=True)
    for line in lines:
        values = line.split(",")
        assert values[-1] == ""
        assert len(values) == len(COLUMNS) + 2
        assert all(value == "N/A" or Decimal(value) > 0 for value in values[1:-1])
        assert not any("." in value and value.endswith("0") for value in values[1:-1])
    row = dict(zip(head.split(","), lines[0].split(","), strict=True))
    assert row["CYP"] == row["HRK"] == row["BGN"] == "N/A"
    assert Decimal(row["USD"]) == world.fx[-1].rates["USD"]


def test_the_daily_file_has_the_ecbs_layout(world: World, client: httpx.Client) -> None:
    text = unzipped(client.get("/stats/eurofxref/eurofxref.zip").content, "eurofxref.csv")
    head, line, rest = text.split("\n")
    assert rest == ""
    assert head.startswith("Date, USD, JPY, CZK, ")
    assert head.endswith(", ZAR, ")
    assert line.endswith(", ")
    values = dict(zip(head.split(", "), line.split(", "), strict=True))
    assert datetime.strptime(values["Date"], "%d %B %Y").date() == world.fx[-1].day  # noqa: DTZ007 (a date)
    assert "BGN" not in values


def test_rates_are_printed_as_the_ecb_prints_them() -> None:
    entry = FxDay(date(2026, 10, 30), {"USD": Decimal("1.1172"), "GBP": Decimal("0.83380"), "ISK": Decimal("136.00")})
    assert daily_csv(entry) == b"Date, USD, GBP, ISK, \n30 October 2026, 1.1172, 0.83380, 136.00, \n"
    line = history_csv([entry]).decode().splitlines()[1]
    assert line.startswith("2026-10-30,1.1172,N/A,")
    assert ",0.8338," in line
    assert ",136," in line


def test_an_archive_is_the_same_every_time() -> None:
    assert zipped("a.csv", b"x" * 1000) == zipped("a.csv", b"x" * 1000)


def test_the_intraday_provider_wants_its_token(world: World, client: httpx.Client) -> None:
    assert client.get("/fx/latest").status_code == 401
    assert client.get("/fx/latest", headers={"Authorization": "Bearer wrong"}).status_code == 401
    assert client.get("/fx/latest", headers={"Authorization": "Bearer é".encode()}).status_code == 401
    answer = client.get("/fx/latest", headers={"Authorization": f"Bearer {FX_TOKEN}"}).json()
    assert answer == latest_rates(world)
    assert answer["base"] == "EUR"
    assert answer["timestamp"] < world.clock.timestamp()
    official = float(world.fx[-1].rates["USD"])
    assert abs(answer["rates"]["USD"] / official - 1) < 0.01


# --- the till ---------------------------------------------------------------------------------------------------


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_the_till_writes_a_file_a_day_and_a_catalogue(world: World, tmp_path: Path) -> None:
    written = write_till_files(world, tmp_path)
    assert sorted(written) == sorted(path for path in tmp_path.rglob("*") if path.is_file())
    days = sorted(path.name for path in (tmp_path / "pos" / "transactions").iterdir())
    assert days[0] == "till_2026-01-05.csv"
    # Sixty days from a Monday on, without eight Sundays.
    assert len(days) == 52
    found = [row for path in (tmp_path / "pos" / "transactions").iterdir() for row in rows(path)]
    assert list(found[0]) == list(TRANSACTION_COLUMNS)
    # What the second register sold is Square's to tell.
    assert {row["register_id"] for row in found} == {"R1"}
    own = [receipt for receipt in world.receipts if receipt.register_id == "R1"]
    assert len(found) == sum(len(receipt.lines) for receipt in own)
    totals = {receipt.receipt_id: sum(line.total for line in receipt.lines) for receipt in own}
    for row in found:
        assert row["currency"] == "EUR"
        sold_at = datetime.fromisoformat(row["sold_at"])
        assert sold_at.utcoffset() is not None
        quantity = int(row["quantity"])
        paid = Decimal(row["unit_price"]) * quantity - Decimal(row["discount_amount"])
        # A return states the price paid for a piece, rounded to the cent.
        tolerance = Decimal("0.005") * abs(quantity) if row["line_type"] == "return" else 0
        assert abs(paid - Decimal(row["line_total"])) <= tolerance
        assert (row["line_type"] == "return") == (int(row["quantity"]) < 0)
        totals[row["transaction_id"]] -= Decimal(row["line_total"])
    assert not any(totals.values())
    catalogue = rows(tmp_path / "pos" / "products" / "catalogue.csv")
    assert list(catalogue[0]) == list(CATALOGUE_COLUMNS)
    assert {row["item_id"] for row in found} <= {row["item_id"] for row in catalogue}
    assert any('"' in row["title"] and "," in row["title"] for row in catalogue)


def test_files_that_have_not_changed_are_left_alone(world: World, tmp_path: Path) -> None:
    yesterday = world.as_of(world.clock - timedelta(days=1))
    write_till_files(yesterday, tmp_path)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.csv")}
    assert write_till_files(yesterday, tmp_path) == []
    written = write_till_files(world, tmp_path)
    assert {path.name for path in written} == {"till_2026-03-05.csv", "catalogue.csv"}
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.csv")}
    assert all(after[path] == at for path, at in before.items() if path.name != "catalogue.csv")
    assert not list(tmp_path.rglob("*.part"))


def test_a_day_is_written_when_it_is_over(world: World, tmp_path: Path) -> None:
    noon = world.as_of(world.clock - timedelta(hours=12))
    write_till_files(noon, tmp_path)
    names = {path.name for path in (tmp_path / "pos" / "transactions").iterdir()}
    assert "till_2026-03-04.csv" in names
    assert "till_2026-03-05.csv" not in names


# --- the server -------------------------------------------------------------------------------------------------


def test_a_taken_port_is_said_in_one_sentence(world: World) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with (
            pytest.raises(ConfigurationError, match=f"cannot listen on port {port}") as caught,
            running_sandbox(world, port),
        ):
            pass
        assert caught.value.__cause__ is None


def test_the_server_is_gone_afterwards(world: World) -> None:
    with running_sandbox(world) as url:
        assert httpx.get(url).json()["name"] == "ReTreasure sandbox"
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_a_served_sandbox_says_where_it_is_and_ends_quietly(end: signal.Signals) -> None:
    program = (
        "from retreasure_assets.sandbox.server import serve\n"
        "from retreasure_assets.sandbox.world import WorldSpec, generate_world\n"
        "world = generate_world(WorldSpec(days=1, scale=0.02))\n"
        "serve(world, announce=lambda url: print(url, flush=True))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        url = process.stdout.readline().strip()
        assert httpx.get(url, timeout=20).json()["seed"] == 7
        process.send_signal(end)
        process.wait(timeout=20)
        assert process.stderr.read() == ""


def test_the_environment_is_what_the_settings_read(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in environment("http://127.0.0.1:8123").items():
        monkeypatch.setenv(name, value)
    settings = load_settings()
    assert str(settings.shopify_url) == "http://127.0.0.1:8123/"
    assert settings.fx_enabled
    assert settings.fx_intraday_token is not None
    assert settings.fx_intraday_token.get_secret_value() == FX_TOKEN
