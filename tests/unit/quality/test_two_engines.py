"""Great Expectations and the SQL made of the same suite agree, row for row."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retreasure_assets.quality import evaluation, expectations
from retreasure_assets.quality.predicates import projection
from retreasure_assets.quality.suite import Suite, parse

KEPT = ("record_id", "natural_key", "ingested_at")


def expectation(kind: str, rule: str, severity: str = "critical", **kwargs: Any) -> dict[str, Any]:
    return {"type": f"expect_{kind}", "kwargs": kwargs, "severity": severity, "meta": {"rule": rule}}


DOCUMENT: dict[str, Any] = {
    "name": "bronze.things",
    "expectations": [
        expectation("column_values_to_not_be_null", "key", column="natural_key"),
        expectation("column_values_to_not_be_null", "made", column="made_at"),
        expectation("column_values_to_not_be_null", "priced", column="price"),
        expectation("column_values_to_be_in_set", "state", "warning", column="state", value_set=["NEW", "OLD", "it's"]),
        expectation("column_values_to_match_regex", "currency", column="currency", regex="^[A-Z]{3}$"),
        expectation("column_values_to_be_between", "range", column="price", min_value=0, max_value=100),
        expectation("column_values_to_be_between", "least", column="price", min_value=-5),
        expectation("column_values_to_be_in_set", "lines", column="lines_kind", value_set=["array"]),
        expectation("compound_columns_to_be_unique", "once", column_list=["ingested_at", "record_id"]),
    ],
    "meta": {
        "columns": {
            "made_at": {"path": "made.at", "read": "time"},
            "price": {"path": "price", "read": "number"},
            "state": {"path": "state", "read": "text"},
            "currency": {"path": "money.currency", "read": "text"},
            "lines_kind": {"path": "lines", "read": "kind"},
        }
    },
}
SUITE = parse("bronze.things", json.dumps(DOCUMENT).encode())

scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**25), 10**25),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from(["", " ", "12.50", "-1", "1e400", "nan", "inf", "0", "100", "100.0000001"]),
    st.text(max_size=5),
)
moments = st.one_of(
    scalars, st.sampled_from(["2026-01-31T12:00:00Z", "2026-02-30", "2026-01-31", "2026-01-31T12:00:00+01:00"])
)
CURRENCIES = ["EUR", "EUR\n", "eur", "EURO", " EUR ", "ÉUR"]
payloads = st.fixed_dictionaries(
    {},
    optional={
        "made": st.one_of(scalars, st.fixed_dictionaries({}, optional={"at": moments})),
        "price": scalars,
        "state": st.one_of(st.sampled_from(["NEW", "OLD", "it's", "new"]), scalars),
        "money": st.fixed_dictionaries({}, optional={"currency": st.one_of(st.sampled_from(CURRENCIES), scalars)}),
        "lines": st.one_of(scalars, st.lists(st.integers(), max_size=2), st.just({})),
    },
)
records, keys = st.sampled_from(["r1", "r2", "r3", "r4"]), st.sampled_from([None, "", "k"])
rows = st.tuples(records, keys, st.integers(0, 2), payloads)


def by_sql(
    suite: Suite, batch: pa.Table, kept: Sequence[str] = KEPT
) -> tuple[dict[str, frozenset[int]], frozenset[str]]:
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register("batch", batch)
        found = evaluation.split(engine, suite, "batch", (*kept, expectations.ROW))
        hits: dict[str, set[int]] = {}
        for row, index in engine.execute(
            f"SELECT {expectations.ROW}, unnest(list_concat(broken, noted)) FROM {evaluation.BATCH}"
        ).fetchall():
            hits.setdefault(suite.rules[index].name, set()).add(row)
        counts = {name: len(places) for name, places in hits.items()}
    assert {rule.name: count for rule, count in found.by_rule.items()} == counts
    assert found.rows == batch.num_rows
    return {name: frozenset(places) for name, places in hits.items()}, frozenset(rule.name for rule in found.faulty)


def by_gx(suite: Suite, batch: pa.Table, kept: Sequence[str] = KEPT) -> expectations.Verdict:
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register("batch", batch)
        frame = engine.sql(projection(suite, "batch", (*kept, expectations.ROW))).to_arrow_table().to_pandas()
    return expectations.evaluate(suite, frame)


def table(values: list[tuple[str, str | None, int, dict[str, Any]]]) -> pa.Table:
    return pa.table(
        {
            "record_id": pa.array([value[0] for value in values], pa.string()),
            "natural_key": pa.array([value[1] for value in values], pa.string()),
            "ingested_at": pa.array(
                [datetime(2026, 1, 1, value[2], tzinfo=UTC) for value in values], pa.timestamp("us", tz="UTC")
            ),
            "payload": pa.array([json.dumps(value[3]) for value in values], pa.string()),
            expectations.ROW: pa.array(range(len(values)), pa.int64()),
        }
    )


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(rows, min_size=1, max_size=12))
def test_both_engines_find_the_same_rows(values: list[tuple[str, str | None, int, dict[str, Any]]]) -> None:
    batch = table(values)
    hits, faulty = by_sql(SUITE, batch)
    verdict = by_gx(SUITE, batch)
    assert faulty == verdict.faulty == frozenset()
    assert hits == dict(verdict.broken)


@pytest.mark.parametrize(
    "expectation_",
    [
        expectation("column_values_to_be_between", "wrong", column="nothing_of_the_kind", min_value=0),
        expectation("column_values_to_be_between", "wrong", column="natural_key", min_value=0),
    ],
)
def test_a_broken_rule_is_no_bad_data(expectation_: dict[str, Any]) -> None:
    document = {**DOCUMENT, "expectations": [*DOCUMENT["expectations"], expectation_]}
    suite = parse("bronze.things", json.dumps(document).encode())
    batch = table([("r1", "k", 0, {"price": 500}), ("r2", "k2", 0, {"price": 5})])
    hits, faulty = by_sql(suite, batch)
    verdict = by_gx(suite, batch)
    assert faulty == verdict.faulty == {"wrong"}
    # The others are evaluated all the same.
    assert hits == dict(verdict.broken)
    assert hits["range"] == {0}
