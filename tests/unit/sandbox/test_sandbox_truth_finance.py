"""The truth of finance and stock: shares add up, VAT is a sixth of a margin, times to sell count what did not sell."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retreasure_assets.sandbox.truth_facts import Facts
from retreasure_assets.sandbox.truth_finance import given_back, line_vat, shared
from retreasure_assets.sandbox.truth_stock import _median_days, _Spell
from retreasure_assets.sandbox.world import World

CENTS = st.integers(min_value=0, max_value=10**7).map(lambda cents: Decimal(cents) / 100)


@given(CENTS, st.lists(CENTS, min_size=1, max_size=6))
def test_shares_add_up_and_follow_the_parts(whole: Decimal, parts: list[Decimal]) -> None:
    shares = shared(whole, parts)
    assert sum(shares) == whole
    if total := sum(parts):
        for part, share in zip(parts, shares, strict=True):
            assert abs(share - whole * part / total) <= Decimal("0.0001")


def test_vat_is_a_sixth_of_what_was_kept_less_what_was_paid(world: World) -> None:
    facts = Facts(world)
    due, back = line_vat(facts), given_back(facts)
    lines = {(line["channel"], line["order_id"], line["line_id"]): line for line in facts.order_lines}
    assert any(due.values())
    for key, vat in due.items():
        line = lines[key]
        kept = line["line_total_base"] - back.get(key, Decimal(0))
        assert line["tax_amount"] == 0
        assert vat >= 0
        assert abs(vat * 6 - max(Decimal(0), kept - line["item_cost_base"])) <= Decimal("0.0003")


@pytest.mark.parametrize(("day", "median"), [(16, None), (21, 20), (31, 20)])
def test_times_to_sell_count_what_did_not_sell(day: int, median: int | None) -> None:
    """Sold after 10 days, withdrawn after 15, sold after 20, still there: 3/4 are left after 10, 3/8 after 20."""
    start = date(2026, 3, 1)
    ends = [(date(2026, 3, 11), True), (date(2026, 3, 16), False), (date(2026, 3, 21), True), (None, False)]
    spells = [_Spell("chair", "Furniture", start, start, closed, is_sold, Decimal(10)) for closed, is_sold in ends]
    assert _median_days(spells, date(2026, 3, day)) == median
