"""What a run tells of things that fail and things that work.

What belongs here: reading a run's events as symptoms, whatever assets and checks it had. What does not: keeping them
(lake/failures.py) and telling people (automation/telling.py).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg

from retreasure_assets.errors import CircuitOpenError, LakeError, VaultError
from retreasure_assets.lake.failures import DEFAULT_OWNER, Kind, Severity, Symptom

#: Dagster's error for a blocking check that failed; the class itself is not public.
CHECK_FAILED = "DagsterAssetCheckFailedError"
_TOLD = {
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_UP_FOR_RETRY,
    dg.DagsterEventType.ASSET_CHECK_EVALUATION,
    dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED,
}
#: Exit codes of errors that stop more than one source.
_GRAVE = frozenset({LakeError.exit_code, VaultError.exit_code})
#: Figures of a check's metadata that its symptom quotes.
_FIGURES = 3


@dataclass(frozen=True, slots=True)
class Catalogue:
    """What the definitions say of assets.

    Args:
        owner: of an asset.
        sources: bronze table -> its source.
    """

    owner: Callable[[dg.AssetKey], str]
    sources: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen: symptoms, and (kind, subject) of what works."""

    failing: Sequence[Symptom] = ()
    well: Sequence[tuple[Kind, str]] = ()

    def plus(self, other: Observed) -> Observed:
        """Both."""
        return Observed([*self.failing, *other.failing], [*self.well, *other.well])


def events_of_run(instance: dg.DagsterInstance, run_id: str) -> list[dg.DagsterEvent]:
    """The events of a run that tell of its steps and checks."""
    entries = instance.all_logs(run_id, of_type=_TOLD)
    return [entry.dagster_event for entry in entries if entry.dagster_event is not None]


def observed(events: Iterable[dg.DagsterEvent], catalogue: Catalogue) -> Observed:
    """Read a run's events.

    Args:
        events: of one run, in order.
        catalogue: who answers for what.
    """
    keys: dict[str, list[dg.AssetKey]] = defaultdict(list)
    retries: Counter[str] = Counter()
    failing: dict[str, Symptom] = {}
    well: list[tuple[Kind, str]] = []
    for event in events:
        step = event.step_key or ""
        if event.event_type is dg.DagsterEventType.ASSET_MATERIALIZATION_PLANNED and event.asset_key is not None:
            keys[step].append(event.asset_key)
        elif event.event_type is dg.DagsterEventType.STEP_UP_FOR_RETRY:
            retries[step] += 1
        elif event.event_type is dg.DagsterEventType.ASSET_CHECK_EVALUATION:
            symptom = _check(event.asset_check_evaluation_data, catalogue)
            failing.pop(symptom.fingerprint, None)
            if event.asset_check_evaluation_data.passed:
                well.append((symptom.kind, symptom.subject))
            else:
                failing[symptom.fingerprint] = symptom
        elif event.is_step_success:
            kind, subject, source = _thing(step, keys[step], catalogue)
            well.append((kind, subject))
            if source is not None:
                well.append((Kind.CIRCUIT, source))
        elif event.is_step_failure and (found := _step(event, keys[step], retries[step], catalogue)) is not None:
            failing[found.fingerprint] = found
    return Observed(list(failing.values()), [thing for thing in well if not _fails(thing, failing.values())])


def _fails(thing: tuple[Kind, str], failing: Iterable[Symptom]) -> bool:
    return any((symptom.kind, symptom.subject) == thing for symptom in failing)


def class_of(error: dg.SerializableErrorInfo | None) -> str:
    """The class of the error behind the others."""
    while error is not None and error.cause is not None:
        error = error.cause
    return (error.cls_name if error else None) or "error"


def _thing(step: str, keys: Sequence[dg.AssetKey], catalogue: Catalogue) -> tuple[Kind, str, str | None]:
    """What a step stands for: its kind, its name, its source."""
    if len(keys) != 1:
        return Kind.STEP, step, None
    name = ".".join(keys[0].path)
    if keys[0].path[0] != "bronze":
        return Kind.STEP, name, None
    return Kind.SOURCE, name, catalogue.sources.get(keys[0].path[-1])


def _step(event: dg.DagsterEvent, keys: Sequence[dg.AssetKey], retries: int, catalogue: Catalogue) -> Symptom | None:
    data = event.step_failure_data
    declared = data.user_failure_data
    known = {name: value.value for name, value in declared.metadata.items()} if declared else {}
    name = str(known.get("error_class") or class_of(data.error))
    if name == CHECK_FAILED:
        # The checks themselves say so.
        return None
    kind, subject, source = _thing(str(event.step_key), keys, catalogue)
    if name == CircuitOpenError.__name__ and source is not None:
        # One failure, however many of the source's entities it keeps from being read.
        kind, subject = Kind.CIRCUIT, source
    return Symptom(
        kind=kind,
        subject=subject,
        cause=str(known.get("cause") or f"An unexpected {name} stopped this step."),
        error_class=name,
        remedy=str(known.get("remedy") or ""),
        severity=Severity.CRITICAL if known.get("exit_code") in _GRAVE else Severity.ERROR,
        owner=catalogue.owner(keys[0]) if keys else DEFAULT_OWNER,
        attempts=_attempts(known.get("attempts")) + retries,
        source=source,
    )


def _attempts(value: object) -> int:
    return value if isinstance(value, int) else 1


def _check(evaluation: dg.AssetCheckEvaluation, catalogue: Catalogue) -> Symptom:
    """A check as if it had failed. Of its metadata only figures are quoted: texts may hold a record's values."""
    figures = [
        f"{name.rpartition('/')[2].replace('_', ' ')} {value.value:,}"
        for name, value in evaluation.metadata.items()
        if isinstance(value, dg.IntMetadataValue) and value.value is not None
    ]
    quoted = f" ({', '.join(figures[:_FIGURES])})" if figures else ""
    warns = evaluation.severity is dg.AssetCheckSeverity.WARN
    return Symptom(
        kind=Kind.CHECK,
        subject=f"{'.'.join(evaluation.asset_key.path)}: {evaluation.check_name}",
        cause=f"Data that {'should' if warns else 'must'} hold does not{quoted}.",
        error_class="FailedCheck",
        severity=Severity.WARNING if warns else Severity.ERROR,
        owner=catalogue.owner(evaluation.asset_key),
        source=catalogue.sources.get(evaluation.asset_key.path[-1]),
    )
