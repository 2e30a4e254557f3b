"""Change times as sources write them: read as UTC, and none where nothing can have changed then."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.columns import timestamps
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.vault import Vault
from tests.unit.lake.world import ORDERS, batch, order, rows


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-02T10:00:00Z", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02T10:00:00+02:00", datetime(2026, 3, 2, 8, tzinfo=UTC)),
        ("2026-03-02T10:00:00.123456Z", datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)),
        ("2026-03-02T10:00:00", datetime(2026, 3, 2, 10, tzinfo=UTC)),
        ("2026-03-02", datetime(2026, 3, 2, tzinfo=UTC)),
        (" 2026-03-02 ", datetime(2026, 3, 2, tzinfo=UTC)),
        ("2049-12-31T23:59:59.999999Z", datetime(2049, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
        ("2050-01-01T00:00:00Z", None),
        ("2000-01-01T00:00:00Z", datetime(2000, 1, 1, tzinfo=UTC)),
        ("1999-12-31T23:59:59Z", None),
        ("0001-01-01T00:00:00Z", None),
        ("9999-12-31T23:59:59Z", None),
        ("20266-03-05T00:00:00Z", None),
        ("infinity", None),
        ("yesterday", None),
        ("", None),
        (None, None),
        (1772445600, datetime(2026, 3, 2, 10, tzinfo=UTC)),
        (1772445600000, None),
        (0, None),
        (2**62, None),
        (-(2**62), None),
    ],
)
def test_change_times(text: Any, moment: datetime | None) -> None:
    assert timestamps([text], 1).to_pylist() == [moment]
    for other in ("2026-01-01T00:00:00Z", 1772445600, None):
        assert timestamps([text, other], 2).to_pylist()[0] == moment
        assert timestamps([other, text], 2).to_pylist()[1] == moment


@pytest.mark.parametrize("updated", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "infinity"])
def test_a_change_time_that_cannot_be_is_none(lake: Lake, vault: Vault, updated: str) -> None:
    """It stopped its whole source once a table was there: what is to be looked for had no earlier or later moment."""
    writer = BronzeWriter(lake, vault)
    new = [writer.write(batch([order(1), order(2, updated=updated)]), run_id="r").new for _ in range(2)]
    new.append(writer.write(batch([order(3, updated=updated)]), run_id="r").new)
    assert new == [2, 0, 1]
    told = {row["natural_key"][-1]: row["source_updated_at"] for row in rows(lake, "bronze", ORDERS.table)}
    assert [told["2"], told["3"]] == [None, None]
    assert told["1"] is not None
