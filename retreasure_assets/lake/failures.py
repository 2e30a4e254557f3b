"""The failure log ``ops.failures``: what does not work, since when, how often it was tried, and what mended it.

What belongs here: the table, and what an observation makes of it. What does not: finding out what fails
(automation/observing.py), and telling people (the package alerts).

One row is open for each thing that fails, however often it is seen; the next success closes it. It holds no personal
data: causes are sentences that a person may see anyway, errors that nobody foresaw are named by their class.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

import pyarrow as pa

from retreasure_assets.lake.columns import TIMESTAMP
from retreasure_assets.lake.register import Register, Row
from retreasure_assets.lake.storage import Lake

SCHEMA = pa.schema(
    [
        ("failure_id", pa.string()),
        ("fingerprint", pa.string()),
        ("kind", pa.string()),
        ("subject", pa.string()),
        ("source", pa.string()),
        ("severity", pa.string()),
        ("error_class", pa.string()),
        ("cause", pa.string()),
        ("remedy", pa.string()),
        ("owner", pa.string()),
        ("seen", pa.int64()),
        ("attempts", pa.int64()),
        ("first_seen_at", TIMESTAMP),
        ("last_seen_at", TIMESTAMP),
        ("first_run_id", pa.string()),
        ("last_run_id", pa.string()),
        ("alerted_at", TIMESTAMP),
        ("state", pa.string()),
        ("resolved_at", TIMESTAMP),
        ("resolved_by", pa.string()),
    ]
)


#: Who answers for what nobody else does.
DEFAULT_OWNER = "team:data-platform"


class Kind(StrEnum):
    """What sort of thing fails; each has its section in docs/runbook.md."""

    #: A run that could not begin, or whose process died.
    RUN = "run"
    #: An entity of a source could not be read into bronze.
    SOURCE = "source"
    #: Models, or another step, failed.
    STEP = "step"
    #: Data that must hold does not.
    CHECK = "check"
    #: An asset is older than its freshness policy allows.
    STALE = "stale"
    #: A source answers, but has had nothing new for longer than it ever should.
    SILENT = "silent"
    #: A source failed so often that it is left alone for a while.
    CIRCUIT = "circuit"
    #: A sensor or schedule does not work.
    SENSOR = "sensor"


class Severity(StrEnum):
    """How much it matters, worst last."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """Higher is worse."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Symptom:
    """Something that fails, as seen once.

    Args:
        kind: what sort of thing.
        subject: which: ``bronze.etsy_orders``, ``etsy``, ``silver.orders: unique_order_id``.
        cause: one sentence, free of anything personal.
        error_class: the class of the error, or what stands for it.
        remedy: what to do about it, "" when the runbook says it all.
        severity: how much it matters.
        owner: the team that answers for it.
        attempts: how often it was tried.
        source: the source concerned, None where none is.
    """

    kind: Kind
    subject: str
    cause: str
    error_class: str
    remedy: str = ""
    severity: Severity = Severity.ERROR
    owner: str = DEFAULT_OWNER
    attempts: int = 1
    source: str | None = None

    @property
    def fingerprint(self) -> str:
        """The same for the same failing thing."""
        return fingerprint(self.kind, self.subject)


@dataclass(frozen=True, slots=True)
class Changes:
    """What an observation changed, as rows of the table.

    Args:
        begun: did not fail before, fails for another reason now, or is due to be told again.
        ended: failed before, and works now.
    """

    begun: Sequence[Row] = ()
    ended: Sequence[Row] = ()


def fingerprint(kind: str, subject: str) -> str:
    """What tells failing things apart."""
    return hashlib.sha256(f"{kind}\n{subject}".encode()).hexdigest()[:32]


