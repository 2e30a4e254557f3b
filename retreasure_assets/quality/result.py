"""What a gate found, as plain data.

What belongs here: the facts that checks, the command line, alerts and dashboards show. What does not: finding them
(gate.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

#: What checks that show a gate's result are called.
GATE_CHECK = "gate"
#: Reasons that a sentence names.
_TOP = 3


class Status(StrEnum):
    """What a gate did."""

    #: Every row went on.
    PASSED = "passed"
    #: The good rows went on; some are in quarantine, or hold something nobody has told us of.
    WARNED = "warned"
    #: Nothing of the batch went on: the dataset stays as its last good batch left it.
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Reason:
    """Rows that break one rule; ``detail`` says how, where the rule alone does not."""

    rule: str
    column: str
    rows: int
    detail: str = ""


@dataclass(frozen=True, slots=True)
class GateResult:
    """What a gate found in the rows that waited before it.

    Args:
        dataset: ``bronze.shopify_orders``.
        suite_version: the suite's state.
        run_id: the run that asked.
        evaluated_at: when, UTC.
        status: what became of the rows.
        rows: how many waited, those that can be read.
        quarantined: how many of them break a rule that keeps them out, and no later good version has taken their place.
        malformed: records of this reading that cannot be read at all.
        share: the part of all of them that is in quarantine, 0 to 1.
        max_share: the largest part with which the others go on.
        structural: why the batch was withheld, a clause each; empty unless it was.
        reasons: rules that rows in quarantine break, most rows first.
        notes: rules that only warn, likewise.
        healed: entries of the quarantine that this batch closed, as their records came again in good form.
        seconds: what it took.
    """

    dataset: str
    suite_version: str
    run_id: str
    evaluated_at: datetime
    status: Status
    rows: int = 0
    quarantined: int = 0
    malformed: int = 0
    share: float = 0.0
    max_share: float = 0.0
    structural: Sequence[str] = ()
    reasons: Sequence[Reason] = ()
    notes: Sequence[Reason] = ()
    healed: int = 0
    seconds: float = 0.0

    @property
    def closed(self) -> bool:
        """Whether the batch was withheld."""
        return self.status is Status.CLOSED

    @property
    def sentence(self) -> str:
        """What happened and what it means, for people; no value of any record is in it."""
        if self.closed and not self.dataset.startswith("bronze."):
            return f"{self.dataset} breaks its contract: {'; '.join(self.structural)}."
        if self.closed:
            most = [_told(reason) for reason in self.reasons[:_TOP]]
            why = "; ".join([*self.structural, *(one for one in most if one not in self.structural)])
            return f"{self.dataset} is withheld: {why}. What was good before stays in use."
        if self.status is Status.PASSED:
            return f"{self.dataset}: all {self.rows:,} rows went on."
        kept = self.quarantined + self.malformed
        parts = [f"{kept:,} of {self.rows + self.malformed:,} in quarantine"] if kept else []
        parts += [_told(reason) for reason in [*self.reasons, *self.notes][:_TOP]]
        return f"{self.dataset}: {'; '.join(parts)}."

    def metadata(self) -> Mapping[str, Any]:
        """The facts by name, JSON-serialisable."""
        return {
            "summary": self.sentence,
            "dataset": self.dataset,
            "status": self.status.value,
            "rows": self.rows,
            "quarantined": self.quarantined,
            "malformed": self.malformed,
            "share": round(self.share, 6),
            "max_share": self.max_share,
            "withheld_because": list(self.structural),
            "top_reasons": [_told(reason) for reason in self.reasons],
            "unknown_values": [_told(reason) for reason in self.notes],
            "healed": self.healed,
            "suite_version": self.suite_version,
            "seconds": round(self.seconds, 3),
        }


def _told(reason: Reason) -> str:
    detail = f": {reason.detail}" if reason.detail else ""
    return f"{reason.rule} ({reason.column}{detail}) broken by {reason.rows:,}"
