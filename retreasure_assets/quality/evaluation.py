"""Evaluating a suite over a batch: which rows break which rules.

What belongs here: the split in one pass, in DuckDB, and telling a broken rule from bad data. What does not: what
follows from it (gate.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import duckdb

from retreasure_assets.lake.warehouse import quote_name
from retreasure_assets.quality.predicates import broken, projection
from retreasure_assets.quality.suite import Rule, Suite

#: The table that a split leaves in its engine: the batch's columns, ``broken`` (indices of the rules that keep the row
#: out) and ``noted`` (indices of those that only warn).
BATCH = "gate_batch"


@dataclass(frozen=True, slots=True)
class Split:
    """A batch, split.

    Args:
        rows: how many rows there are.
        bad: how many break a rule that keeps them out.
        by_rule: rule -> rows that break it, rules that hold left out.
        faulty: rules that could not be evaluated: they say nothing about the data.
    """

    rows: int
    bad: int
    by_rule: dict[Rule, int] = field(default_factory=dict)
    faulty: Sequence[Rule] = ()


def split(engine: duckdb.DuckDBPyConnection, suite: Suite, relation: str, columns: Sequence[str]) -> Split:
    """Split a batch into good and bad rows, in one pass; they are in the engine's table ``gate_batch`` afterwards.

    Args:
        engine: an engine of one's own.
        suite: what holds.
        relation: SQL of the batch's rows.
        columns: columns of the relation to keep beside those of the suite.

    Raises:
        duckdb.Error: the batch cannot be read.
    """
    source = projection(suite, relation, columns)
    faulty: list[Rule] = []
    try:
        _materialise(engine, suite, source, faulty)
    except duckdb.Error:
        # Which rule is it, or is it the batch itself? Its own error is raised then.
        engine.execute(f"CREATE OR REPLACE TEMP TABLE projected AS {source}")
        faulty = [rule for rule in suite.rules if not _evaluable(engine, rule)]
        _materialise(engine, suite, "SELECT * FROM projected", faulty)
        engine.execute("DROP TABLE projected")
    counts = engine.execute(
        f"SELECT count(*), count(*) FILTER (len(broken) > 0), "
        f"count(*) FILTER (len(broken) > 0 OR len(noted) > 0) FROM {BATCH}"
    ).fetchone()
    assert counts is not None
    rows, bad, touched = counts
    by_rule = {}
    if touched:
        found = engine.execute(
            f"SELECT rule, count(*) FROM (SELECT unnest(list_concat(broken, noted)) AS rule FROM {BATCH}) GROUP BY rule"
        ).fetchall()
        by_rule = {suite.rules[index]: count for index, count in sorted(found)}
    return Split(rows, bad, by_rule, faulty)


def shape(column: str) -> str:
    """SQL of a value's shape, which tells what is wrong with it and nothing about anybody: ``Jane 7`` -> ``aaaa 9``."""
    text = f"substr(CAST({quote_name(column)} AS VARCHAR), 1, 40)"
    letters = f"regexp_replace({text}, '\\pL', 'a', 'g')"
    return f"regexp_replace({letters}, '\\pN', '9', 'g')"


def shapes(suite: Suite, faulty: Sequence[Rule]) -> str:
    """SQL of the masked value that each broken rule of a row is about, as a list in the order of ``broken``.

    Args:
        suite: the suite.
        faulty: rules that no row is held against.
    """
    cases = " ".join(
        f"WHEN {index} THEN {shape(rule.column)}"
        for index, rule in enumerate(suite.rules)
        if "column" in rule.kwargs and rule not in faulty
    )
    return f"list_transform(broken, lambda rule: CASE rule WHEN -1 THEN NULL {cases} END)"


def _materialise(engine: duckdb.DuckDBPyConnection, suite: Suite, source: str, faulty: Sequence[Rule]) -> None:
    keeping = [(index, rule) for index, rule in enumerate(suite.rules) if rule not in faulty]
    out = _indices([(index, rule) for index, rule in keeping if not rule.warns])
    noted = _indices([(index, rule) for index, rule in keeping if rule.warns])
    engine.execute(
        f"CREATE OR REPLACE TEMP TABLE {BATCH} AS SELECT *, {out} AS broken, {noted} AS noted FROM ({source})"
    )


def _indices(rules: Sequence[tuple[int, Rule]]) -> str:
    parts = ", ".join(f"CASE WHEN {broken(rule)} THEN {index} END" for index, rule in rules)
    return f"list_filter([{parts}]::INTEGER[], lambda rule: rule IS NOT NULL)" if parts else "[]::INTEGER[]"


def _evaluable(engine: duckdb.DuckDBPyConnection, rule: Rule) -> bool:
    try:
        engine.execute(f"SELECT count(*) FROM (SELECT {broken(rule)} AS broken FROM projected) WHERE broken")
    except duckdb.Error:
        return False
    return True
