"""Ingestion: cursors, log, failures, kills."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.errors import LakeError, TransientSourceError
from retreasure_assets.lake import ingest as module
from retreasure_assets.lake.bronze import BatchResult
from retreasure_assets.lake.cursors import CursorStore
from retreasure_assets.lake.ingest import gather, ingest
from retreasure_assets.lake.ingestion_log import SCHEMA
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.settings import Settings
from tests.unit.lake.world import (
    KEYS,
    ORDERS,
    PLANTED,
    FakeConnector,
    assert_nothing_planted,
    batch,
    order,
    rows,
    unseal,
)

PAGES = [[order(number) for number in range(start, start + 10)] for start in range(0, 50, 10)]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_RECORDS", 10)


def test_a_sync_goes_on_where_the_last_one_stopped(lake: Lake, vault: Vault) -> None:
    reported: list[BatchResult] = []
    first = FakeConnector(PAGES[:3])
    summary = ingest(first, ORDERS, lake=lake, vault=vault, window=Window(), run_id="r1", report=reported.append)
    assert (summary.batches, summary.records, summary.new) == (1, 30, 30)
    assert [result.records for result in reported] == [30]
    assert CursorStore(lake).load(ORDERS) == {"page": 3}
    second = FakeConnector(PAGES)
    assert ingest(second, ORDERS, lake=lake, vault=vault, window=Window(), run_id="r2").new == 20
    assert second.asked == [({"page": 3}, Window())]
    assert ingest(second, ORDERS, lake=lake, vault=vault, window=Window(), run_id="r3").batches == 0
    assert len(rows(lake, "bronze", "shopify_orders")) == 50


def test_a_window_neither_reads_nor_moves_the_cursor(lake: Lake, vault: Vault) -> None:
    CursorStore(lake).save(ORDERS, {"page": 5})
    connector = FakeConnector(PAGES)
    window = Window(since=datetime(2026, 1, 1, tzinfo=UTC))
    assert ingest(connector, ORDERS, lake=lake, vault=vault, window=window, run_id="r").new == 50
    assert connector.asked == [(None, window)]
    assert CursorStore(lake).load(ORDERS) == {"page": 5}
    assert rows(lake, "ops", "ingestion_log")[0]["window_since"] == window.since


@pytest.mark.usefixtures("small_batches")
def test_every_batch_is_logged(lake: Lake, vault: Vault) -> None:
    pages = [*PAGES[:2], [b"broken", *PAGES[1][:3]]]
    ingest(FakeConnector(pages), ORDERS, lake=lake, vault=vault, window=Window(), run_id="r", attempt=2)
    log = sorted(rows(lake, "ops", "ingestion_log"), key=lambda row: row["finished_at"])
    assert list(log[0]) == SCHEMA.names
    counts = [(row["records"], row["new"], row["duplicates"], row["quarantined"]) for row in log]
    assert counts == [(10, 10, 0, 0), (10, 10, 0, 0), (4, 0, 3, 1)]
    for row in log:
        assert (row["status"], row["run_id"], row["attempt"], row["error_class"]) == ("ok", "r", 2, None)
        assert row["started_at"] <= row["finished_at"]
        assert row["bytes"] > 0
        assert row["log_date"] == row["finished_at"].date()
    assert len({row["log_id"] for row in log}) == 3
    # Batches that come quickly are logged in one commit, the one after the table's making.
    assert lake.table("ops", "ingestion_log").version() == 1


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("fail_at", [0, 1, 4])
def test_a_failing_source_loses_nothing_that_it_gave(lake: Lake, vault: Vault, fail_at: int) -> None:
    error = TransientSourceError("Shopify does not answer.", remedy="Try later.")
    broken = FakeConnector(PAGES, fail_at=fail_at, error=error)
    with pytest.raises(TransientSourceError):
        ingest(broken, ORDERS, lake=lake, vault=vault, window=Window(), run_id="r")
    assert len(rows(lake, "bronze", "shopify_orders")) == 10 * fail_at
    assert CursorStore(lake).load(ORDERS) == ({"page": fail_at} if fail_at else None)
    [failure] = [row for row in rows(lake, "ops", "ingestion_log") if row["status"] == "failed"]
    assert (failure["error_class"], failure["error_message"]) == ("TransientSourceError", str(error))
    assert (
        ingest(FakeConnector(PAGES), ORDERS, lake=lake, vault=vault, window=Window(), run_id="s").new
        == 50 - 10 * fail_at
    )


def test_pages_gathered_before_a_failure_are_kept(lake: Lake, vault: Vault) -> None:
    broken = FakeConnector(PAGES, fail_at=3, error=TransientSourceError("No.", remedy="Wait."))
    with pytest.raises(TransientSourceError):
        ingest(broken, ORDERS, lake=lake, vault=vault, window=Window(), run_id="r")
    assert len(rows(lake, "bronze", "shopify_orders")) == 30
    assert CursorStore(lake).load(ORDERS) == {"page": 3}


def test_an_unexpected_error_is_logged_without_its_text(lake: Lake, vault: Vault, settings: Settings) -> None:
    broken = FakeConnector(PAGES, fail_at=1, error=RuntimeError(f"could not read {PLANTED[0]}"))
    with pytest.raises(RuntimeError):
        ingest(broken, ORDERS, lake=lake, vault=vault, window=Window(), run_id="r")
    [failure] = [row for row in rows(lake, "ops", "ingestion_log") if row["status"] == "failed"]
    assert (failure["error_class"], failure["error_message"]) == ("RuntimeError", "The run ended unexpectedly.")
    assert_nothing_planted(settings.home)


def test_a_damaged_cursor_is_named(lake: Lake, vault: Vault) -> None:
    CursorStore(lake).save(ORDERS, {"page": 1})
    path = lake.state / "cursors" / "shopify_orders.json"
    path.write_bytes(b'{"page":')
    with pytest.raises(LakeError, match="The cursor of shopify_orders is damaged"):
        ingest(FakeConnector(PAGES), ORDERS, lake=lake, vault=vault, window=Window(), run_id="r")
    assert rows(lake, "ops", "ingestion_log")[0]["error_class"] == "LakeError"


def test_gathering_keeps_order_and_the_last_cursor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_RECORDS", 3)
    parts = [
        batch([b"1"], cursor={"n": 1}),
        batch([b"2"], payloads=[b"two"]),
        batch([b"3"], problems=["bad"], cursor=None),
        batch([b"4"]),
    ]
    first, second = gather(iter(parts))
    assert first.records == [b"1", b"2", b"3"]
    assert first.payloads == [b"1", b"two", b"3"]
    assert first.problems == [None, None, "bad"]
    assert first.cursor == {"n": 1}
    assert second is parts[3]


def test_a_slow_source_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BATCH_SECONDS", 0.0)
    assert len(list(gather(iter([batch([b"1"]), batch([b"2"])])))) == 2


# -- kills ---------------------------------------------------------------------------------------------------------

KILL_PAGES = 60


class _Slowly(FakeConnector):
    def batches(self, *arguments: object) -> Iterator[RawBatch]:
        for page in super().batches(*arguments):  # type: ignore[arg-type]
            time.sleep(0.005)
            yield page


def _pages() -> list[list[bytes]]:
    pages = [[order(number) for number in range(start, start + 20)] for start in range(0, KILL_PAGES * 20, 20)]
    return [[*page, b"broken %d" % number] for number, page in enumerate(pages)]


def run_until_killed(home: str) -> None:
    """What the killed process does."""
    module.BATCH_RECORDS = 20
    settings = Settings(home=Path(home))
    with Vault(settings.vault_path, KEYS) as vault:
        lake = Lake(settings.lake_path)
        print("started", flush=True)
        ingest(_Slowly(_pages()), ORDERS, lake=lake, vault=vault, window=Window(), run_id="killed")


def test_killed_at_any_moment_the_next_run_completes_it(lake: Lake, settings: Settings) -> None:
    root = Path(__file__).parents[3]
    code = "import sys; from tests.unit.lake import test_lake_ingest as module; module.run_until_killed(sys.argv[1])"
    chance = random.Random(5)
    survivors = 0
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", code, settings.home], cwd=root, stdout=subprocess.PIPE)
        assert process.stdout is not None
        assert process.stdout.readline() == b"started\n"
        time.sleep(chance.uniform(0.05, 0.6))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        survivors = len(rows(lake, "bronze", "shopify_orders"))
    assert survivors < KILL_PAGES * 20, "the kills came too late to prove anything"
    with Vault(settings.vault_path, KEYS) as vault:
        ingest(FakeConnector(_pages()), ORDERS, lake=lake, vault=vault, window=Window(), run_id="last")
        good, bad = rows(lake, "bronze", "shopify_orders"), rows(lake, "quarantine", "bronze_shopify_orders")
        assert sorted(unseal(vault, row) for row in [*good, *bad]) == sorted(r for page in _pages() for r in page)
        moments: dict[str, datetime] = {row["batch_id"]: row["ingested_at"] for row in good}
        assert len(set(moments.values())) == len(moments)
    assert_nothing_planted(settings.home)
