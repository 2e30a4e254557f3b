"""`retreasure status`: what it says of sources, tables, failures and the quarantine."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from pydantic import HttpUrl, SecretStr

from retreasure_assets.cli import main
from retreasure_assets.entities import Window
from retreasure_assets.errors import TransientSourceError
from retreasure_assets.lake.bronze import BatchResult
from retreasure_assets.lake.circuits import Circuits
from retreasure_assets.lake.failures import FailureLog, Kind, Symptom
from retreasure_assets.lake.ingestion_log import Attempt, IngestionLog
from retreasure_assets.lake.storage import Lake
from retreasure_assets.resources.telling import Teller
from retreasure_assets.settings import Settings
from retreasure_assets.sources.registry import declared_entities
from retreasure_assets.status import look

NOW = datetime.now(UTC).replace(microsecond=0)
ORDERS = declared_entities()["shopify_orders"]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A home in which Shopify was read, then EasyPost went down; Slack is not there."""
    settings = Settings(
        home=tmp_path / "home",
        easypost_url=HttpUrl("http://127.0.0.1:9"),
        easypost_api_key=SecretStr("EZAK1"),
        slack_url=HttpUrl("http://127.0.0.1:9/api"),
        slack_token=SecretStr("xoxb-1"),
        slack_channel="#a",
    )
    lake = Lake(settings.lake_path)
    for hours, new in ((30, 5), (4, 0)):
        at = NOW - timedelta(hours=hours)
        result = BatchResult(batch_id="b", records=9, new=new, duplicates=9 - new, quarantined=0, bytes=1)
        log = IngestionLog(lake)
        log.written(Attempt(ORDERS, Window(), "r"), result, at, at)
        log.flush()
    with Circuits(lake, lambda: NOW - timedelta(hours=2)).guard("shopify"):
        pass
    dead = TransientSourceError("EasyPost cannot be reached.", remedy="Check the network.")
    dead.seconds = 100.0
    with pytest.raises(TransientSourceError), Circuits(lake).guard("easypost"):
        raise dead
    cause = "EasyPost cannot be reached."
    symptom = Symptom(
        Kind.SOURCE, "bronze.easypost_trackers", cause, "TransientSourceError", attempts=4, source="easypost"
    )
    Teller(settings, lake).note([symptom], by="run-1", run_id="run-1")
    return settings


def test_sources_say_when_they_were_read_and_how_they_do(settings: Settings) -> None:
    sources = {source.source: source for source in look(settings, NOW).sources}
    shopify, easypost = sources["shopify"], sources["easypost"]
    # Read two hours ago, when it had nothing to give and left no batch.
    assert shopify.age_seconds == 2 * 3600
    assert shopify.last_news == NOW - timedelta(hours=30)
    assert (shopify.on, shopify.open_failures, shopify.circuit) == (False, 0, "closed")
    assert (easypost.on, easypost.open_failures, easypost.circuit) == (True, 1, "open")
    assert easypost.last_success is None


def test_failures_tables_and_waiting_alerts_are_told(settings: Settings) -> None:
    status = look(settings, NOW)
    assert [(row["subject"], row["attempts"]) for row in status.failures] == [("bronze.easypost_trackers", 4)]
    rows = {f"{table.layer}.{table.table}": table.rows for table in status.tables}
    assert rows == {"ops.ingestion_log": 2, "ops.failures": 1, "ops.alerts": 1}
    assert status.alerts_pending == {"slack": 1}
    FailureLog(Lake(settings.lake_path)).observe([], judged=list(Kind), by="run-2", at=NOW, repeat=timedelta(hours=1))
    assert look(settings, NOW).failures == []


def test_the_command_says_the_same_to_people_and_programs(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETREASURE_HOME", str(settings.home))
    monkeypatch.setenv("RETREASURE_EASYPOST_API_KEY", "EZAK1")
    monkeypatch.setenv("COLUMNS", "200")
    shown = CliRunner().invoke(main, ["status", "--format", "json"])
    assert shown.exit_code == 0, shown.output
    told = json.loads(shown.output)
    assert {"at", "sources", "tables", "failures", "quarantined", "alerts_pending"} == told.keys()
    assert told["failures"][0]["cause"] == "EasyPost cannot be reached."
    assert CliRunner().invoke(main, ["status"]).exit_code == 0


def test_an_empty_home_is_no_mistake(tmp_path: Path) -> None:
    status = look(Settings(home=tmp_path / "nothing"), NOW)
    assert (status.failures, status.tables, status.quarantined) == ([], [], {})
    assert all(not source.on for source in status.sources)
    assert not (tmp_path / "nothing").exists()
