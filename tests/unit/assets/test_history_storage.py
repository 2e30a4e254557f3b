"""Dagster's history with connections that stay open: what it keeps is what Dagster's own storage reads."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from retreasure_assets.automation import storage

DEPENDENCY = dg.AssetKey("first")


@dg.asset
def first() -> None: ...


@dg.asset(deps=[first], check_specs=[dg.AssetCheckSpec("holds", asset="second")])
def second() -> Iterator[object]:
    yield dg.Output(None)
    yield dg.AssetCheckResult(check_name="holds", passed=True)


def instance(home: Path, *, ours: bool) -> dg.DagsterInstance:
    own = {"custom": {"module": storage.__name__, "class": "Storage", "config": {"base_dir": str(home)}}}
    chosen = own if ours else {"sqlite": {"base_dir": str(home)}}
    return dg.DagsterInstance.from_config(str(write(home, chosen)))


def write(home: Path, chosen: object) -> Path:
    import yaml

    home.mkdir(exist_ok=True)
    (home / "dagster.yaml").write_text(yaml.safe_dump({"storage": chosen, "telemetry": {"enabled": False}}))
    return home


@pytest.mark.parametrize(("writes", "reads"), [(True, False), (False, True), (True, True)])
def test_either_storage_reads_what_the_other_wrote(tmp_path: Path, writes: bool, reads: bool) -> None:
    with instance(tmp_path / "home", ours=writes) as history:
        runs = [dg.materialize([first, second], instance=history).run_id for _ in range(10)]
    with instance(tmp_path / "home", ours=reads) as history:
        assert {run.run_id for run in history.get_runs()} == set(runs)
        assert all(run.status is dg.DagsterRunStatus.SUCCESS for run in history.get_runs())
        event = history.get_latest_materialization_event(dg.AssetKey("second"))
        assert event is not None
        assert event.run_id == runs[-1]
        assert history.all_logs(runs[0])


def test_the_storage_in_use_is_ours(tmp_path: Path) -> None:
    with instance(tmp_path / "home", ours=True) as history:
        assert isinstance(history.event_log_storage, storage.EventLogStorage)
        assert isinstance(history.run_storage, storage.RunStorage)


def test_all_events_can_be_wiped(tmp_path: Path) -> None:
    with instance(tmp_path / "home", ours=True) as history:
        run_id = dg.materialize([first], instance=history).run_id
        history.wipe()
        assert not history.all_logs(run_id)
        assert dg.materialize([first], instance=history).success
