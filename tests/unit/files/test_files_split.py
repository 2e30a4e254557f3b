"""Cutting bytes into records: exactness, both ways alike, one bad line losing no other."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from dropping import mapping
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from retreasure_assets.errors import MalformedInputError
from retreasure_assets.sources.files import opening
from retreasure_assets.sources.files.decoding import Text, split_lines
from retreasure_assets.sources.files.header import Layout
from retreasure_assets.sources.files.rows import Rows
from retreasure_assets.sources.files.split import CsvSplitter

THREE = mapping("columns: {id: a, b: b, c: c}\n")
UTF8 = Text("utf-8")


def layout(text: Text = UTF8, delimiter: str = ",") -> Layout:
    return Layout(THREE, text, delimiter, 3, {"a": 0, "b": 1, "c": 2}, 2)


def split(
    data: bytes, cuts: list[int] | None = None, *, fast: bool = True, text: Text = UTF8, delimiter: str = ","
) -> Rows:
    """Split data that arrive in blocks cut behind the line ends numbered in ``cuts``."""
    splitter = CsvSplitter(layout(text, delimiter), fast=fast)
    lines = split_lines(data, text)
    ends = sorted({min(cut, len(lines.raw)) for cut in cuts or []} | {len(lines.raw)})
    out = Rows([], [], {}, {"a": [], "b": [], "c": []})
    begin = 0
    for end in ends:
        block = lines.rest(begin)[: len(lines.rest(begin)) - len(lines.rest(end))]
        begin = end
        rows = splitter.feed(block, final=end == ends[-1])
        out.problems |= {len(out.records) + index: problem for index, problem in rows.problems.items()}
        out.records += rows.records
        out.lines += rows.lines
        for name, column in rows.columns.items():
            out.columns[name].extend(column.to_pylist())
    return out


CELLS = st.text(st.sampled_from('ab é,;"\n\r\t 0\x0b\u2028'), max_size=6)
TABLES = st.lists(st.lists(CELLS, min_size=3, max_size=3), max_size=8)
CUTS = st.lists(st.integers(0, 12), max_size=4)


def written(table: list[list[str]], newline: str, *, quote_all: bool, last: bool) -> str:
    """CSV as it should be; csv.writer before Python 3.12 leaves a lone carriage return unquoted."""

    def cell(text: str) -> str:
        quoted = quote_all or any(mark in text for mark in ',"\r\n')
        return '"' + text.replace('"', '""') + '"' if quoted else text

    return newline.join(",".join(map(cell, row)) for row in table) + (newline if last and table else "")


@given(
    TABLES,
    st.sampled_from(["\n", "\r\n"]),
    st.booleans(),
    st.booleans(),
    CUTS,
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]),
)
@settings(deadline=None)
def test_records_are_the_files_own_bytes(
    table: list[list[str]], newline: str, quote_all: bool, last: bool, cuts: list[int], codec: str
) -> None:
    table = [row for row in table if "".join(row).strip(" \t\r\n")]
    data = written(table, newline, quote_all=quote_all, last=last).encode(codec)
    rows = split(data, cuts, text=Text(codec))
    assert not rows.problems
    end = newline.encode(codec)
    assert end.join(rows.records) + (end if last and table else b"") == data
    assert [list(cells) for cells in zip(*rows.columns.values(), strict=True)] == table


@given(TABLES, CUTS)
@settings(deadline=None)
def test_origins_count_physical_lines(table: list[list[str]], cuts: list[int]) -> None:
    table = [row for row in table if "".join(row).strip(" \t\r\n")]
    data = written(table, "\n", quote_all=False, last=True).encode()
    rows = split(data, cuts)
    expected, line = [], 2
    for record in rows.records:
        expected.append(line)
        line += record.count(b"\n") + 1
    assert rows.lines == expected


LINES = st.lists(
    st.binary(max_size=6).map(lambda raw: bytes(b'a,b,"\r \xc3\xa9\xff\x00 ,'[byte % 13] for byte in raw))
    | st.sampled_from(
        [b"1,2,3", b'1,"2",3', b"", b",,", b" , ,", b"1,2", b'"open,2,3', b"1,2,3\r", b"\xef\xbb\xbf1,2,3"]
    ),
    max_size=10,
)


@given(LINES, CUTS, st.booleans(), st.sampled_from(["utf-8", "cp1252", "ascii", "iso-8859-1"]))
@settings(deadline=None, max_examples=300)
def test_both_ways_agree_on_anything(lines: list[bytes], cuts: list[int], last: bool, codec: str) -> None:
    data = b"\n".join(lines) + (b"\n" if last else b"")
    slow, fast = split(data, cuts, fast=False, text=Text(codec)), split(data, cuts, text=Text(codec))
    assert fast == slow


REGULAR = st.lists(
    st.tuples(*[st.text(st.sampled_from("ab é €0\x00\u2028'"), max_size=5)] * 3)
    .map(",".join)
    .filter(lambda t: t.strip(", \u2028")),
    min_size=1,
    max_size=10,
)


@given(REGULAR, st.sampled_from(["\n", "\r\n"]), st.booleans(), st.sampled_from(["utf-8", "cp1252"]))
@settings(deadline=None)
def test_regular_blocks_take_the_fast_way_and_agree(lines: list[str], newline: str, last: bool, codec: str) -> None:
    lines = [line.replace("\u2028", "") if codec == "cp1252" else line for line in lines]
    data = (newline.join(lines) + (newline if last else "")).encode(codec)
    assert CsvSplitter(layout(Text(codec)))._split_fast(data) is not None
    rows = split(data, text=Text(codec))
    assert rows == split(data, text=Text(codec), fast=False)
    assert newline.encode().join(rows.records) == data.removesuffix(newline.encode())


@given(LINES, CUTS, st.booleans())
@settings(deadline=None)
def test_nothing_but_padding_is_lost(lines: list[bytes], cuts: list[int], last: bool) -> None:
    data = b"\n".join(lines) + (b"\n" if last else b"")
    rows = split(data, cuts)
    bare = bytes.maketrans(b"", b"")
    assert b"".join(rows.records).translate(bare, b'\n\r\t ,"') == data.translate(bare, b'\n\r\t ,"')
    assert rows.lines == sorted(rows.lines)


@given(LINES.filter(lambda lines: not any(b'"' in line for line in lines)), LINES)
@settings(deadline=None)
def test_good_lines_survive_bad_neighbours(bad: list[bytes], more: list[bytes]) -> None:
    """Whole, unquoted lines among quote-free rubbish are always read."""
    data = b"\n".join([*bad, b"1,2,3", *[line for line in more if b'"' not in line], b"4,5,6"]) + b"\n"
    rows = split(data)
    assert {"1", "4"} <= set(rows.columns["a"])


def test_an_unclosed_quote_costs_one_line() -> None:
    rows = split(b'1,2,3\n4,"open,6\n7,8,9\n10,11,12\n')
    assert rows.columns["a"] == ["1", "7", "10"]
    assert list(rows.problems) == [1]
    assert rows.records[1] == b'4,"open,6'


def test_an_unclosed_quote_before_a_quoted_record_costs_one_line() -> None:
    rows = split(b'1,"open,3\n4,"5",6\n"7\n7",8,9\n')
    assert rows.columns["a"] == ["4", "7\n7"]
    assert list(rows.problems) == [0]


def test_a_very_long_open_quote_is_given_up() -> None:
    tail = b"".join(b"%d,x,y\n" % i for i in range(40_000))
    rows = split(b'0,"open,3\n' + tail, [20_000])
    assert len(rows.records) == 40_001
    assert list(rows.problems) == [0]


def test_many_bad_lines_cost_no_square() -> None:
    rows = split(b'1,"open,3\n' * 30_000)
    assert len(rows.problems) + len(rows.columns["a"]) == len(rows.records)


def test_delimiters_and_quotes_in_the_middle() -> None:
    rows = split('1;Mirror 19" gilt;3\n'.encode("cp1252"), text=Text("cp1252"), delimiter=";")
    assert rows.columns["b"] == ['Mirror 19" gilt']


@given(
    st.lists(st.text(st.sampled_from("ab\n\u0a0a\u0d0a\U0001f600"), max_size=12), max_size=20),
    st.integers(2, 40).map(lambda size: size),
    st.sampled_from(["utf-8", "utf-16-le", "utf-16-be"]),
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_blocks_are_whole_lines(monkeypatch: pytest.MonkeyPatch, parts: list[str], size: int, codec: str) -> None:
    data = "".join(parts).encode(codec)
    text = Text(codec)
    monkeypatch.setattr(opening, "_CHUNK", size)
    monkeypatch.setattr(opening, "BLOCK_LINES", 2)
    found = list(opening.blocks(io.BytesIO(data), text.newline, "file"))
    assert b"".join(found) == data
    assert all(block.decode(codec).endswith("\n") for block in found[:-1])


def test_a_file_without_line_ends_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(opening, "LINE_BYTES", 1000)
    monkeypatch.setattr(opening, "BLOCK_BYTES", 500)
    monkeypatch.setattr(opening, "_CHUNK", 100)

    class Endless:
        def read(self, size: int, /) -> bytes:
            return b"x" * size

    def read() -> Iterator[bytes]:
        return opening.blocks(Endless(), b"\n", "shop/things/x.csv")

    with pytest.raises(MalformedInputError, match="line end"):
        list(read())
