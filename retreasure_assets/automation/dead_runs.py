"""Runs whose process ended before they did: ending them, so that nobody waits for the slots they hold.

What belongs here: telling dead runs from living ones. What does not: the locks themselves (``lake.locking``).

A run that was killed, or that a full disk stopped, keeps its pools' slots in Dagster's database, and the next run
waits for them without end. Dagster ends such a run only where the code server that started it still lives.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from pathlib import Path

import dagster as dg

from retreasure_assets.lake.locking import is_locked
from retreasure_assets.settings import Settings

#: Carried by the runs that `retreasure run` makes.
_COMMAND_TAG = "retreasure/command"
_ENDED = frozenset({dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED})
_REASON = "The process of this run ended before the run did."
#: Seconds from taking a slot to holding the lock of the same name, at the most; it takes milliseconds.
_BETWEEN = 1.0


def command_tags(settings: Settings) -> Mapping[str, str]:
    """Tells the runs of this home's commands from others in one Dagster instance, without its path."""
    return {_COMMAND_TAG: hashlib.sha256(str(settings.home.absolute()).encode()).hexdigest()[:16]}


def is_of_command(run: dg.DagsterRun) -> bool:
    """Whether `retreasure run` made a run; it tells of it itself."""
    return _COMMAND_TAG in run.tags


def end_runs_of_dead_commands(instance: dg.DagsterInstance, settings: Settings) -> list[str]:
    """End what earlier commands left unfinished; they are dead, as the caller holds the lock of a whole run.

    Returns:
        Their ids.
    """
    begun = [status for status in dg.DagsterRunStatus if status not in _ENDED]
    runs = instance.get_runs(dg.RunsFilter(tags=dict(command_tags(settings)), statuses=begun))
    for run in runs:
        instance.report_run_failed(run, _REASON)
    return [run.run_id for run in runs]


def free_slots_of_dead_runs(instance: dg.DagsterInstance, settings: Settings) -> None:
    """Free slots that no living step holds.

    A step takes the slot of its pool and then the lock of the same name, which the system frees when its process
    ends, however it ends. So a slot without its lock is a dead one's. Should a step just be between the two, it is
    still refused by the lock if another gets there first.
    """
    slots = instance.event_log_storage
    for run_id in slots.get_concurrency_run_ids():
        left = instance.get_run_by_id(run_id)
        if left is None or left.status in _ENDED:
            slots.free_concurrency_slots_for_run(run_id)
    if Path(instance.root_directory) != (settings.home / "dagster").absolute():
        # Other homes may share this instance, and their locks are elsewhere.
        return
    suspects = _slots_without_lock(instance, settings)
    if not suspects:
        return
    time.sleep(_BETWEEN)
    for run_id in suspects & _slots_without_lock(instance, settings):
        run = instance.get_run_by_id(run_id)
        if run is not None and run.status not in _ENDED:
            instance.report_run_failed(run, _REASON)
        slots.free_concurrency_slots_for_run(run_id)


def _slots_without_lock(instance: dg.DagsterInstance, settings: Settings) -> set[str]:
    """Ids of the runs that hold a slot whose lock is free."""
    slots = instance.event_log_storage
    return {
        run_id
        for pool in slots.get_concurrency_keys()
        for run_id in slots.get_concurrency_info(pool).active_run_ids
        if not is_locked(settings, pool)
    }
