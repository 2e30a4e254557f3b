"""Every shipped suite means the same to Great Expectations and as SQL: which rows break which rule, row for row."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pyarrow as pa
import pytest

from retreasure_assets.quality import expectations
from retreasure_assets.quality.suite import Rule, Suite, shipped, suite_of
from tests.unit.quality.test_two_engines import KEPT, by_gx, by_sql

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

ROWS = 60
#: What a source may say where it should not, beside what each rule names.
_STRANGE = (
    None,
    "",
    "?",
    "EUR",
    "eur",
    "2026-01-31T12:00:00Z",
    "2026-02-30",
    "17.5",
    3,
    -1,
    True,
    [],
    {},
    [1],
    {"a": 1},
)


def limits(rules: Iterable[Rule]) -> list[Any]:
    """Values on both sides of what some rules allow."""
    found: list[Any] = []
    for rule in rules:
        found += rule.kwargs.get("value_set", [])
        for bound in (rule.kwargs.get("min_value"), rule.kwargs.get("max_value")):
            if isinstance(bound, int | float):
                found += [bound, bound - 1, bound + 1]
    return found


def placed(values: Mapping[str, Any]) -> str:
    """A payload with values at dotted paths; what stands where a path must go on is left out."""
    payload: dict[str, Any] = {}
    for path, value in values.items():
        *folders, name = path.split(".")
        place = payload
        for folder in folders:
            inner = place.setdefault(folder, {})
            place = inner if isinstance(inner, dict) else {}
        place.setdefault(name, value)
    return json.dumps(payload)


def of_bronze(suite: Suite, chance: random.Random) -> pa.Table:
    """Rows whose payloads keep rules and break them."""
    pools = {
        column.path: [*limits(rule for rule in suite.rules if rule.kwargs.get("column") == column.name), *_STRANGE]
        for column in suite.columns
    }
    payloads = [
        placed({path: chance.choice(pool) for path, pool in pools.items() if chance.random() < 0.95})
        for _ in range(ROWS)
    ]
    return pa.table(
        {
            "record_id": pa.array([f"r{chance.randrange(ROWS)}" for _ in range(ROWS)]),
            "natural_key": pa.array([chance.choice([None, "", "k"]) for _ in range(ROWS)], pa.string()),
            "ingested_at": pa.array([datetime(2026, 1, 1, tzinfo=UTC)] * ROWS, pa.timestamp("us", tz="UTC")),
            "payload": pa.array(payloads, pa.string()),
            expectations.ROW: pa.array(range(ROWS), pa.int64()),
        }
    )


def of_silver(suite: Suite, names: Sequence[str], chance: random.Random) -> pa.Table:
    """Rows whose columns keep rules and break them."""
    arrays: dict[str, pa.Array] = {expectations.ROW: pa.array(range(ROWS), pa.int64())}
    for name in names:
        pool = limits(rule for rule in suite.rules if rule.kwargs.get("column") == name)
        numbers = [value for value in pool if isinstance(value, int | float)]
        texts = [*(value for value in pool if isinstance(value, str)), "EUR", "eur", "", "DE", "x"]
        kind, values = (pa.float64(), numbers) if numbers else (pa.string(), texts)
        arrays[name] = pa.array([chance.choice([None, *values]) for _ in range(ROWS)], kind)
    return pa.table(arrays)


@pytest.mark.parametrize(
    ("layer", "name"), [(layer, name) for layer in ("bronze", "silver") for name in shipped(layer)]
)
def test_both_engines_find_the_same_rows_of_every_suite(layer: str, name: str) -> None:
    suite, chance = suite_of(layer, name), random.Random(f"{layer}.{name}")
    if layer == "bronze":
        kept: Sequence[str] = KEPT
        batch = of_bronze(suite, chance)
    else:
        spoken = [name for rule in suite.rules for name in rule.kwargs.get("column_list") or [rule.kwargs["column"]]]
        kept = list(dict.fromkeys(spoken))
        batch = of_silver(suite, kept, chance)
    hits, faulty = by_sql(suite, batch, kept)
    verdict = by_gx(suite, batch, kept)
    assert faulty == verdict.faulty == frozenset()
    assert hits == dict(verdict.broken)
    # A suite of which nothing is broken here was not tried.
    assert hits
