"""Silver's suites, held against what a build has just made.

What belongs here: which rows are looked at, and what is said of them. What does not: keeping rows out: dbt's rules do
that while they build (dbt_project/macros/order_rules.sql), for both engines, and their quarantine models are entries of
the same workplace (silver_rules.py). The suites say whether what passed those rules keeps silver's contract.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retreasure_assets.lake.warehouse import open_warehouse
from retreasure_assets.quality import evaluation
from retreasure_assets.quality.result import GateResult, Reason, Status
from retreasure_assets.quality.suite import Suite, suite_of

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings


def check_silver(settings: Settings, tables: Collection[str], run_id: str) -> list[GateResult]:
    """Hold the rows of each table's last build against its suite.

    Args:
        settings: where the warehouse is.
        tables: tables of silver that have a suite and were just built.
        run_id: the build.

    Returns:
        A result each; ``closed`` where a structural rule is broken.

    Raises:
        LakeError: the warehouse cannot be read.
        ConfigurationError: a suite cannot be used.
    """
    if not tables:
        return []
    results = []
    with open_warehouse(
        settings.warehouse_path, settings.duckdb_memory_limit, settings.threads, read_only=True
    ) as engine:
        for table in sorted(tables):
            began, suite = time.perf_counter(), suite_of("silver", table, settings.suites_path)
            name = f"silver.{table}"
            newest = f"(SELECT * FROM {name} WHERE built_at >= (SELECT max(built_at) FROM {name}))"
            found = evaluation.split(engine, suite, newest, _columns(suite))
            results.append(replace(_result(suite, found, run_id), seconds=time.perf_counter() - began))
    return results


def _columns(suite: Suite) -> list[str]:
    """The columns that the suite speaks of, each once."""
    names = [name for rule in suite.rules for name in (rule.kwargs.get("column_list") or [rule.kwargs["column"]])]
    return list(dict.fromkeys(names))


def _result(suite: Suite, found: evaluation.Split, run_id: str) -> GateResult:
    rules = sorted(((rule, count) for rule, count in found.by_rule.items()), key=lambda pair: -pair[1])
    structural = [f"the rule {rule.name} cannot be evaluated" for rule in found.faulty]
    structural += [f"{rule.name} ({rule.column}) is broken by {n:,} rows" for rule, n in rules if rule.structural]
    reasons = tuple(Reason(rule.name, rule.column, count) for rule, count in rules if not rule.warns)
    notes = tuple(Reason(rule.name, rule.column, count) for rule, count in rules if rule.warns)
    return GateResult(
        dataset=suite.dataset,
        suite_version=suite.version,
        run_id=run_id,
        evaluated_at=datetime.now(UTC),
        status=Status.CLOSED if structural else Status.WARNED if reasons or notes else Status.PASSED,
        rows=found.rows,
        share=found.bad / found.rows if found.rows else 0.0,
        max_share=suite.max_share,
        structural=tuple(structural),
        reasons=reasons,
        notes=notes,
    )
