"""A state folder that is locked, damaged, full or without rights: one sentence, an exit code, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import duckdb
import pytest
from dagster import DagsterInstance, DagsterRunStatus
from dagster._core.test_utils import create_run_for_test

from retreasure_assets import automation
from tests.end_to_end.bad_input import PRODUCTS, QUOTE, closed_port, is_quiet, receipts
from tests.end_to_end.conftest import Home, resize

pytestmark = pytest.mark.timeout(300)


class Slow(HTTPServer):
    """An intraday provider that answers when it is told to."""

    def __init__(self) -> None:
        self.asked = threading.Event()
        self.go_on = threading.Event()
        slow = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                slow.asked.set()
                slow.go_on.wait(60)
                body = json.dumps(QUOTE).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.mark.slow
def test_a_second_run_is_refused_while_one_is_going_and_goes_on_when_that_is_killed(
    home: Home, small_build: Path
) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    with Slow() as provider:
        threading.Thread(target=provider.serve_forever, daemon=True).start()
        home.settings["RETREASURE_FX_INTRADAY_URL"] = f"http://127.0.0.1:{provider.server_address[1]}/"
        first = home.start("run")
        try:
            assert provider.asked.wait(90), "the first run never asked"
            second = home.run()
        finally:
            first.kill()
            first.communicate(timeout=30)
            provider.go_on.set()
        # The killed one still holds Dagster's slot of its step; nobody must wait for it.
        third = home.run(timeout=120)
        provider.shutdown()
    assert second.code == 7, second.err
    is_quiet(second)
    (reason,) = second.reasons
    assert reason.startswith(f"Another run (process {first.pid}) has been going for 0 min")
    assert "Remedy: Wait until it ends, or stop that process." in second.err
    assert (third.code, third.err) == (0, ""), third.out
    assert home.failures_logged() == {("platform", "run", "AlreadyRunningError")}
    assert home.count("bronze.fx_intraday_rates") == 1
    assert home.count("bronze.pos_products") == 2


@pytest.mark.slow
def test_runs_that_the_daemon_began_and_nobody_goes_on_with_block_nothing(
    home: Home, small_build: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    folder = home.path / "dagster"
    folder.mkdir()
    shutil.copy(Path(automation.__file__).with_name("dagster.yaml"), folder)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    pools = ["warehouse", "bronze_pos_products"]
    with DagsterInstance.from_config(str(folder)) as instance:
        dead = [create_run_for_test(instance, status=DagsterRunStatus.STARTED).run_id for _ in pools]
        for pool, run_id in zip(pools, dead, strict=True):
            instance.event_log_storage.initialize_concurrency_limit_to_default(pool)
            assert instance.event_log_storage.claim_concurrency_slot(pool, run_id, "step").is_claimed
        outcome = home.run(timeout=120)
        assert {instance.get_run_by_id(run_id).status for run_id in dead} == {DagsterRunStatus.FAILURE}
    assert (outcome.code, outcome.err) == (0, ""), outcome.out
    assert home.gold()["pos_products"] == 2


@pytest.mark.slow
def test_a_warehouse_that_another_process_holds_and_one_that_is_damaged(home: Home, small_build: Path) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    warehouse = home.path / "build" / "warehouse.duckdb"
    warehouse.parent.mkdir()
    with duckdb.connect(str(warehouse)):
        outcome = home.run()
    assert outcome.code == 7, outcome.err
    is_quiet(outcome)
    (reason,) = outcome.reasons
    assert f"warehouse.duckdb is held by process {os.getpid()}. Wait until that process ends" in reason
    assert home.failures_logged() == {("platform", "build", "AlreadyRunningError")}
    # What a full disk leaves.
    warehouse.write_bytes(b"")
    after = home.run()
    assert (after.code, after.err) == (0, "")
    assert home.gold()["pos_products"] == 2


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["*.parquet", "*.json"], ids=["rows", "log"])
def test_a_damaged_file_of_the_lake_is_named_and_a_restored_one_goes_on(
    home: Home, small_build: Path, kind: str
) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    home.drop("pos/transactions/till.csv", receipts(0, 7))
    assert home.run().code == 0
    (file, *_) = sorted((home.path / "lake" / "bronze" / "pos_products").rglob(kind))
    whole = file.read_bytes()
    file.write_bytes(whole[: len(whole) // 2])
    home.drop("pos/products/more.csv", PRODUCTS.replace(b"RT-", b"RX-"))
    home.drop("pos/transactions/till.csv", receipts(0, 9))
    outcome = home.run()
    assert outcome.code == 4, outcome.err
    is_quiet(outcome)
    assert all("bronze.pos_products could not be read" in reason for reason in outcome.reasons), outcome.err
    # The table beside it takes in what is new meanwhile.
    assert home.count("bronze.pos_transactions") == 9
    failing = home.rows("select subject, severity, state from ops.failures")
    assert ("bronze.pos_products", "critical", "open") in failing

    file.write_bytes(whole)
    after = home.run()
    assert (after.code, after.err) == (0, ""), after.out
    assert (home.gold()["pos_products"], home.gold()["pos_transactions"]) == (4, 9)
    assert home.rows("select distinct state from ops.failures") == [("resolved",)]


@pytest.mark.slow
@pytest.mark.parametrize("table", ["failures", "alerts"])
def test_damaged_logs_of_failures_and_alerts_are_named_and_keep_no_data_back(
    home: Home, small_build: Path, table: str
) -> None:
    home.settings |= {
        "RETREASURE_DBT_PROJECT": str(small_build),
        "RETREASURE_FX_URL": f"http://127.0.0.1:{closed_port()}",
    }
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    assert home.run().code == 3
    assert ("source", "bronze.fx_ecb_rates", 4) in home.rows("select kind, subject, attempts from ops.failures")
    (log, *_) = sorted((home.path / "lake" / "ops" / table / "_delta_log").glob("*.json"))
    log.write_bytes(b"{half")
    home.drop("pos/products/more.csv", PRODUCTS.replace(b"RT-1", b"RT-9"))
    outcome = home.run()
    assert outcome.code == 3, outcome.err
    is_quiet(outcome)
    assert all("bronze.fx_ecb_rates" in reason or f"ops.{table}" in reason for reason in outcome.reasons), outcome.err
    assert home.gold()["pos_products"] == 3


@pytest.mark.slow
def test_a_drop_folder_and_a_file_without_rights_stop_their_entities_alone(
    home: Home, small_build: Path, rights: Callable[[], None]
) -> None:
    home.settings |= {"RETREASURE_DBT_PROJECT": str(small_build)}
    folder = home.drop("pos/products/catalogue.csv", PRODUCTS).parent
    file = home.drop("pos/transactions/secret.csv", receipts(100, 7))
    home.drop("pos/transactions/till.csv", receipts(0, 7))
    folder.chmod(0)
    file.chmod(0)
    outcome = home.run(before=rights)
    assert outcome.code == 3, outcome.err
    is_quiet(outcome)
    assert len(outcome.reasons) == 2
    for place in ("pos/products", "pos/transactions/secret.csv"):
        (reason,) = [reason for reason in outcome.reasons if place in reason]
        assert "No rights to read" in reason
        assert "Give this user the right to read it." in reason
    assert home.failures_logged() == {
        ("pos", "products", "PermanentSourceError"),
        ("pos", "transactions", "PermanentSourceError"),
    }
    assert home.count("bronze.pos_transactions") == 7

    folder.chmod(0o755)
    file.chmod(0o644)
    assert home.run(before=rights).code == 0
    assert home.count("bronze.pos_products") == 2
    assert home.count("bronze.pos_transactions") == 14


@pytest.mark.slow
@pytest.mark.parametrize(
    ("place", "mode", "code"),
    [
        (".", 0o500, 4),
        (".", 0, 4),
        ("lake", 0o500, 4),
        ("lake", 0, 4),
        ("lake/bronze", 0, 4),
        ("vault", 0o500, 5),
        ("vault", 0, 5),
        ("dagster", 0o500, 4),
        ("build", 0o500, 4),
        ("build/dbt", 0, 4),
    ],
)
def test_a_state_folder_without_rights_is_named(
    home: Home, small_build: Path, rights: Callable[[], None], place: str, mode: int, code: int
) -> None:
    home.settings["RETREASURE_DBT_PROJECT"] = str(small_build)
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    folder = home.path / place
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(mode)
    try:
        outcome = home.run(before=rights)
    finally:
        folder.chmod(0o700)
    assert outcome.code == code, outcome.err
    is_quiet(outcome)
    assert len(outcome.reasons) == 1, outcome.err
    remedies = [line for line in outcome.err.splitlines() if line.startswith(("Failed: ", "Remedy: "))]
    assert all("rights on" in remedy for remedy in remedies), outcome.err


@pytest.mark.slow
@pytest.mark.parametrize("elsewhere", [False, True], ids=["state", "lake"])
def test_a_full_disk_is_named_and_the_next_run_completes(
    tmp_path: Path, small_build: Path, small_disk: Callable[[int], Path], elsewhere: bool
) -> None:
    """The disk fills up under Dagster's own files, or, with those elsewhere, under the lake's."""
    disk = small_disk(2 << 20)
    home = Home(disk / "home", {"RETREASURE_DBT_PROJECT": str(small_build)})
    if elsewhere:
        history = tmp_path / "dagster"
        history.mkdir()
        home.settings["DAGSTER_HOME"] = str(history)
    home.path.mkdir()
    (home.path / "drop").symlink_to(tmp_path / "drop")
    (tmp_path / "drop").mkdir()
    home.drop("pos/products/catalogue.csv", PRODUCTS)
    home.drop("pos/transactions/till.csv", receipts(0, 60_000))
    outcome = home.run()
    # The vault's keys are written before what they seal, so that it may be the first that finds no space.
    assert outcome.code in (4, 5), outcome.err
    is_quiet(outcome)
    assert "the disk is full" in outcome.err or "Check free space" in outcome.err

    resize(disk, 200 << 20)
    after = home.run()
    assert after.code == 0, after.err
    loaded = "select count(*), count(distinct natural_key), count(distinct record_id) from bronze.pos_transactions"
    assert home.rows(loaded) == [(60_000, 60_000, 60_000)]
    assert dict(home.rows("select source_table, records from gold.loaded"))["pos_transactions"] == 60_000
