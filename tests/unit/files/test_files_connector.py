"""The ledger: what is read, what is skipped, what is read again, and one bad file among good ones."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from dropping import drop, mapping, sync

from retreasure_assets.entities import Window
from retreasure_assets.errors import ConfigurationError, MalformedInputError, PermanentSourceError
from retreasure_assets.sources.files import FilesConnector, connectors, opening, stray_files
from retreasure_assets.sources.files.opening import unreadable

RULES = mapping('pattern: "*.csv"\ncolumns: {id: id, title: title}\n')
A = b"id,title\n1,Spoon\n2,Fork\n"
B = b"id,title\n3,Knife\n"


def aged(path: Path, seconds: int) -> Path:
    os.utime(path, (1_700_000_000 + seconds, 1_700_000_000 + seconds))
    return path


def test_a_file_is_read_once(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", A)
    first = sync(tmp_path, RULES)
    assert len(first.records) == 2
    entry = first.cursor["files"]["a.csv"] if first.cursor else {}
    assert set(entry) == {"size", "mtime_ns", "sha256", "mapping"}
    assert sync(tmp_path, RULES, first.cursor).batches == []


def test_a_known_file_is_not_even_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(tmp_path, "a.csv", A)
    first = sync(tmp_path, RULES)
    monkeypatch.setattr(opening.DroppedFile, "__init__", lambda *_: pytest.fail("opened"))
    assert sync(tmp_path, RULES, first.cursor).error is None


def test_a_grown_file_is_read_from_its_beginning_with_the_same_records(tmp_path: Path) -> None:
    path = drop(tmp_path, "a.csv", A)
    first = sync(tmp_path, RULES)
    path.write_bytes(A + b"4,Plate\n")
    second = sync(tmp_path, RULES, first.cursor)
    # Unchanged records come again byte for byte, with equal payloads: bronze knows them by that.
    assert second.records == [*first.records, b"4,Plate"]
    assert second.payloads[:2] == first.payloads


def test_touched_renamed_and_copied_files_are_not_read_again(tmp_path: Path) -> None:
    path = drop(tmp_path, "a.csv", A)
    first = sync(tmp_path, RULES)
    aged(path, 5)
    touched = sync(tmp_path, RULES, first.cursor)
    assert touched.records == []
    path.rename(path.with_name("b.csv"))
    renamed = sync(tmp_path, RULES, touched.cursor)
    assert renamed.records == []
    assert list((renamed.cursor or {})["files"]) == ["b.csv"]
    drop(tmp_path, "copy.csv", A)
    copied = sync(tmp_path, RULES, renamed.cursor)
    assert copied.records == []
    # What turned out to be known is remembered, so that it is not hashed for ever.
    assert sync(tmp_path, RULES, copied.cursor).batches == []


def test_two_equal_files_are_read_once(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", A)
    drop(tmp_path, "b.csv", A)
    read = sync(tmp_path, RULES)
    assert len(read.records) == 2
    assert sync(tmp_path, RULES, read.cursor).batches == []


def test_a_corrected_mapping_reads_its_files_again(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", A)
    first = sync(tmp_path, RULES)
    corrected = mapping('pattern: "*.csv"\ncolumns: {id: id, name: title}\n')
    assert sync(tmp_path, corrected, first.cursor).good[0] == {"id": "1", "name": "Spoon"}


def test_the_ledger_forgets_removed_files(tmp_path: Path) -> None:
    path = drop(tmp_path, "a.csv", A)
    first = sync(tmp_path, RULES)
    path.unlink()
    drop(tmp_path, "b.csv", B)
    second = sync(tmp_path, RULES, first.cursor)
    assert list((second.cursor or {})["files"]) == ["b.csv"]


def test_older_files_come_first_and_each_is_done_with_its_last_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(opening, "_CHUNK", 10)
    monkeypatch.setattr(opening, "BLOCK_LINES", 1)
    aged(drop(tmp_path, "z.csv", A), 0)
    aged(drop(tmp_path, "a.csv", B), 10)
    read = sync(tmp_path, RULES)
    assert read.origins == ["z.csv:2", "z.csv:3", "a.csv:2"]
    cursors = [None if batch.cursor is None else sorted(batch.cursor["files"]) for batch in read.batches]
    assert cursors == [None, ["z.csv"], ["a.csv", "z.csv"]]
    # A kill after the first batch: the stored cursor is still the old one, so the file comes again.
    assert sync(tmp_path, RULES, None).origins == read.origins


def test_unfinished_and_hidden_names_are_left_alone(tmp_path: Path) -> None:
    for name in ("a.csv.tmp", "a.csv.part", "a.csv.crdownload", ".a.csv", ".hidden/a.csv", "A.CSV.PART", "a.csv~"):
        drop(tmp_path, name, A)
    assert sync(tmp_path, RULES).batches == []


def test_sub_folders_and_upper_case(tmp_path: Path) -> None:
    drop(tmp_path, "2026/january/A.CSV", A)
    assert sync(tmp_path, RULES).origins == ["2026/january/A.CSV:2", "2026/january/A.CSV:3"]


def test_one_bad_file_stops_no_other(tmp_path: Path) -> None:
    aged(drop(tmp_path, "bad.csv", b""), 0)
    aged(drop(tmp_path, "a.csv", A), 1)
    aged(drop(tmp_path, "notes.txt", b"hello"), 2)
    aged(drop(tmp_path, "wrong.csv", b"x,y\n1,2\n"), 3)
    aged(drop(tmp_path, "b.csv", B), 4)
    read = sync(tmp_path, RULES)
    assert len(read.records) == 3
    assert isinstance(read.error, MalformedInputError)
    message = str(read.error)
    assert all(name in message for name in ("bad.csv", "notes.txt", "wrong.csv", "*.csv"))
    assert "a.csv " not in message
    assert read.error.exit_code != 0
    # The good ones are done, the bad ones are reported until they are dealt with.
    again = sync(tmp_path, RULES, read.cursor)
    assert not again.records
    assert again.error is not None


def test_a_file_that_turns_bad_is_tried_again(tmp_path: Path) -> None:
    path = drop(tmp_path, "a.csv", A)
    first = sync(tmp_path, RULES)
    path.write_bytes(b"")
    bad = sync(tmp_path, RULES, first.cursor)
    assert bad.error is not None
    path.write_bytes(A + b"4,Plate\n")
    assert len(sync(tmp_path, RULES, bad.cursor).records) == 3


def test_a_file_written_to_while_it_is_read(tmp_path: Path) -> None:
    path = drop(tmp_path, "a.csv", A)
    connector = FilesConnector(tmp_path / "drop", [RULES])
    original = opening.DroppedFile.check

    def append(file: opening.DroppedFile) -> None:
        original(file)
        with path.open("ab") as more:
            more.write(b"5,Cup\n")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(opening.DroppedFile, "check", append)
        with pytest.raises(MalformedInputError, match="changed while it was read"):
            list(connector.batches(connector.entities["things"], None, Window()))
    assert len(sync(tmp_path, RULES).records) == 3


def test_no_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(tmp_path, "a.csv", A)
    drop(tmp_path, "b.csv", B)
    real = Path.open

    def refuse(path: Path, *args: object, **kwargs: object) -> object:
        if path.name == "a.csv":
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *args, **kwargs)  # type: ignore[call-overload]

    monkeypatch.setattr(Path, "open", refuse)
    read = sync(tmp_path, RULES)
    assert len(read.records) == 1
    assert isinstance(read.error, PermanentSourceError)
    assert str(read.error) == "No rights to read the file shop/things/a.csv. Give this user the right to read it."


def test_a_folder_without_rights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drop(tmp_path, "a.csv", A)

    def refuse(_: object) -> object:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "scandir", refuse)
    error = sync(tmp_path, RULES).error
    assert isinstance(error, PermanentSourceError)
    assert error.message == "No rights to read the folder drop/shop/things."


def test_a_closed_drop_folder_is_one_reason_for_all_its_entities(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drop(tmp_path, "a.csv", A)

    def refuse(folder: object) -> object:
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(os, "scandir", refuse)
    monkeypatch.setattr(os, "access", lambda path, _: Path(path).name != "drop")
    assert str(sync(tmp_path, RULES).error).startswith("No rights to read the folder drop. Give")
    with pytest.raises(PermanentSourceError, match="the folder drop"):
        stray_files(tmp_path / "drop", [RULES])


def test_a_disk_that_fails_begins_its_sentence_with_a_capital() -> None:
    assert str(unreadable("the file a/b.csv", OSError(5, "x"))).startswith("The file a/b.csv cannot be read: Input")


def test_each_of_several_bad_files_keeps_its_remedy(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", b"")
    drop(tmp_path, "b.csv", b"PK\x03\x04")
    drop(tmp_path, "c.csv", A)
    read = sync(tmp_path, RULES)
    assert len(read.records) == 2
    assert str(read.error) == (
        "2 files of shop/things could not be read; the others were. "
        "The file shop/things/a.csv is empty. Export it again, or remove it. "
        "The file shop/things/b.csv is a ZIP or Excel file, not text. "
        "Export it as CSV or JSON Lines; gzip and zstd are fine. They are tried again each time."
    )


def test_nothing_dropped(tmp_path: Path) -> None:
    assert sync(tmp_path, RULES).error is None
    assert sync(tmp_path, RULES).batches == []


def test_a_window_reads_everything_again_without_cursors(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    drop(tmp_path, "a.csv", A)
    first = sync(tmp_path, RULES)
    again = sync(tmp_path, RULES, first.cursor, Window(since=datetime(2026, 1, 1, tzinfo=UTC)))
    assert again.records == first.records
    assert all(batch.cursor is None for batch in again.batches)


def test_pending_names_what_a_sync_would_read(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", A)
    connector = FilesConnector(tmp_path / "drop", [RULES])
    things = connector.entities["things"]
    assert connector.pending(things, None) == ["a.csv"]
    cursor = sync(tmp_path, RULES).cursor
    assert connector.pending(things, cursor) == []
    drop(tmp_path, "notes.txt", b"")
    assert connector.pending(things, cursor) == ["notes.txt"]


def test_stray_files(tmp_path: Path) -> None:
    drop(tmp_path, "a.csv", A)
    drop(tmp_path, "b.csv", B, folder="shop/thinks")
    drop(tmp_path, "c.csv", B, folder="shop")
    drop(tmp_path, "d.csv", B, folder=".")
    assert stray_files(tmp_path / "drop", [RULES]) == ["d.csv", "shop/c.csv", "shop/thinks/b.csv"]
    assert stray_files(tmp_path / "nowhere", [RULES]) == []


def test_connectors_by_source(tmp_path: Path) -> None:
    other = mapping("source: till\nname: other\ncolumns: {id: id}\n")
    found = connectors(tmp_path, [RULES, other])
    assert {source: list(each.entities) for source, each in found.items()} == {"shop": ["things"], "till": ["things"]}
    assert all(source == each.source for source, each in found.items())
    with pytest.raises(ConfigurationError):
        FilesConnector(tmp_path, [RULES, other])
