"""Gold that differs in one value of one column is told apart, by that column."""

from __future__ import annotations

import duckdb
import pytest

from benchmarks.contestants.totals import TABLES, totals
from benchmarks.measuring import ContestantError, Run, agree


def _gold(amount: str = "12.50", kind: str = "DECIMAL(18, 4)", of: str = "a") -> dict[str, str]:
    """Tables of two rows each, of which row ``of`` has the amount and the other 3."""
    with duckdb.connect() as engine:
        engine.execute("CREATE SCHEMA gold")
        for table, keys in TABLES.items():
            named = ", ".join(f"row AS {key}" for key in keys)
            engine.execute(
                f"CREATE TABLE gold.{table} AS SELECT {named}, uuid() AS person_id, "
                f"CAST(CASE row WHEN '{of}' THEN {amount} ELSE 3 END AS {kind}) AS tax_amount, "
                "TIMESTAMPTZ '2026-03-01 10:00:00+02' AS ordered_at FROM (VALUES ('a'), ('b')) AS rows (row)"
            )
        return totals(engine)


def test_the_same_gold_is_the_same_whatever_the_width_of_its_numbers() -> None:
    assert _gold() == _gold(kind="DECIMAL(28, 6)")


@pytest.mark.parametrize("other", [{"amount": "12.51"}, {"amount": "NULL"}, {"of": "b"}])
def test_one_other_value_is_another_gold(other: dict[str, str]) -> None:
    first, second = _gold(), _gold(**other)
    assert {name.split(": ")[1].removeprefix("sum of ") for name in first if first[name] != second[name]} == {
        "tax_amount"
    }
    with pytest.raises(ContestantError, match="ours and plain differ: fct_orders: tax_amount"):
        agree({"ours": [Run(1, 1, 1, 1, totals=first)], "plain": [Run(1, 1, 1, 1, totals=second)]})


def test_a_column_that_one_lacks_is_told() -> None:
    first, second = _gold(), _gold()
    del second["fct_refunds: tax_amount"]
    with pytest.raises(ContestantError, match=r"fct_refunds: tax_amount: \d+ and None"):
        agree({"ours": [Run(1, 1, 1, 1, totals=first)], "plain": [Run(1, 1, 1, 1, totals=second)]})
