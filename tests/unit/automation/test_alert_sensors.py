"""What Dagster's runs, freshness and sensors tell, through a real instance and the stand-in for Slack."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.scheduler.instigation import InstigatorState, InstigatorStatus, TickData, TickStatus
from dagster._core.test_utils import create_run_for_test
from dagster_shared.error import SerializableErrorInfo
from pydantic import HttpUrl, SecretStr

from retreasure_assets.assets.bronze import build_bronze_asset
from retreasure_assets.automation import watching
from retreasure_assets.automation.alert_sensors import build_alert_sensors
from retreasure_assets.automation.observing import Catalogue, events_of_run, observed
from retreasure_assets.automation.owners import catalogue_of
from retreasure_assets.entities import Window
from retreasure_assets.errors import TransientSourceError
from retreasure_assets.lake.bronze import BatchResult
from retreasure_assets.lake.circuits import Circuits
from retreasure_assets.lake.failures import FailureLog, Kind, Severity
from retreasure_assets.lake.ingestion_log import Attempt, IngestionLog
from retreasure_assets.resources.platform import Platform
from retreasure_assets.sandbox import WorldSpec, generate_world
from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.slack import SLACK_CHANNEL, SLACK_TOKEN
from retreasure_assets.settings import Settings
from tests.end_to_end.conftest import answering

QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SHOPPER = "Zéphyrine Quillfeather"


class Switch:
    """Whether the test's assets work."""

    broken = True


@dg.asset(key_prefix="bronze", name="etsy_orders", owners=["team:marketplaces"])
def etsy_orders() -> None:
    if Switch.broken:
        raise dg.Failure(
            "Etsy is down.",
            metadata={"error_class": "TransientSourceError", "cause": "Etsy is down.", "exit_code": 3, "attempts": 4},
            allow_retries=False,
        )


@dg.asset(
    key_prefix="silver",
    name="orders",
    owners=["team:finance"],
    check_specs=[
        dg.AssetCheckSpec("adds_up", asset=["silver", "orders"]),
        dg.AssetCheckSpec("unique", asset=["silver", "orders"], blocking=True),
    ],
    freshness_policy=dg.FreshnessPolicy.time_window(fail_window=timedelta(hours=1)),
)
def orders() -> dg.MaterializeResult:  # type: ignore[type-arg]
    found = {"failed_row_count": 3, "example": SHOPPER}
    warn = dg.AssetCheckSeverity.WARN
    adds_up = dg.AssetCheckResult(passed=not Switch.broken, check_name="adds_up", severity=warn, metadata=found)
    return dg.MaterializeResult(check_results=[adds_up, dg.AssetCheckResult(passed=True, check_name="unique")])


@dg.asset(key_prefix="gold", name="late")
def late() -> None:
    raise KeyError(SHOPPER)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox(generate_world(WorldSpec(seed=1, days=1, scale=0.05))) as url:
        yield url


@pytest.fixture
def platform(tmp_path: Path, sandbox: str) -> Platform:
    settings = Settings(
        home=tmp_path / "home",
        slack_url=HttpUrl(f"{sandbox}/slack/api"),
        slack_token=SecretStr(SLACK_TOKEN),
        slack_channel=SLACK_CHANNEL,
        dagster_url=HttpUrl("http://127.0.0.1:3000"),
    )
    return Platform(settings)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """An instance that remembers sensors and freshness too."""
    folder = tmp_path / "dagster"
    folder.mkdir()
    with dg.DagsterInstance.local_temp(str(folder)) as instance:
        yield instance


def definitions(platform: Platform) -> dg.Definitions:
    jobs = [
        dg.define_asset_job("both", dg.AssetSelection.assets(etsy_orders, orders)),
        dg.define_asset_job("checked", dg.AssetSelection.assets(orders)),
    ]
    return dg.Definitions(
        assets=[etsy_orders, orders, late],
        jobs=jobs,
        sensors=build_alert_sensors(),
        resources={"platform": platform},
        executor=dg.in_process_executor,
    )


def evaluate(platform: Platform, instance: dg.DagsterInstance, job: str, broken: bool, **tags: str) -> str:
    """Run a job, then the sensor that Dagster would run of it."""
    Switch.broken = broken
    defs = definitions(platform)
    result = defs.resolve_job_def(job).execute_in_process(
        instance=instance, raise_on_error=False, run_config=QUIET, tags=tags
    )
    tell(platform, instance, defs, result.run_id)
    return str(result.run_id)


