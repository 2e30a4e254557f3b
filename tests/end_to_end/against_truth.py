"""Rows of gold held against the truth that a sandbox's world was generated from.

What belongs here: comparing, to the cent. What does not: how gold came to be.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

CENT = Decimal("0.01")
#: What was sold and what became of the money: table of gold -> its key.
MONEY_FACTS = {
    "fct_orders": ("channel", "order_id"),
    "fct_order_lines": ("channel", "order_id", "line_id"),
    "fct_refunds": ("channel", "refund_id"),
    "fct_payments": ("channel", "payment_id"),
    "fct_fees": ("channel", "fee_id"),
    "fct_payouts": ("channel", "payout_id"),
    "agg_daily_sales": ("business_date", "channel"),
}


def assert_true(
    gold_rows: Collection[Mapping[str, Any]], true_rows: Collection[Mapping[str, Any]], key: Sequence[str]
) -> None:
    """The same rows by their key, and every column that the truth has equal, money to the cent."""
    gold = {tuple(str(row[name]) for name in key): row for row in gold_rows}
    true = {tuple(str(row[name]) for name in key): row for row in true_rows}
    assert true, "the world is empty"
    assert len(gold) == len(gold_rows), "a key comes twice"
    assert gold.keys() == true.keys()
    for identity, expected in true.items():
        for column, value in expected.items():
            actual = gold[identity][column]
            if isinstance(actual, Decimal):
                assert abs(actual - Decimal(value)) < CENT, (identity, column, actual, value)
            else:
                assert plain(actual) == plain(value), (identity, column)


def plain(value: Any) -> str | None:
    """Times as UTC ISO text, booleans and numbers as text, so that JSON and SQL compare."""
    if value is None:
        return None
    if hasattr(value, "isoformat"):
        text = str(value.isoformat())
        return text.replace("+00:00", "").removesuffix("Z")
    text = str(value)
    return text.removesuffix("Z").replace("+00:00", "") if "T" in text else text
