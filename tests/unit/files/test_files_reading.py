"""Whole files: encodings, compression, headers, JSON Lines, and files that cannot be read."""

from __future__ import annotations

import codecs
import gzip
import json
from pathlib import Path

import pytest
import zstandard
from dropping import drop, mapping, sync

from retreasure_assets.entities import Window
from retreasure_assets.errors import MalformedInputError

PLAIN = "columns: {id: id, title: title}\n"
DATA = "id,title\n1,Spoon\n2,Ölbild\n"


def in_encoding(name: str) -> str:
    return f"encoding: {name}\n{PLAIN}"


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("utf-8", DATA.encode()),
        ("utf-8", codecs.BOM_UTF8 + DATA.encode()),
        ("utf-8-sig", DATA.encode("utf-8-sig")),
        ("utf-8-sig", DATA.encode()),
        ("cp1252", DATA.encode("cp1252")),
        ("iso-8859-1", DATA.encode("iso-8859-1")),
        ("iso-8859-15", DATA.encode("iso-8859-15")),
        ("utf-16", DATA.encode("utf-16")),
        ("utf-16", DATA.encode("utf-16-be")),
        ("utf-16-le", DATA.encode("utf-16-le")),
        ("utf-16-be", codecs.BOM_UTF16_BE + DATA.encode("utf-16-be")),
        ("utf-16", DATA.replace("\n", "\r\n").encode("utf-16")),
    ],
)
def test_encodings(tmp_path: Path, encoding: str, data: bytes) -> None:
    drop(tmp_path, "a.csv", data)
    read = sync(tmp_path, mapping(in_encoding(encoding)))
    assert read.error is None
    assert read.good == [{"id": "1", "title": "Spoon"}, {"id": "2", "title": "Ölbild"}]
    assert read.origins == ["a.csv:2", "a.csv:3"]
    # The byte order mark belongs to no record, and a record is in the file's own encoding.
    assert all(record in data for record in read.records)


@pytest.mark.parametrize(
    ("encoding", "data", "says"),
    [
        ("utf-8", DATA.encode("utf-16"), "utf-16"),
        ("utf-8", DATA.encode("utf-16-le"), "utf-16"),
        ("utf-16", DATA.encode(), "utf-16"),
        ("utf-16-le", DATA.encode("utf-16-be"), "utf-16-le"),
        ("cp1252", codecs.BOM_UTF8 + DATA.encode(), "utf-8"),
        ("utf-8", "id,title,größe\n1,Spoon,2\n".encode("cp1252"), "header"),
        ("utf-8", "id,title\n1,Ölbild\n2,Krüge\n3,Spoon\n".encode("cp1252"), "2 of its first 4 lines"),
        ("utf-8", b"\x00\x01\x02\x03" * 300, "no text"),
    ],
)
def test_wrong_encoding_is_one_sentence(tmp_path: Path, encoding: str, data: bytes, says: str) -> None:
    drop(tmp_path, "a.csv", data)
    read = sync(tmp_path, mapping(in_encoding(encoding)))
    assert isinstance(read.error, MalformedInputError)
    assert "shop/things/a.csv" in str(read.error)
    assert says in str(read.error)
    assert not read.batches


