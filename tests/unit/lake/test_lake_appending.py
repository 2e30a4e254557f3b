"""Files that are appended: their statistics hold, and of two writers that saw one version one is refused."""

from __future__ import annotations

from datetime import UTC, date
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, SchemaMismatchError
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.lake.appending import OpenTables, append, appends
from retreasure_assets.lake.columns import TIMESTAMP
from retreasure_assets.lake.delta_files import FileFormat, write_files
from retreasure_assets.lake.storage import Lake, add_actions

SCHEMA = pa.schema(
    [
        ("text", pa.string()),
        ("moment", TIMESTAMP),
        ("number", pa.int64()),
        ("money", pa.decimal128(18, 4)),
        ("share", pa.float64()),
        ("yes", pa.bool_()),
        ("bytes", pa.binary()),
        ("day", pa.date32()),
    ]
)
DAYS = [date(2026, 1, 1), date(2026, 1, 2)]
_ROWS = st.fixed_dictionaries(
    {
        "text": st.none() | st.text(st.characters(codec="utf-8"), max_size=40),
        "moment": st.none() | st.datetimes(timezones=st.just(UTC)),
        "number": st.none() | st.integers(-(2**63), 2**63 - 1),
        "money": st.none() | st.decimals(-(10**10), 10**10, places=4),
        "share": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "yes": st.none() | st.booleans(),
        "bytes": st.none() | st.binary(max_size=3),
        "day": st.sampled_from(DAYS),
    }
)


def table(*rows: dict[str, Any]) -> pa.Table:
    return pa.Table.from_pylist(list(rows), schema=SCHEMA)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(_ROWS, min_size=1, max_size=6))
def test_every_value_is_within_the_bounds_of_its_file(tmp_path_factory: pytest.TempPathFactory, rows: Any) -> None:
    folder = tmp_path_factory.mktemp("table")
    added = write_files(str(folder), table(*rows), "day", FileFormat(unique=frozenset({"text"})))
    assert sum(msgspec.json.decode(action.stats)["numRecords"] for action in added) == len(rows)
    for action in added:
        [day] = action.partition_values.values()
        mine = [row for row in rows if row["day"].isoformat() == day]
        found = pq.read_table(Path(folder, action.path), partitioning=None).to_pylist()
        assert found == [{name: value for name, value in row.items() if name != "day"} for row in mine]
        stats = msgspec.json.decode(action.stats)
        for name in SCHEMA.names[:-1]:
            values = [row[name] for row in mine if row[name] is not None]
            assert stats["nullCount"][name] == len(mine) - len(values)
            assert (name in stats["minValues"]) == (name in stats["maxValues"]) == (bool(values) and name != "bytes")
            if name in stats["minValues"]:
                low, high = stats["minValues"][name], stats["maxValues"][name]
                if name == "moment":
                    values = [value.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" for value in values]
                if name == "money":
                    low, high, values = float(low), float(high), [*map(float, values)]
                assert all(low <= value <= high for value in values)


def test_opaque_columns_have_no_statistics_and_random_ones_are_not_compressed(tmp_path: Path) -> None:
    layout = FileFormat(opaque=frozenset({"text", "bytes"}), random=frozenset({"bytes"}))
    rows = table({"text": "a", "bytes": b"b", "number": 1, "day": DAYS[0]})
    [action] = write_files(str(tmp_path), rows, "day", layout)
    columns = pq.read_metadata(tmp_path / action.path).row_group(0).to_dict()["columns"]
    assert {column["path_in_schema"]: column["compression"] for column in columns}["bytes"] == "UNCOMPRESSED"
    assert {column["compression"] for column in columns if column["path_in_schema"] != "bytes"} == {"ZSTD"}
    stats = msgspec.json.decode(action.stats)
    assert stats["minValues"] == stats["maxValues"] == {"number": 1}
    assert "text" not in stats["nullCount"]


def written(lake: Lake, read: DeltaTable | None, number: int) -> DeltaTable:
    rows = table({"number": number, "day": DAYS[number % 2]})
    return append(lake, "ops", "numbers", rows, partition_by="day", metadata={}, read=read)


def numbers(lake: Lake) -> list[int]:
    return sorted(lake.table("ops", "numbers").to_pyarrow_table()["number"].to_pylist())


def test_the_second_of_two_who_saw_one_version_is_refused(lake: Lake) -> None:
    written(lake, None, 1)
    one, other = lake.table("ops", "numbers"), lake.table("ops", "numbers")
    written(lake, one, 2)
    with pytest.raises(CommitFailedError):
        written(lake, other, 3)
    with pytest.raises(CommitFailedError):
        written(lake, None, 4)
    assert numbers(lake) == [1, 2]
    assert appends(one) == 2
    assert sorted(add_actions(one)["partition.day"].to_pylist()) == DAYS


def test_rows_of_other_columns_are_refused(lake: Lake) -> None:
    read = written(lake, None, 1)
    rows = table({"day": DAYS[0]}).drop_columns("text")
    with pytest.raises(SchemaMismatchError):
        append(lake, "ops", "numbers", rows, partition_by="day", metadata={}, read=read)


def test_open_tables_see_what_others_append(lake: Lake) -> None:
    mine, looking = OpenTables(lake), OpenTables(lake)
    assert looking.current("ops", "numbers") is None
    assert mine.seen("ops", "numbers", 0) is None
    written(lake, None, 1)
    assert appends(looking.current("ops", "numbers")) == 1
    with pytest.raises(CommitFailedError):
        mine.seen("ops", "numbers", 0)
    written(lake, mine.seen("ops", "numbers", 1), 2)
    written(lake, mine.seen("ops", "numbers", 2), 3)
    assert appends(looking.current("ops", "numbers")) == 3
    # Another writer comes in between: what was seen before is no longer so.
    written(lake, lake.table("ops", "numbers"), 4)
    with pytest.raises(CommitFailedError):
        written(lake, mine.seen("ops", "numbers", 3), 5)
    written(lake, mine.seen("ops", "numbers", 4), 6)
    assert numbers(lake) == [1, 2, 3, 4, 6]
