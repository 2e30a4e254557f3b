"""Slots of runs that nobody executes any more are freed, and of those alone."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.test_utils import create_run_for_test

from retreasure_assets.assets.bronze import build_bronze_asset
from retreasure_assets.automation import dead_runs, run
from retreasure_assets.automation.dead_runs import (
    command_tags,
    end_runs_of_dead_commands,
    free_slots_of_dead_runs,
)
from retreasure_assets.lake.locking import run_lock
from retreasure_assets.settings import Settings
from retreasure_assets.sources.registry import declared_entities

ENTITY = declared_entities()["shopify_orders"]
POOL = str(build_bronze_asset(ENTITY).op.pool)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
def instance(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[dg.DagsterInstance]:
    folder = settings.home / getattr(request, "param", "dagster")
    folder.mkdir(parents=True)
    shutil.copy(Path(run.__file__).with_name("dagster.yaml"), folder)
    monkeypatch.setenv("DAGSTER_HOME", str(folder))
    monkeypatch.setattr(dead_runs, "_BETWEEN", 0.01)
    with dg.DagsterInstance.get() as instance:
        yield instance


def begun(instance: dg.DagsterInstance, **tags: str) -> str:
    """A run under way that holds the pool's slot."""
    made = create_run_for_test(instance, status=dg.DagsterRunStatus.STARTED, tags=tags)
    instance.event_log_storage.initialize_concurrency_limit_to_default(POOL)
    assert instance.event_log_storage.claim_concurrency_slot(POOL, made.run_id, "step").is_claimed
    return str(made.run_id)


def holders(instance: dg.DagsterInstance) -> set[str]:
    return set(instance.event_log_storage.get_concurrency_info(POOL).active_run_ids)


def status(instance: dg.DagsterInstance, run_id: str) -> dg.DagsterRunStatus:
    found = instance.get_run_by_id(run_id)
    assert found is not None
    return found.status


def test_a_slot_whose_lock_is_held_is_alive(instance: dg.DagsterInstance, settings: Settings) -> None:
    run_id = begun(instance)
    with run_lock(settings, POOL):
        free_slots_of_dead_runs(instance, settings)
        assert holders(instance) == {run_id}
        assert status(instance, run_id) is dg.DagsterRunStatus.STARTED
    free_slots_of_dead_runs(instance, settings)
    assert holders(instance) == set()
    assert status(instance, run_id) is dg.DagsterRunStatus.FAILURE
    assert instance.event_log_storage.claim_concurrency_slot(POOL, "another", "step").is_claimed


def test_a_slot_of_a_run_that_was_deleted_is_freed(instance: dg.DagsterInstance, settings: Settings) -> None:
    run_id = begun(instance)
    instance.run_storage.delete_run(run_id)
    free_slots_of_dead_runs(instance, settings)
    assert holders(instance) == set()


@pytest.mark.parametrize("instance", ["shared"], indirect=True)
def test_runs_of_an_instance_that_others_share_are_left_alone(instance: dg.DagsterInstance, settings: Settings) -> None:
    run_id = begun(instance)
    free_slots_of_dead_runs(instance, settings)
    assert holders(instance) == {run_id}


@pytest.mark.parametrize("instance", ["shared"], indirect=True)
def test_runs_of_this_homes_commands_are_ended(instance: dg.DagsterInstance, settings: Settings) -> None:
    mine = begun(instance, **command_tags(settings))
    other = create_run_for_test(
        instance,
        status=dg.DagsterRunStatus.STARTED,
        tags=dict(command_tags(Settings(home=settings.home / "other"))),
    )
    end_runs_of_dead_commands(instance, settings)
    free_slots_of_dead_runs(instance, settings)
    assert status(instance, mine) is dg.DagsterRunStatus.FAILURE
    assert status(instance, other.run_id) is dg.DagsterRunStatus.STARTED
    assert holders(instance) == set()


def test_the_daemon_frees_the_slots_of_ended_runs(instance: dg.DagsterInstance) -> None:
    assert instance.run_monitoring_enabled
    assert instance.run_monitoring_settings["free_slots_after_run_end_seconds"] == 30
