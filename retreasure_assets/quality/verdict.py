"""The verdict on a batch that is split: whether its good rows may go on.

What belongs here: counting, and the rules about the batch as a whole. What does not: writing anything (gate.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from retreasure_assets.quality import evaluation
from retreasure_assets.quality.evaluation import BATCH, Split
from retreasure_assets.quality.quarantine_log import Broken
from retreasure_assets.quality.result import GateResult, Reason, Status
from retreasure_assets.quality.suite import Suite

#: What of a row the gate needs beside what its rules speak of.
KEPT = ("record_id", "natural_key", "payload_sha256", "ingested_at", "batch_id")
#: The newest version that was let through of each record of which a bad form waits: ``natural_key``, ``version``.
ADMITTED = "admitted"
#: Fewer bad rows than this say nothing about the whole batch.
_MIN_ROWS = 5
#: From so many rows on, a rule that none of them keeps is about the source's form, not about rows.
_MIN_ALL = 3


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read just before: how many records the source gave, and how many of them could not be read."""

    records: int
    malformed: int


def waiting_bad(engine: duckdb.DuckDBPyConnection, suite: Suite, found: Split) -> list[dict[str, Any]]:
    """The rows of a split batch that are kept out.

    Args:
        engine: has the split batch, ``source_updated_at`` among its columns, and a table ADMITTED of the versions let
            through before.
        suite: what holds.
        found: the split.

    Returns:
        Each with the columns ``KEPT``; ``reasons``, values masked; ``rules``, the indices of the rules it breaks; and
        ``superseded``, whether its record came again in good form while it waited, or was let through before in a
        good form no older: that one is not written again when the source gives it once more.
    """
    names = ", ".join(f"bad.{name}" for name in KEPT)
    shapes = evaluation.shapes(suite, found.faulty)
    answer = engine.execute(
        f"SELECT {names}, bad.broken, bad.shapes, "
        "coalesce(good.newest > bad.ingested_at, false) OR coalesce(known.version >= bad.source_updated_at, false) "
        f"FROM (SELECT *, {shapes} AS shapes FROM {BATCH} WHERE len(broken) > 0) AS bad "
        f"LEFT JOIN (SELECT natural_key, max(ingested_at) AS newest FROM {BATCH} "
        "WHERE len(broken) = 0 GROUP BY natural_key) AS good ON good.natural_key = bad.natural_key "
        f"LEFT JOIN {ADMITTED} AS known ON known.natural_key = bad.natural_key"
    ).fetchall()
    rows = []
    for *values, indices, masked, superseded in answer:
        rules = [suite.rules[index] for index in indices]
        reasons = [Broken(rule.name, rule.column, shape) for rule, shape in zip(rules, masked, strict=True)]
        kept = dict(zip(KEPT, values, strict=True))
        rows.append({**kept, "reasons": reasons, "rules": indices, "superseded": superseded})
    return rows


def verdict(
    suite: Suite,
    found: Split,
    bad: Sequence[Mapping[str, Any]],
    reading: Reading | None,
    refused: Sequence[Mapping[str, Any]],
) -> GateResult:
    """What becomes of a batch.

    Args:
        suite: what holds.
        found: the batch, split.
        bad: its bad rows, as ``waiting_bad`` gives them.
        reading: what was just read, None where nothing was.
        refused: records that could not be read and are not in the quarantine's log yet.
    """
    standing = [row for row in bad if not row["superseded"]]
    by_rule = Counter(index for row in standing for index in row["rules"])
    rows = found.rows - (len(bad) - len(standing))
    # What cannot be read comes again as long as it is bad, but is entered once.
    malformed = len(refused) if reading is None else reading.malformed
    part, whole = len(standing) + malformed, rows + malformed
    structural = [f"the rule {rule.name} cannot be evaluated" for rule in found.faulty]
    for index, count in by_rule.items():
        rule = suite.rules[index]
        if rule.structural:
            structural.append(f"{rule.name} ({rule.column}) is broken by {count:,} rows")
        elif count == rows >= _MIN_ALL:
            structural.append(f"none of {rows:,} rows keeps {rule.name} ({rule.column})")
    shares = [(len(standing), rows), (part, whole)]
    if reading is not None:
        # Good rows of earlier batches may wait too, and would hide that this reading is mostly noise.
        shares.append((malformed, reading.records))
    if any(some >= _MIN_ROWS and some > suite.max_share * of for some, of in shares):
        structural.append(f"{part:,} of {whole:,} rows are bad, more than {suite.max_share:.0%}")
    if suite.never_empty and reading is not None and not reading.records:
        structural.append("the source gave no record at all, which it never does")
    unread = Counter(reason for row in refused for reason in row["reasons"])
    reasons = [
        *(Reason(suite.rules[index].name, suite.rules[index].column, n) for index, n in by_rule.items()),
        *(Reason(one.rule, one.column, n, one.value or "") for one, n in unread.items()),
    ]
    notes = [Reason(rule.name, rule.column, count) for rule, count in found.by_rule.items() if rule.warns]
    return GateResult(
        dataset=suite.dataset,
        suite_version=suite.version,
        run_id="",
        evaluated_at=datetime.now(UTC),
        status=Status.CLOSED if structural else Status.WARNED if part or notes else Status.PASSED,
        rows=found.rows,
        quarantined=len(standing),
        malformed=malformed,
        share=part / whole if whole else 0.0,
        max_share=suite.max_share,
        structural=tuple(structural),
        reasons=tuple(sorted(reasons, key=lambda one: -one.rows)),
        notes=tuple(sorted(notes, key=lambda one: -one.rows)),
    )
