"""What came of a run: steps that failed, checks that did not hold, datasets withheld, and the exit code.

What belongs here: reading it out of Dagster's results. What does not: running (run.py), printing (console.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import dagster as dg

from retreasure_assets.alerts.outbox import Delivered
from retreasure_assets.automation.observing import CHECK_FAILED, class_of
from retreasure_assets.errors import BuildError

#: Failed tests that a sentence names.
_NAMED = 5
#: The exit code of a run that went well but for data that a gate withholds.
WITHHELD = 8


@dataclass(frozen=True, slots=True)
class StepFailure:
    """A step that failed: which, why in one sentence with its remedy, and the exit code it asks for."""

    step: str
    message: str
    exit_code: int
    traceback: str


@dataclass(frozen=True, slots=True)
class FailedCheck:
    """A data test that did not hold, and what it has to say of it."""

    asset: str
    check: str
    severity: str
    summary: str = ""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came of a run.

    Args:
        failures: steps that failed.
        failed_checks: data tests that did not hold.
        notes: sentences that tell of something left undone which is no failure.
        alerts: what was told of it, and to how many channels it could not be.
        sync_seconds, build_seconds: how long reading the sources and building took.
        withheld: a sentence for each dataset whose gate is closed.
    """

    failures: Sequence[StepFailure]
    failed_checks: Sequence[FailedCheck]
    notes: Sequence[str]
    alerts: Delivered
    sync_seconds: float
    build_seconds: float
    withheld: Sequence[str] = ()

    @property
    def exit_code(self) -> int:
        """Zero, the first failure's, or that of data withheld."""
        if self.failures:
            return self.failures[0].exit_code
        return WITHHELD if self.withheld else 0


def failures_of(result: dg.ExecuteInProcessResult) -> list[StepFailure]:
    """The steps of a job that failed."""
    failures = []
    for event in result.all_events:
        if not event.is_step_failure:
            continue
        data = event.step_failure_data
        declared = data.user_failure_data
        metadata: dict[str, Any] = {name: value.value for name, value in declared.metadata.items()} if declared else {}
        message, code = (declared.description if declared else None), int(metadata.get("exit_code", 1))
        if message is None and class_of(data.error) == CHECK_FAILED:
            refusal = _refused(failed_checks_of(result))
            message, code = str(refusal), refusal.exit_code
        failures.append(
            StepFailure(
                step=str(event.step_key),
                message=message or _unexpected(class_of(data.error)),
                exit_code=code,
                traceback=data.error_display_string,
            )
        )
    return failures


def _refused(checks: Sequence[FailedCheck]) -> BuildError:
    """Data tests that keep what depends on their tables from being built."""
    names = [f"{check.check} of {check.asset}" for check in checks if check.severity == "ERROR"]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return BuildError(
        f"Data that must hold does not: {', '.join(names[:_NAMED])}{more}; what depends on it was not built.",
        remedy="Correct the records that the test finds in their source, then run again.",
    )


def _unexpected(name: str) -> str:
    """What to say of an error that nobody foresaw; its own text may quote values."""
    return f"An unexpected {name} stopped this step. Run `retreasure --debug run` to see where; nothing is lost."


def failed_checks_of(result: dg.ExecuteInProcessResult) -> list[FailedCheck]:
    """The checks of a job that did not hold."""
    return [
        FailedCheck(
            asset="/".join(evaluation.asset_key.path),
            check=evaluation.check_name,
            severity=evaluation.severity.value,
            summary=str(evaluation.metadata["summary"].value) if "summary" in evaluation.metadata else "",
        )
        for evaluation in result.get_asset_check_evaluations()
        if not evaluation.passed
    ]