def test_one_undecodable_line_is_a_problem_of_its_own(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", b"id,title\n1,Spoon\n2,\xff\xfe\n3,Fork\n")
    read = sync(tmp_path, mapping(PLAIN))
    assert [each["id"] for each in read.good] == ["1", "3"]
    assert read.records[1] == b"2,\xff\xfe"
    assert read.problems[1] == "it holds bytes that are not utf-8"


def big(lines: int = 3000) -> bytes:
    return b"id,title\n" + b"".join(b"%d,Spoon number %d\n" % (i, i * 7919) for i in range(lines))


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.csv.zst", "misnamed.csv"])
@pytest.mark.parametrize(
    "pack", [gzip.compress, zstandard.compress, lambda data: gzip.compress(data[:500]) + gzip.compress(data[500:])]
)
def test_compression_is_told_by_content(tmp_path: Path, name: str, pack: object) -> None:
    assert callable(pack)
    drop(tmp_path, name, pack(big()))
    read = sync(tmp_path, mapping('pattern: "*.csv"\n' + PLAIN))
    assert read.error is None
    assert b"\n".join(read.records) + b"\n" == big()[9:]


def torn(data: bytes, kind: str) -> bytes:
    packed = (
        gzip.compress(data) if kind.startswith("gzip") else zstandard.ZstdCompressor(write_checksum=True).compress(data)
    )
    if kind.endswith("tail"):
        return packed[:-3]
    if kind.endswith("half"):
        return packed[: len(packed) // 2]
    if kind.endswith("rubbish"):
        return packed + b"rubbish behind the end"
    middle = len(packed) - 9
    return packed[:middle] + bytes([packed[middle] ^ 0xFF]) + packed[middle + 1 :]


@pytest.mark.parametrize(
    "kind", [f"{codec} {how}" for codec in ("gzip", "zstd") for how in ("tail", "half", "rubbish", "flip")]
)
def test_a_damaged_archive_loads_nothing(tmp_path: Path, kind: str) -> None:
    path = drop(tmp_path, "a.csv.gz", torn(big(), kind))
    drop(tmp_path, "good.csv", big(2))
    rules = mapping('pattern: "*.csv"\n' + PLAIN)
    read = sync(tmp_path, rules)
    assert {origin.split(":")[0] for origin in read.origins} == {"good.csv"}
    assert isinstance(read.error, MalformedInputError)
    assert "a.csv.gz" in read.error.message
    assert "truncated or damaged" in read.error.message
    # It is reported again while it lies there, and read as soon as it is whole.
    assert sync(tmp_path, rules, read.cursor).error is not None
    path.write_bytes(gzip.compress(big()))
    again = sync(tmp_path, rules, read.cursor)
    assert again.error is None
    assert len(again.records) == 3000


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "is empty"),
        (b"\n\n,,,\n  \n", "holds no record and no header"),
        (b"PK\x03\x04rest", "ZIP or Excel"),
        (gzip.compress(b"", mtime=0), "holds no record and no header"),
        (b"id,name\n1,2\n", "lacks 'title'"),
        (b"id;title\n1;2\n", "lacks 'id', 'title'"),
        (b"id,title,Title\n1,2,3\n", "'title' twice"),
    ],
)
def test_unusable_files_are_named(tmp_path: Path, data: bytes, says: str) -> None:
    drop(tmp_path, "a.csv", data)
    read = sync(tmp_path, mapping(PLAIN))
    assert not read.batches
    assert read.error is not None
    assert says in read.error.message
    assert "shop/things/a.csv" in read.error.message
    assert read.error.remedy


