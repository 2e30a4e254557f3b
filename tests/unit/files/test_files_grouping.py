"""Carried values, summary rows and numbering, whatever the blocks."""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from pathlib import Path

import pyarrow as pa
import pytest
from dropping import drop, mapping, sync
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.sources.files import opening
from retreasure_assets.sources.files.grouping import Groups, Numbering
from retreasure_assets.sources.files.mapping import CarryForward, SummaryRows
from retreasure_assets.sources.files.rows import Rows

KEYS = st.lists(st.sampled_from(["a", "b", "", "c|d"]), max_size=30)
CARRY = CarryForward(within=("key", "spare"), columns=("total",))


@given(KEYS, st.integers(1, 8))
@settings(deadline=None)
def test_numbering_counts_within_groups_across_blocks(keys: list[str], size: int) -> None:
    numbering = Numbering()
    found: list[str] = []
    for begin in range(0, len(keys), size):
        block = keys[begin : begin + size]
        found += numbering.feed([pa.array(block), pa.nulls(len(block), pa.string())]).to_pylist()
    seen: Counter[str] = Counter()
    expected = []
    for key in keys:
        seen[key] += 1
        expected.append(str(seen[key]))
    assert found == expected


ROWS = st.lists(st.tuples(st.sampled_from(["a", "b", "", "c"]), st.sampled_from(["", "5", "7"])), max_size=25)


@given(ROWS, st.integers(1, 8))
@settings(deadline=None)
def test_values_are_carried_within_a_run_across_blocks(rows: list[tuple[str, str]], size: int) -> None:
    groups = Groups(CARRY, None, b"\n")
    found: list[str] = []
    for begin in range(0, len(rows), size):
        block = rows[begin : begin + size]
        columns = {"key": pa.array([key for key, _ in block]), "total": pa.array([total for _, total in block])}
        given_rows = Rows([b""] * len(block), list(range(len(block))), {}, columns)
        out = groups.feed(given_rows, final=begin + size >= len(rows))
        assert out.columns["key"].to_pylist() == [key for key, _ in block]
        found += out.columns["total"].to_pylist()
    expected: list[str] = []
    for key, run in groupby(rows, key=lambda row: row[0]):
        totals = [total for _, total in run]
        expected += [total or (totals[0] if key else "") for total in totals]
    assert found == expected


ITEMS = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.booleans(), st.booleans()), max_size=16)


@given(ITEMS, st.integers(1, 5))
@settings(deadline=None)
def test_summary_rows_lose_no_byte(items: list[tuple[str, bool, bool]], size: int) -> None:
    """Rows of (key, is a summary, cannot be read): every record comes out once, alone or in front of an item."""
    groups = Groups(CARRY, SummaryRows(empty=("title",)), b"\n")
    records = [b"%d" % index for index in range(len(items))]
    out = Rows([], [], {}, {"title": pa.array([], pa.string())})
    readable = 0
    for begin in range(0, len(items), size):
        block = items[begin : begin + size]
        good = [(key, "" if summary else "x") for key, summary, bad in block if not bad]
        columns = {"key": pa.array([key for key, _ in good], pa.string())}
        columns |= {"title": pa.array([title for _, title in good], pa.string()), "total": pa.array([""] * len(good))}
        problems = {index: "bad" for index, (_, _, bad) in enumerate(block) if bad}
        rows = Rows(records[begin : begin + size], list(range(begin, begin + len(block))), problems, columns)
        found = groups.feed(rows, final=begin + size >= len(items))
        assert len(found.records) - len(found.problems) == len(found.columns["title"])
        assert all(found.columns["title"].to_pylist())
        out.problems |= {len(out.records) + index: problem for index, problem in found.problems.items()}
        out.records += found.records
        out.lines += found.lines
        readable += len(found.columns["title"])
    assert sorted(b"\n".join(out.records).split(b"\n")) == sorted(records) or not items
    assert readable == sum(not summary and not bad for _, summary, bad in items)
    for record, line in zip(out.records, out.lines, strict=True):
        assert record.split(b"\n")[0] == b"%d" % line


ORDERS = """
carry_forward: {within: Order, columns: [Total, Name]}
sequence: {field: line_id, within: order}
natural_key: [order, line_id]
columns:
  order: Order
  title: Title
  total: {column: Total, type: money}
  name: {column: Name}
"""


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_orders_over_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, chunk: int) -> None:
    monkeypatch.setattr(opening, "_CHUNK", chunk)
    monkeypatch.setattr(opening, "BLOCK_LINES", 1)
    data = (
        b"Order,Title,Total,Name\n1,Spoon,9.00,Ada\n1,Fork,,\n1,Knife,bad,\n2,Cup,3.00,\n2,Plate,,\nshort\n2,Bowl,,\n"
    )
    drop(tmp_path, "a.csv", data)
    read = sync(tmp_path, mapping(ORDERS))
    assert [(each["title"], each["line_id"], each["total"], each["name"]) for each in read.good] == [
        ("Spoon", "1", "9.00", "Ada"),
        ("Fork", "2", "9.00", "Ada"),
        ("Cup", "1", "3.00", None),
        ("Plate", "2", "3.00", None),
        ("Bowl", "3", "3.00", None),
    ]
    assert [problem is not None for problem in read.problems] == [False, False, True, False, False, True, False]
