"""Sensors: what starts a run when something happens rather than by the clock."""

import hashlib
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import dagster as dg

from retreasure_assets.automation.jobs import FILES_JOB
from retreasure_assets.resources.platform import Platform


def build_dropped_files_sensor() -> dg.SensorDefinition:
    """Reads dropped files within half a minute of their arrival."""

    @dg.sensor(
        name="dropped_files",
        job_name=FILES_JOB,
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Starts a read of the drop folder when a file in it, or a file mapping, is new or has changed.",
    )
    def dropped_files(
        context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]
    ) -> dg.RunRequest | dg.SkipReason:
        state = fingerprint(platform.settings.drop_path, platform.settings.mappings_path)
        if state is None:
            return dg.SkipReason("No file has been dropped.")
        if state == context.cursor:
            return dg.SkipReason("No dropped file is new or changed.")
        context.update_cursor(state)
        return dg.RunRequest(run_key=state)

    return dropped_files


def build_automation_sensor() -> dg.AutomationConditionSensorDefinition:
    """Rebuilds silver and gold as soon as bronze has something new."""
    return dg.AutomationConditionSensorDefinition(
        "follow_upstream",
        target=dg.AssetSelection.all(),
        default_status=dg.DefaultSensorStatus.RUNNING,
        minimum_interval_seconds=30,
    )


def fingerprint(folder: Path, *rules: Path) -> str | None:
    """A digest of the names, sizes and change times of all files under some folders.

    Args:
        folder: where the files are; without any there is nothing to digest, and the answer is None.
        rules: folders of what says how to read them.
    """
    entries = sorted(_entries(folder))
    if not entries:
        return None
    entries += sorted(entry for each in rules for entry in _entries(each))
    return hashlib.sha256("\n".join(entries).encode()).hexdigest()


def _entries(folder: Path) -> Iterator[str]:
    refused: list[OSError] = []
    for place, _, files in os.walk(folder, onerror=refused.append):
        for name in files:
            file = Path(place, name)
            if not name.startswith("."):
                with suppress(OSError):  # renamed or removed meanwhile
                    status = file.stat()
                    yield f"{file.relative_to(folder)} {status.st_size} {status.st_mtime_ns}"
    # A folder without rights is worth a run, which says so.
    yield from (f"{error.filename} refused" for error in refused if isinstance(error, PermissionError))