def test_header_tolerates_order_case_blanks_and_more_columns(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", b"\n,,\n  TITLE ,other, Id\nSpoon,x,1\n,,\n\nFork,y,2\n")
    read = sync(tmp_path, mapping(PLAIN))
    assert read.good == [{"id": "1", "title": "Spoon"}, {"id": "2", "title": "Fork"}]
    assert read.origins == ["a.csv:4", "a.csv:7"]


def test_header_only_is_no_error(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", b"id,title\n")
    read = sync(tmp_path, mapping(PLAIN))
    assert read.error is None
    assert not read.records
    assert sync(tmp_path, mapping(PLAIN), read.cursor).batches == []


def test_without_header(tmp_path: Path) -> None:
    rules = mapping("header: false\ncolumn_names: [id, title]\n" + PLAIN)
    drop(tmp_path, "a.csv", b"1,Spoon\n2,Fork\n")
    read = sync(tmp_path, rules)
    assert [each["title"] for each in read.good] == ["Spoon", "Fork"]
    assert read.origins[0] == "a.csv:1"
    drop(tmp_path, "b.csv", b"1,Spoon,more\n")
    error = sync(tmp_path, rules).error
    assert error is not None
    assert "2 columns" in error.message


def test_the_mapping_whose_columns_are_there_is_used(tmp_path: Path) -> None:
    german = mapping(
        'name: german\ndelimiter: ";"\ndecimal: ","\ncolumns: {id: Nr, price: {column: Preis, type: money}}\n'
    )
    english = mapping("name: english\ncolumns: {id: id, price: {column: price, type: money}}\n")
    drop(tmp_path, "a.csv", b"Nr;Preis\n1;1.234,50\n")
    drop(tmp_path, "b.csv", b"id,price\n2,3.5\n")
    read = sync(tmp_path, [english, german])
    assert {each["id"]: each["price"] for each in read.good} == {"1": "1234.50", "2": "3.5"}


EVERYTHING = """
time_zone: Europe/Dublin
empty: ["--", n/a]
columns:
  id: {column: [Nr, Alt Nr]}
  title: Title
  quantity: {column: Qty, type: integer}
  price: {column: Price, type: money}
  currency: {column: Price, type: currency}
  sold_at: {column: Sold, type: datetime, formats: [iso, "%d/%m/%Y %H:%M"]}
  day: {column: Day, type: date, formats: "%d-%b-%y"}
  gift: {column: Gift, type: boolean}
  kind: {column: Kind, type: enum, values: {S: sale, R: return}}
  place: {column: [City, Region], join: ", "}
  zip: {column: Zip, strip: "'"}
  extra: {column: Nothing, optional: true}
constants: {shop: Cork}
"""
HEADER = "Nr,Alt Nr,Title,Qty,Price,Sold,Day,Gift,Kind,City,Region,Zip\n"


def test_every_type(tmp_path: Path) -> None:
    line = "1,,  Spoon \\ ,2,$10.00,2026-07-01 10:00,03-Sep-26,yes,s,Cork,Munster,'0123\n"
    other = ",7,--,1,,01/12/2026 10:00,,,,,n/a,\n"
    drop(tmp_path, "a.csv", (HEADER + line + other).encode())
    read = sync(tmp_path, mapping(EVERYTHING))
    assert read.problems == [None, None]
    assert read.good[0] == {
        "id": "1",
        "title": "Spoon \\",
        "quantity": "2",
        "price": "10.00",
        "currency": "USD",
        "sold_at": "2026-07-01T09:00:00Z",
        "day": "2026-09-03",
        "gift": "true",
        "kind": "sale",
        "place": "Cork, Munster",
        "zip": "0123",
        "extra": None,
        "shop": "Cork",
    }
    empty = {key for key, value in read.good[1].items() if value is None}
    assert empty == {"title", "price", "currency", "day", "gift", "kind", "place", "zip", "extra"}
    assert read.good[1]["sold_at"] == "2026-12-01T10:00:00Z"


def test_bad_cells_are_named_without_their_value(tmp_path: Path) -> None:
    good = "1,,Spoon,2,10.00 EUR,2026-07-01,,,,,,\n"
    bad = "2,,Fork,two,Ada's,tomorrow,,perhaps,X,,,\n"
    unnamed = ",,Knife,1,,2026-07-01,,,,,,\n"
    short = "3,,Plate\n"
    drop(tmp_path, "a.csv", (HEADER + bad + good + unnamed + short).encode())
    read = sync(tmp_path, mapping(EVERYTHING))
    assert [each["title"] for each in read.good] == ["Spoon"]
    assert read.records == [line.rstrip("\n").encode() for line in (bad, good, unnamed, short)]
    first = read.problems[0] or ""
    assert all(name in first for name in ("quantity", "price", "currency", "sold_at", "gift", "kind"))
    assert not any(value in first for value in ("two", "Ada", "tomorrow", "perhaps"))
    assert read.problems[2] == "id is empty"
    assert read.problems[3] == "it has 3 columns instead of 12"


@pytest.mark.parametrize(
    "text", ['quote " inside', "back\\slash", "tab\tand \x01", "é € \U0001f600", "line\nfeed", "\x7f"]
)
def test_payloads_are_valid_json(tmp_path: Path, text: str) -> None:
    cell = '"' + text.replace('"', '""') + '"'
    drop(tmp_path, "a.csv", f"id,title\n1,{cell}\n2,plain\n".encode())
    assert [each["title"] for each in sync(tmp_path, mapping(PLAIN)).good] == [text, "plain"]


def test_skipped_rows(tmp_path: Path) -> None:
    rules = mapping(PLAIN + "skip_rows: ['^Report of', '^Total']\n")
    drop(tmp_path, "a.csv", b'Report of "today\nid,title\n1,Spoon\nTotal,1\nTotal "1\n2,Fork\n')
    read = sync(tmp_path, rules)
    assert [each["id"] for each in read.good] == ["1", "2"]
    assert len(read.records) == 2


def test_window_keeps_what_changed_in_it(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    rules = mapping("columns: {id: id, at: {column: at, type: datetime}}\nupdated_at: at\n")
    times = [
        "2026-01-01T00:00:00Z",
        "2026-01-01T00:00:00.5Z",
        "2026-01-02T00:00:00Z",
        "",
        "rubbish",
        "2025-12-31T23:59:59Z",
    ]
    drop(tmp_path, "a.csv", ("id,at\n" + "".join(f"{i},{at}\n" for i, at in enumerate(times))).encode())
    read = sync(
        tmp_path, rules, {"files": {}}, Window(datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 1, 2, tzinfo=UTC))
    )
    assert [record.split(b",")[0] for record in read.records] == [b"0", b"1", b"3", b"4"]
    assert all(batch.cursor is None for batch in read.batches)


JSON_LINES = """
format: jsonl
columns:
  id: {column: sale.id}
  price: {column: sale.price, type: money}
  at: {column: at, type: datetime}
  gift: {column: gift, type: boolean}
"""


def test_json_lines(tmp_path: Path) -> None:
    lines = [
        b'{"sale": {"id": 7, "price": 1.50}, "at": "2026-01-01T10:00:00+01:00", "gift": true, "more": [1]}',
        b'{"sale": {"id": "8", "price": "12345678901234567890.10"}, "at": null}',
        b'{"sale": {"id": 9, "price": {"amount": 1}}}',
        b'{"sale": 5}',
        b'{"sale": {"id": 1}',
        b"[1]",
        b"",
        b'{"sale": {"price": 1}}',
        b'{"sale": {"id": "\xff"}}',
    ]
    drop(tmp_path, "a.jsonl", b"\r\n".join(lines))
    read = sync(tmp_path, mapping(JSON_LINES))
    assert read.error is None
    assert read.good == [
        {"id": "7", "price": "1.50", "at": "2026-01-01T09:00:00Z", "gift": "true"},
        {"id": "8", "price": "12345678901234567890.10", "at": None, "gift": None},
    ]
    assert read.records == [line for line in lines if line]
    assert read.origins[-1] == "a.jsonl:9"
    assert [problem for problem in read.problems if problem] == [
        "sale.price is not a single value",
        "sale.id is not a single value",
        "it is not valid JSON",
        "it is not a JSON object",
        "id is empty",
        "it holds bytes that are not utf-8",
    ]


def test_json_lines_as_they_are(tmp_path: Path) -> None:
    rules = mapping("format: jsonl\nnatural_key: sale.id\nupdated_at: at\n")
    whole = {"sale": {"id": 7, "price": 1.5}, "at": "2026-01-01T10:00:00+01:00", "lines": [{"a": None}]}
    drop(tmp_path, "a.jsonl", (json.dumps(whole) + '\n{"sale": {}}\nrubbish\n').encode())
    read = sync(tmp_path, rules)
    assert read.good == [whole]
    assert read.problems == [None, "sale.id is empty", "it is not valid JSON"]


def test_json_lines_in_utf_16(tmp_path: Path) -> None:
    drop(tmp_path, "a.jsonl", '{"id": "é"}\n{"id": 2}\n'.encode("utf-16"))
    read = sync(tmp_path, mapping("format: jsonl\nencoding: utf-16\n"))
    assert read.good == [{"id": "é"}, {"id": 2}]
