"""Whatever is dropped: records or one of the errors a person may see, never a crash, and no value in a message."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from dropping import drop, sync
from hypothesis import given, settings
from hypothesis import strategies as st

from retreasure_assets.sources.files import FileMapping, load_mappings
from retreasure_assets.sources.files.header import wanted_columns

SHIPPED = load_mappings(None)
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
        drop(Path(home), "x.csv", text.encode("utf-8", "surrogatepass"), folder=f"{mapping.source}/{mapping.entity}")
        read = sync(Path(home), mapping)
    said = " ".join([*filter(None, read.problems), str(read.error)])
    assert CANARY not in said
    bare = str.maketrans("", "", '\r\n\t ,;"')
    if read.error is None and not mapping.skip_rows:
        kept = b"".join(read.records).decode("utf-8", "surrogatepass").translate(bare)
        assert kept == text.split("\n", 1)[1].translate(bare)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=150)
def test_any_bytes(data: bytes) -> None:
    for mapping in SHIPPED[:2]:
        with tempfile.TemporaryDirectory() as home:
            drop(Path(home), "x.csv", data, folder=f"{mapping.source}/{mapping.entity}")
            assert sync(Path(home), mapping).error is not None
