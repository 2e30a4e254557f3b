"""Exact division on DuckDB, which has none: the macro ``quotient`` against Python's decimals."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, localcontext
from pathlib import Path

import duckdb
import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.resources.platform import dbt_project_dir

_MACROS = jinja2.Environment().from_string(
    Path(dbt_project_dir(), "macros", "engine", "numbers.sql").read_text("utf-8")
)


def _amounts(places: int, digits: int) -> st.SearchStrategy[Decimal]:
    """Amounts of up to so many digits, small ones and those at the limits of 64 bits as often as others."""
    return st.integers(1, digits).flatmap(
        lambda length: st.integers(-(10**length), 10**length).map(lambda whole: Decimal(whole).scaleb(-places))
    )


@pytest.mark.parametrize(("scale", "places"), [(4, 4), (4, 8), (8, 4), (12, 4)])
def test_a_quotient_is_exact_and_rounded_half_away_from_zero(scale: int, places: int) -> None:
    quotient = _MACROS.module.duckdb__quotient("n", "d", scale, places)  # type: ignore[attr-defined]
    amount, largest = f"DECIMAL(28, {places})", 10 ** (36 - 2 * scale)
    pairs = st.tuples(_amounts(places, 13 + places), _amounts(places, 10 + places)).filter(
        lambda pair: abs(pair[0]) < largest * abs(pair[1]) or pair[1] == 0
    )

    with duckdb.connect() as engine:

        @settings(max_examples=10)
        @given(st.lists(pairs, min_size=1, max_size=50))
        def check(given_pairs: list[tuple[Decimal, Decimal]]) -> None:
            rows = ", ".join(f"({at}, {n:f}::{amount}, {d:f}::{amount})" for at, (n, d) in enumerate(given_pairs))
            query = f"SELECT {quotient} FROM (VALUES {rows}) AS t (place, n, d) ORDER BY place"
            assert [value for (value,) in engine.execute(query).fetchall()] == [
                _divided(n, d, scale) for n, d in given_pairs
            ]

        check()


def _divided(numerator: Decimal, denominator: Decimal, scale: int) -> Decimal | None:
    if denominator == 0:
        return None
    with localcontext(prec=80):
        return (numerator / denominator).quantize(Decimal(1).scaleb(-scale), ROUND_HALF_UP)
