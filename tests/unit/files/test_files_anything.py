"""Whatever is dropped: records or one of the errors a person may see, never a crash, and no value in a message."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest
from dropping import drop, sync
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.sources.files import FileMapping, load_mappings
from retreasure_assets.sources.files.header import wanted_columns

SHIPPED = [each for each in load_mappings(None) if each.format == "csv" and each.header]
BARE = [each for each in load_mappings(None) if each not in SHIPPED]
CANARY = "Zanzibar"
CELL = st.sampled_from(
    ["", "1", CANARY, f"${CANARY}", "$1.00", "09/03/26", "Sep-18-26", '"', '"a\nb"', "é", "\x00", "--", "2026-01-01"]
)


def body(mapping: FileMapping) -> st.SearchStrategy[str]:
    """A header that fits, and lines that mostly do not."""
    width = len(wanted_columns(mapping))
    line = st.lists(CELL, min_size=width - 1, max_size=width).map(",".join)
    lines = st.lists(line | st.text(max_size=20), max_size=12)
    return lines.map(lambda found: ",".join(wanted_columns(mapping)) + "\n" + "\n".join(found))


@pytest.mark.parametrize("mapping", SHIPPED, ids=lambda each: each.name)
@given(data=st.data())
@settings(deadline=None, max_examples=40)
def test_any_lines_under_a_shipped_header(mapping: FileMapping, data: st.DataObject) -> None:
    text = data.draw(body(mapping))
    with tempfile.TemporaryDirectory() as home:
        name = mapping.pattern[0].replace("*", "x")
        drop(Path(home), name, text.encode("utf-8", "surrogatepass"), folder=f"{mapping.source}/{mapping.entity}")
        read = sync(Path(home), mapping)
    said = " ".join([*filter(None, read.problems), str(read.error)])
    assert CANARY not in said
    bare = str.maketrans("", "", '\r\n\t ,;"')
    if read.error is None and not mapping.skip_rows:
        kept = b"".join(read.records).decode("utf-8", "surrogatepass").translate(bare)
        assert kept == text.split("\n", 1)[1].translate(bare)


JSON = st.recursive(
    st.sampled_from([None, True, 1, 1.5, "", CANARY, "2026-01-01", "1.50", "é"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["id", "data", "msg", "context", "timestamp", CANARY]), inner, max_size=4)
    ),
    max_leaves=12,
).map(json.dumps)


@pytest.mark.parametrize("mapping", BARE, ids=lambda each: each.name)
@given(lines=st.lists(JSON | st.lists(CELL, max_size=13).map("\t".join), min_size=1, max_size=8))
@settings(deadline=None, max_examples=40)
def test_any_lines_without_a_header(mapping: FileMapping, lines: list[str]) -> None:
    text = "\n".join(line.replace("\n", " ") for line in lines)
    with tempfile.TemporaryDirectory() as home:
        name = mapping.pattern[0].replace("*", "x")
        drop(Path(home), name, text.encode(), folder=f"{mapping.source}/{mapping.entity}")
        read = sync(Path(home), mapping)
    assert CANARY not in " ".join([*filter(None, read.problems), str(read.error)])
    if read.error is None:
        bare = str.maketrans("", "", '\r\n\t ,;"')
        assert b"".join(read.records).decode().translate(bare) == text.translate(bare)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=150)
def test_any_bytes(data: bytes) -> None:
    for mapping in SHIPPED[:2]:
        with tempfile.TemporaryDirectory() as home:
            drop(Path(home), "x.csv", data, folder=f"{mapping.source}/{mapping.entity}")
            assert sync(Path(home), mapping).error is not None