def tell(platform: Platform, instance: dg.DagsterInstance, defs: dg.Definitions, run_id: str) -> None:
    run = instance.get_run_by_id(run_id)
    assert run is not None
    name = "tell_of_finished_runs" if run.status is dg.DagsterRunStatus.SUCCESS else "tell_of_failed_runs"
    records = list(instance.all_logs(run_id))
    ended = next(r.dagster_event for r in reversed(records) if r.dagster_event and r.dagster_event.is_job_event)
    context = dg.build_run_status_sensor_context(
        sensor_name=name,
        dagster_event=ended,
        dagster_instance=instance,
        dagster_run=run,
        repository_def=defs.get_repository_def(),
        resources={"platform": platform},
    )
    defs.get_sensor_def(name)(context)


def messages(sandbox: str) -> list[dict[str, Any]]:
    taken: list[dict[str, Any]] = httpx.get(f"{sandbox}/slack/messages").json()
    return taken


def test_one_run_gives_one_alert_and_its_end_another(
    platform: Platform, instance: dg.DagsterInstance, sandbox: str
) -> None:
    before = len(messages(sandbox))
    failed = evaluate(platform, instance, "both", broken=True)
    evaluate(platform, instance, "both", broken=True)
    (alert,) = messages(sandbox)[before:]
    for said in (
        "ERROR: Source not read: bronze.etsy_orders (and 1 more)",
        "Data check failed: silver.orders: adds_up",
        "Etsy is down.",
        "failed row count 3",
        "team:marketplaces",
        "team:finance",
        "4 attempts",
        f"http://127.0.0.1:3000/runs/{failed}",
        "runbook",
    ):
        assert said in alert["text"]
    assert SHOPPER not in str(alert)

    evaluate(platform, instance, "both", broken=False)
    (recovered,) = messages(sandbox)[before + 1 :]
    assert recovered["text"].startswith("Works again: ")
    assert FailureLog(platform.lake).open() == []


def test_a_failed_check_is_told_of_a_run_that_succeeds(
    platform: Platform, instance: dg.DagsterInstance, sandbox: str
) -> None:
    before = len(messages(sandbox))
    evaluate(platform, instance, "checked", broken=True)
    (alert,) = messages(sandbox)[before:]
    assert alert["text"].startswith("WARNING: Data check failed: silver.orders: adds_up")


@pytest.mark.parametrize("tags", [{"dagster/will_retry": "true"}, {"retreasure/command": "1"}])
def test_a_run_that_will_be_retried_or_tells_itself_is_left_alone(
    platform: Platform, instance: dg.DagsterInstance, tags: dict[str, str]
) -> None:
    evaluate(platform, instance, "both", broken=True, **tags)
    assert not platform.lake.exists("ops", "failures")


def test_a_run_whose_process_died_is_told(platform: Platform, instance: dg.DagsterInstance, sandbox: str) -> None:
    before = len(messages(sandbox))
    run = create_run_for_test(instance, job_name="both", status=dg.DagsterRunStatus.STARTED)
    instance.report_run_failed(run, "killed")
    tell(platform, instance, definitions(platform), run.run_id)
    (alert,) = messages(sandbox)[before:]
    assert alert["text"].startswith("ERROR: Run did not finish: both")


def test_an_error_nobody_foresaw_is_named_by_its_class_alone(instance: dg.DagsterInstance, platform: Platform) -> None:
    result = dg.materialize([late], instance=instance, raise_on_error=False, run_config=QUIET)
    (symptom,) = observed(events_of_run(instance, result.run_id), Catalogue(lambda key: "team:x", {})).failing
    assert (symptom.kind, symptom.subject, symptom.error_class) == (Kind.STEP, "gold.late", "KeyError")
    assert SHOPPER not in repr(symptom)


def look(platform: Platform, instance: dg.DagsterInstance, now: datetime = NOW) -> list[tuple[Kind, str, Severity]]:
    graph = definitions(platform).resolve_asset_graph()
    found = watching.look_round(instance, graph, platform, catalogue_of(graph, platform), now)
    return [(symptom.kind, symptom.subject, symptom.severity) for symptom in found]


def test_a_stale_asset_is_seen(platform: Platform, kept: dg.DagsterInstance) -> None:
    key = dg.AssetKey(["silver", "orders"])
    for state, seen in (
        (FreshnessState.FAIL, [(Kind.STALE, "silver.orders", Severity.ERROR)]),
        (FreshnessState.PASS, []),
    ):
        change = FreshnessStateChange(
            key=key, new_state=state, previous_state=FreshnessState.UNKNOWN, state_change_timestamp=time.time()
        )
        kept._report_runless_asset_event(change)
        assert look(platform, kept) == seen