class FailureLog:
    """Keeps the failure log of one lake."""

    def __init__(self, lake: Lake) -> None:
        self._register = Register(lake, "failures", SCHEMA, key="failure_id", state="state", living=("open",))

    def open(self) -> list[Row]:
        """What fails now.

        Raises:
            LakeError: the log cannot be read.
        """
        return self._register.live()

    def observe(
        self,
        failing: Iterable[Symptom],
        *,
        well: Collection[tuple[Kind, str]] = (),
        judged: Collection[Kind] = (),
        by: str,
        at: datetime,
        repeat: timedelta,
        quiet: timedelta = timedelta(0),
        tell: Callable[[Changes], None] = lambda changes: None,
    ) -> Changes:
        """Note what was seen to fail and what was seen to work.

        Args:
            failing: what fails; a thing is noted once for each ``by``.
            well: (kind, subject) of what works.
            judged: kinds of which everything was looked at, so that what is not in ``failing`` works.
            by: the run, or whoever looked; noted as what resolved it.
            at: when, UTC.
            repeat: after how long an open failure is due to be told again.
            quiet: for how long a row that was just seen is left as it is, for those who look every minute.
            tell: told of the changes before they are written, so that none is lost; it may be told twice.

        Returns:
            The changes.

        Raises:
            LakeError: the log cannot be read or written.
        """
        seen = {symptom.fingerprint: symptom for symptom in failing}
        working = {fingerprint(*thing) for thing in well}
        told = Changes()

        def decide(rows: Sequence[Row]) -> list[Row]:
            nonlocal told
            known = {row["fingerprint"]: row for row in rows}
            begun, ended, changed = [], [], []
            for mark, symptom in seen.items():
                row = known.get(mark)
                if row is not None and row["last_run_id"] == by:
                    continue
                due = row is None or _is_due(row, symptom, at, repeat)
                if row is not None and not due and abs(at - row["last_seen_at"]) < quiet:
                    continue
                after = first_row(symptom, by, at) if row is None else _again(row, symptom, by, at)
                if due:
                    after["alerted_at"] = at
                    begun.append(after)
                changed.append(after)
            for mark, row in known.items():
                if mark not in seen and (mark in working or row["kind"] in judged):
                    ended.append({**row, "state": "resolved", "resolved_at": at, "resolved_by": by})
            told = Changes(begun, ended)
            if begun or ended:
                tell(told)
            return [*changed, *ended]

        # Most runs have nothing to tell: they read a table that is empty or not there, and write nothing.
        self._register.change(decide)
        return told


def first_row(symptom: Symptom, by: str, at: datetime) -> Row:
    """The row of something that did not fail before."""
    moment = at.isoformat()
    return {
        "failure_id": fingerprint(symptom.fingerprint, moment),
        "fingerprint": symptom.fingerprint,
        "kind": symptom.kind.value,
        "subject": symptom.subject,
        "source": symptom.source,
        "seen": 1,
        "first_seen_at": at,
        "first_run_id": by,
        "alerted_at": None,
        "state": "open",
        "resolved_at": None,
        "resolved_by": None,
        **_latest(symptom, by, at),
        "attempts": symptom.attempts,
    }


def _again(row: Mapping[str, Any], symptom: Symptom, by: str, at: datetime) -> Row:
    more = {"seen": row["seen"] + 1, "attempts": row["attempts"] + symptom.attempts}
    return {**row, **_latest(symptom, by, at), **more}


def _latest(symptom: Symptom, by: str, at: datetime) -> Row:
    return {
        "severity": symptom.severity.value,
        "error_class": symptom.error_class,
        "cause": symptom.cause,
        "remedy": symptom.remedy,
        "owner": symptom.owner,
        "last_seen_at": at,
        "last_run_id": by,
    }


def _is_due(row: Mapping[str, Any], symptom: Symptom, at: datetime, repeat: timedelta) -> bool:
    """Whether an open failure is worth telling again: for another reason, as worse, or after a long time."""
    if row["error_class"] != symptom.error_class or Severity(row["severity"]).rank < symptom.severity.rank:
        return True
    # A clock that was set back must not silence it until the old time comes again.
    return row["alerted_at"] is None or abs(at - row["alerted_at"]) >= repeat
