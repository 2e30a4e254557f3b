"""What is measured beside the platform does what the platform does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from benchmarks import raw_to_gold
from benchmarks.contestants.totals import TABLES
from benchmarks.measuring import Run, agree

pytestmark = pytest.mark.long


def test_plain_sql_comes_to_the_same_gold_in_every_column(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[Mapping[str, str]] = []

    def remember(runs: Mapping[str, Sequence[Run]]) -> None:
        compared.extend(one.totals for several in runs.values() for one in several)
        agree(runs)

    monkeypatch.setattr(raw_to_gold, "agree", remember)
    raw_to_gold.measure(tmp_path, records=20_000, repetitions=1, extras=[])
    assert "All came to the same gold" in capsys.readouterr().out
    ours, plain = compared
    assert ours == plain
    assert all(int(ours[f"{table}: rows"]) for table in TABLES)
    # Rules that no record would put to use compare nothing.
    assert all(
        float(ours[f"{table}: sum of {amount}"])
        for table, amount in (
            ("fct_orders", "surcharge_base"),
            ("fct_orders", "refund_tax_base"),
            ("fct_refunds", "refund_shipping_base"),
            ("fct_refunds", "refund_surcharge_base"),
            ("fct_order_lines", "discount_base"),
        )
    )
