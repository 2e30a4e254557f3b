"""Whatever the order in which the records of all sources arrive, and in how many parts, gold ends the same."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from pprint import pformat
from random import Random
from typing import Any

import pytest

from retreasure_assets.lake.storage import Lake
from tests.end_to_end.bad_input import receipts
from tests.end_to_end.conftest import Home
from tests.end_to_end.retelling import Told, demo, tell, told

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

PARTS = 3
#: When a row was made; the minutes that count to then; and a key of which the time of arrival is a part where a channel
#: states no time of change.
NOT_COMPARED = {"built_at", "minutes_since_sale", "listing_version_id"}


def in_parts(tables: dict[str, list[Told]], random: Random) -> list[dict[str, list[bytes]]]:
    """Each record in one of the parts. What only the order of arrival tells apart stays together, in its order."""
    parts: list[dict[str, list[bytes]]] = [{} for _ in range(PARTS)]
    for table, records in tables.items():
        place: dict[tuple[str, datetime | None], int] = {}
        for record in records:
            part = place.setdefault((record.natural_key, record.changed_at), random.randrange(PARTS))
            parts[part].setdefault(table, []).append(record.payload)
    return parts


def built(home: Home, parts: Sequence[dict[str, list[bytes]]]) -> dict[str, list[str]]:
    """The rows of gold as they are after a run for each of the parts; times of arrival are all alike."""
    began = datetime.now(UTC)
    for number, part in enumerate(parts):
        tell(home.path, part.items(), run_id=f"part{number}")
        # Something for the run to read.
        home.drop("pos/transactions/a.csv", receipts(0, 5 * (number + 1) if len(parts) > 1 else 5 * PARTS))
        outcome = home.run()
        assert outcome.code == 0, outcome.out[-3000:] + outcome.err[-3000:]
    lake = Lake(home.path / "lake")
    gold = {}
    for layer, table in lake.tables():
        if layer == "gold":
            rows = lake.table(layer, table).to_pyarrow_table()
            rows = rows.select([name for name in rows.column_names if name not in NOT_COMPARED])
            gold[table] = sorted(str(list(_settled(row.values(), began))) for row in rows.to_pylist())
    return gold


def _settled(values: Any, began: datetime) -> Any:
    for value in values:
        yield "on arrival" if isinstance(value, datetime) and value >= began else value


def test_any_arrival_of_all_sources_gives_the_same_gold(home: Home, tmp_path: Path) -> None:
    tables = told(demo(Home(tmp_path / "told")))
    at_once = Home(tmp_path / "at_once")
    everything = {table: [record.payload for record in records] for table, records in tables.items()}
    expected = built(at_once, [everything])
    # The same people: the vault gives each a random number.
    shutil.copytree(at_once.path / "vault", home.path / "vault")
    found = built(home, in_parts(tables, Random(3)))
    assert found.keys() == expected.keys()
    assert sum(map(len, expected.values())) > 10_000
    unlike = {table: set(rows) ^ set(found[table]) for table, rows in expected.items() if rows != found[table]}
    assert not unlike, pformat({table: sorted(rows)[:6] for table, rows in unlike.items()}, width=160)
