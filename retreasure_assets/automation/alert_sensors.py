"""Sensors that tell people what fails.

What belongs here: when Dagster looks. What does not: what it looks at (observing.py, watching.py).
"""

from datetime import UTC, datetime, timedelta

import dagster as dg

from retreasure_assets.automation.dead_runs import is_of_command
from retreasure_assets.automation.observing import Observed, events_of_run, observed
from retreasure_assets.automation.owners import catalogue_of
from retreasure_assets.automation.watching import JUDGED, look_round
from retreasure_assets.lake.failures import Kind, Symptom
from retreasure_assets.resources.platform import Platform

#: Set by Dagster on a failed run that it will run again.
_WILL_RETRY = "dagster/will_retry"
#: How long the row of a failure that is seen at every look is left as it is.
_QUIET = timedelta(hours=1)


def build_alert_sensors() -> list[dg.SensorDefinition]:
    """Sensors that note what runs tell, look round every minute, and send what is in the outbox."""

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.SUCCESS,
        name="tell_of_finished_runs",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Notes what a run that succeeded tells: failed checks, and things that work again.",
    )
    def finished(context: dg.RunStatusSensorContext, platform: dg.ResourceParam[Platform]) -> None:
        _tell(context, platform)

    @dg.run_status_sensor(
        run_status=dg.DagsterRunStatus.FAILURE,
        name="tell_of_failed_runs",
        minimum_interval_seconds=30,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Notes what a run that failed tells, unless it will be run again.",
    )
    def failed(context: dg.RunStatusSensorContext, platform: dg.ResourceParam[Platform]) -> None:
        _tell(context, platform)

    @dg.sensor(
        name="watch",
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Looks for stale assets, silent sources, open circuits and dead sensors, and sends what is due.",
    )
    def watch(context: dg.SensorEvaluationContext, platform: dg.ResourceParam[Platform]) -> dg.SkipReason:
        assert context.repository_def is not None
        now, graph = datetime.now(UTC), context.repository_def.asset_graph
        failing = look_round(context.instance, graph, platform, catalogue_of(graph, platform), now)
        platform.teller.note(failing, judged=JUDGED, by=f"watch {now:%Y-%m-%dT%H:%M}", quiet=_QUIET)
        sent = platform.teller.send()
        return dg.SkipReason(f"{len(failing)} things fail; {sent.sent} alerts sent, {sent.failed} channels refused.")

    return [finished, failed, watch]


def _tell(context: dg.RunStatusSensorContext, platform: Platform) -> None:
    run = context.dagster_run
    if is_of_command(run) or run.tags.get(_WILL_RETRY) == "true":
        # It tells itself, or the last of its retries will.
        return
    assert context.repository_def is not None
    catalogue = catalogue_of(context.repository_def.asset_graph, platform)
    seen = observed(events_of_run(context.instance, run.run_id), catalogue)
    if run.status is dg.DagsterRunStatus.SUCCESS:
        seen = seen.plus(Observed(well=[(Kind.RUN, run.job_name)]))
    elif not seen.failing:
        seen = seen.plus(Observed([_died(run.job_name)]))
    platform.teller.note(seen.failing, well=seen.well, by=run.run_id, run_id=run.run_id)
    platform.teller.send()


def _died(job: str) -> Symptom:
    """A run that failed although none of its steps did: its process was killed, or never started."""
    return Symptom(
        kind=Kind.RUN,
        subject=job,
        cause="The run ended before its steps did.",
        error_class="DeadRun",
        remedy="Nothing is lost: the next run goes on where it was.",
    )
