"""One run of the whole platform from a command: sync every source, then build what can be built.

What belongs here: the order of the two jobs and what came of them. What does not: printing; the command line does.

Sources and models are two runs, not one: a source that fails must not keep the models of the others from building,
and Dagster skips whatever is downstream of a failed step within a run.
"""

from __future__ import annotations

import errno
import io
import os
import shutil
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
from sqlalchemy.exc import OperationalError

from retreasure_assets.alerts.outbox import Delivered
from retreasure_assets.assets.bronze import SyncConfig, bronze_op_name
from retreasure_assets.automation.dead_runs import (
    command_tags,
    end_runs_of_dead_commands,
    free_slots_of_dead_runs,
)
from retreasure_assets.automation.jobs import BUILD_JOB, SYNC_JOB
from retreasure_assets.automation.observing import Observed, events_of_run, observed
from retreasure_assets.automation.outcome import RunOutcome, failed_checks_of, failures_of
from retreasure_assets.automation.owners import catalogue_of
from retreasure_assets.automation.watching import open_circuits
from retreasure_assets.collector import passing_over_what_is_there
from retreasure_assets.definitions import build_definitions
from retreasure_assets.entities import Entity
from retreasure_assets.errors import AlreadyRunningError, ConfigurationError, RetreasureError, SourceError
from retreasure_assets.lake.failures import Kind, Severity, Symptom
from retreasure_assets.lake.ingest import log_refusal
from retreasure_assets.lake.locking import run_lock
from retreasure_assets.lake.storage import explained
from retreasure_assets.resources.dbt import Dbt
from retreasure_assets.resources.platform import Platform
from retreasure_assets.sources.files import stray_files
from retreasure_assets.sources.registry import missing_settings

_QUIET = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
#: What the ingestion log calls a run as a whole.
_RUN = Entity(source="platform", name="run", natural_key=(), updated_at=None, description="A run as a whole.")
#: SQLITE_FULL, SQLITE_READONLY and SQLITE_CANTOPEN in the system's terms (https://www.sqlite.org/rescode.html).
_SQLITE_ERRORS = {13: errno.ENOSPC, 8: errno.EACCES, 14: errno.EACCES}
#: Dropped files that a sentence names.
_NAMED = 5
#: Bytes with which no run gets far.
_NEARLY_NOTHING = 1 << 20


def dagster_instance(home: Path) -> dg.DagsterInstance:
    """The Dagster instance in the state folder, or the one DAGSTER_HOME names."""
    if "DAGSTER_HOME" not in os.environ:
        folder = home.absolute() / "dagster"
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(Path(__file__).with_name("dagster.yaml"), folder / "dagster.yaml")
        os.environ["DAGSTER_HOME"] = str(folder)
    return dg.DagsterInstance.get()


def run_platform(
    platform: Platform, *, sources: Sequence[str] = (), since: str | None = None, until: str | None = None
) -> RunOutcome:
    """Sync the sources named (all when none is), then build silver and gold.

    Args:
        platform: settings, lake, connectors and the reporter to tell.
        sources: names such as ``shopify``.
        since: first moment to read, ISO 8601; reads just that window instead of what is new.
        until: last moment to read.

    Raises:
        ConfigurationError: a source does not exist or is off, a date or a file mapping is wrong.
        AlreadyRunningError: another run is going.
        LakeError: the state folder cannot be written.
    """
    with passing_over_what_is_there(), _refusals_logged(platform), run_lock(platform.settings, "run"):
        platform.lake.check()
        entities = _selected(platform, sources)
        SyncConfig(since=since, until=until).window()
        window = {"since": since, "until": until}
        dbt = Dbt()
        definitions = build_definitions(platform, {"dbt": dbt})
        with _history_explained(platform.settings.home), dagster_instance(platform.settings.home) as instance:
            tags = command_tags(platform.settings)
            if dead := end_runs_of_dead_commands(instance, platform.settings):
                platform.teller.note([_died(len(dead))], by=dead[0], run_id=dead[0])
            free_slots_of_dead_runs(instance, platform.settings)
            # The sources keep this process waiting for answers: time to make ready for the build.
            dbt.make_ready(platform.settings)
            started = time.monotonic()
            sync = definitions.resolve_job_def(SYNC_JOB).execute_in_process(
                instance=instance,
                asset_selection=[dg.AssetKey(["bronze", entity.table]) for entity in entities],
                run_config={**_QUIET, "ops": {bronze_op_name(entity): {"config": window} for entity in entities}},
                raise_on_error=False,
                tags=dict(tags),
            )
            synced = time.monotonic()
            # dagster-dbt repeats dbt's own log on stdout; the reporter and the run's log say what matters of it.
            with redirect_stdout(io.StringIO()):
                build = definitions.resolve_job_def(BUILD_JOB).execute_in_process(
                    instance=instance, run_config=_QUIET, raise_on_error=False, tags=dict(tags)
                )
            finished = time.monotonic()
            alerts = _tell(platform, definitions, instance, sync, build)
    return RunOutcome(
        failures=[*failures_of(sync), *failures_of(build)],
        failed_checks=[*failed_checks_of(sync), *failed_checks_of(build)],
        notes=_notes(platform),
        alerts=alerts,
        sync_seconds=synced - started,
        build_seconds=finished - synced,
        withheld=[sentence for entity in entities if (sentence := platform.gates.withheld(entity))],
    )