def test_a_sensor_whose_ticks_all_fail_is_seen(platform: Platform, kept: dg.DagsterInstance) -> None:
    from dagster._core.remote_origin import (
        InProcessCodeLocationOrigin,
        RemoteInstigatorOrigin,
        RemoteRepositoryOrigin,
    )
    from dagster._core.types.loadable_target_origin import LoadableTargetOrigin

    location = InProcessCodeLocationOrigin(LoadableTargetOrigin(executable_path="python", module_name="x"))
    origin = RemoteInstigatorOrigin(RemoteRepositoryOrigin(location, "repo"), "dropped_files")
    state = InstigatorState(origin, InstigatorType.SENSOR, InstigatorStatus.RUNNING)
    kept.add_instigator_state(state)

    def tick(status: TickStatus, at: float) -> None:
        made = TickData(
            instigator_origin_id=state.instigator_origin_id,
            instigator_name="dropped_files",
            instigator_type=InstigatorType.SENSOR,
            status=status,
            timestamp=float(at),
            selector_id=state.selector_id,
            error=SerializableErrorInfo("died", [], "OSError") if status is TickStatus.FAILURE else None,
        )
        kept.create_tick(made)

    for at in range(2):
        tick(TickStatus.FAILURE, at)
    assert look(platform, kept) == []
    tick(TickStatus.FAILURE, 2)
    assert look(platform, kept) == [(Kind.SENSOR, "dropped_files", Severity.CRITICAL)]
    tick(TickStatus.SKIPPED, 3)
    assert look(platform, kept) == []


def test_a_source_that_answers_and_has_nothing_is_silent(platform: Platform) -> None:
    entity = platform.entities["shopify_orders"]
    read = BatchResult(batch_id="b", records=1, new=1, duplicates=0, quarantined=0, bytes=1)
    log = IngestionLog(platform.lake)
    log.written(Attempt(entity, Window(), "r"), read, NOW, NOW)
    log.flush()
    patience = {"shopify": timedelta(days=3)}
    for days, asked, silent in ((2, True, 0), (4, True, 1), (4, False, 0)):
        now = NOW + timedelta(days=days)
        circuits = Circuits(platform.lake, lambda moment=now if asked else NOW: moment)  # type: ignore[misc]
        with circuits.guard("shopify"):
            pass
        assert len(list(watching.silent(platform.lake, circuits, patience, now))) == silent


def test_the_watch_tells_of_an_open_circuit_once_and_of_its_end(
    platform: Platform, kept: dg.DagsterInstance, sandbox: str
) -> None:
    def dead() -> None:
        with platform.circuits.guard("etsy"):
            error = TransientSourceError("Etsy does not answer.", remedy="Wait.")
            error.seconds = 100.0
            raise error

    defs = definitions(platform)

    def watch() -> None:
        context = dg.build_sensor_context(
            instance=kept, repository_def=defs.get_repository_def(), resources={"platform": platform}
        )
        defs.get_sensor_def("watch")(context)

    before = len(messages(sandbox))
    with pytest.raises(TransientSourceError):
        dead()
    watch()
    watch()
    (alert,) = messages(sandbox)[before:]
    assert "circuit open: etsy" in alert["text"]
    (platform.lake.state / "circuits" / "etsy.json").unlink()
    watch()
    assert messages(sandbox)[-1]["text"].startswith("Works again: Source does not answer: circuit open: etsy")


def test_a_dead_api_is_asked_four_times_a_round_and_then_left_alone(
    tmp_path: Path, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither 3x3 nor one round for each of its tables, and the failure log has the attempts."""
    monkeypatch.setattr("retreasure_assets.sources.http.random.random", lambda: 0.0)
    asked: list[str] = []

    def answer(path: str, headers: object, body: bytes) -> tuple[int, bytes]:
        asked.append(path)
        return 503, b""

    with answering(answer) as url:
        settings = Settings(home=tmp_path / "home", easypost_url=HttpUrl(url), easypost_api_key=SecretStr("EZAK1"))
        platform = Platform(settings)
        entities = [entity for entity in platform.api_entities.values() if entity.source == "easypost"]
        for _ in range(4):
            result = dg.materialize(
                [build_bronze_asset(entities[0])],
                resources={"platform": platform},
                instance=instance,
                raise_on_error=False,
                run_config=QUIET,
            )
            graph = dg.Definitions(
                assets=[build_bronze_asset(entities[0])], resources={"platform": platform}
            ).resolve_asset_graph()
            seen = observed(events_of_run(instance, result.run_id), catalogue_of(graph, platform))
            platform.teller.note(seen.failing, well=seen.well, by=result.run_id)
    assert len(asked) == 8
    rows = {row["kind"]: row for row in FailureLog(platform.lake).open()}
    assert (rows["source"]["seen"], rows["source"]["attempts"]) == (2, 8)
    assert (rows["circuit"]["subject"], rows["circuit"]["seen"]) == ("easypost", 2)