def _tell(
    platform: Platform,
    definitions: dg.Definitions,
    instance: dg.DagsterInstance,
    *results: dg.ExecuteInProcessResult,
) -> Delivered:
    """Note what both runs tell, as the one run that they are to people, and send what is due."""
    catalogue = catalogue_of(definitions.resolve_asset_graph(), platform)
    seen = Observed(well=[(Kind.RUN, _RUN.name)])
    for result in results:
        seen = seen.plus(observed(events_of_run(instance, result.run_id), catalogue))
    seen = seen.plus(Observed(list(open_circuits(platform, datetime.now(UTC)))))
    run_id = next((result.run_id for result in results if not result.success), results[0].run_id)
    platform.teller.note(seen.failing, well=seen.well, by=run_id, run_id=run_id)
    return platform.teller.send()


def _died(count: int) -> Symptom:
    """What is to be said of earlier commands whose process ended before they did."""
    return Symptom(
        kind=Kind.RUN,
        subject=_RUN.name,
        cause="The process of the last `retreasure run` ended before the run did.",
        error_class="DeadRun",
        remedy="Nothing is lost: this run goes on where it was.",
        attempts=count,
    )


@contextmanager
def _refusals_logged(platform: Platform) -> Iterator[None]:
    """A run that cannot even begin leaves a row in the logs, as one whose source fails does."""
    try:
        yield
    except RetreasureError as error:
        run_id = str(uuid.uuid4())
        log_refusal(platform.lake, _RUN, error, run_id=run_id)
        # Who typed a wrong word, or started a second run, reads it on the screen.
        if not isinstance(error, ConfigurationError | AlreadyRunningError):
            platform.teller.note([_refused_to_begin(error)], by=run_id)
            platform.teller.send()
        raise


def _refused_to_begin(error: RetreasureError) -> Symptom:
    return Symptom(
        kind=Kind.RUN,
        subject=_RUN.name,
        cause=error.message,
        error_class=type(error).__name__,
        remedy=error.remedy,
        severity=Severity.CRITICAL,
    )


@contextmanager
def _history_explained(home: Path) -> Iterator[None]:
    """Dagster keeps runs and events in SQLite files in the state folder: explain why it cannot."""
    with explained("The history of runs in RETREASURE_HOME"):
        try:
            yield
        except OperationalError as error:
            # The low byte is the class of the error; the rest says which part of SQLite met it.
            code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
            # SQLite calls a full disk an I/O error where it cannot extend its shared memory.
            full = shutil.disk_usage(home).free < _NEARLY_NOTHING
            raise OSError(errno.ENOSPC if full else _SQLITE_ERRORS.get(code, errno.EIO), "SQLite") from None


def _notes(platform: Platform) -> list[str]:
    """Dropped files that nothing reads."""
    if platform.mapping_mistake is not None:
        # A file may lie there for the mapping that cannot be read.
        return []
    try:
        strays = stray_files(platform.settings.drop_path, platform.mappings)
    except SourceError as error:
        return [str(error)]
    if not strays:
        return []
    more = f" and {len(strays) - _NAMED} more" if len(strays) > _NAMED else ""
    return [
        f"No file mapping reads these dropped files: {', '.join(strays[:_NAMED])}{more}. Move them to "
        "drop/<source>/<entity>/ of a mapping, write one for them (docs/file-mappings.md), or remove them."
    ]


def _selected(platform: Platform, sources: Sequence[str]) -> list[Entity]:
    known = sorted({entity.source for entity in platform.entities.values()})
    off = missing_settings(platform.settings)
    for source in sources:
        if source not in known and platform.mapping_mistake is not None:
            raise platform.mapping_mistake
        if source not in known:
            raise ConfigurationError(f"There is no source {source}.", remedy=f"Choose from {', '.join(known)}.")
        if source in off and not any(entity.source == source for entity in platform.file_entities.values()):
            raise ConfigurationError(f"The source {source} is off.", remedy=off[source])
    return [entity for entity in platform.entities.values() if not sources or entity.source in sources]
