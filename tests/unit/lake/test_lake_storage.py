"""Upkeep, locks, small files, full disks."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from deltalake import DeltaTable

from retreasure_assets.errors import AlreadyRunningError, LakeError
from retreasure_assets.lake import storage
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.locking import run_lock
from retreasure_assets.lake.storage import Lake, maintain, write_whole
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.settings import Settings
from tests.unit.lake.world import KEYS, batch, order, rows

ROOT = Path(__file__).parents[3]


def test_many_small_files_are_merged_and_nothing_else_changes(
    lake: Lake, vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "_MANY_FILES", 5)
    writer = BronzeWriter(lake, vault)
    for number in range(6):
        writer.write(batch([order(number)]), run_id="r")
    before = rows(lake, "bronze", "shopify_orders")
    old = DeltaTable(lake.uri("bronze", "shopify_orders"))
    assert maintain(lake) == {"bronze.shopify_orders": 6}
    assert len(lake.table("bronze", "shopify_orders").file_uris()) == 1
    by_id = {row["record_id"]: row for row in rows(lake, "bronze", "shopify_orders")}
    assert by_id == {row["record_id"]: row for row in before}
    # A reader that opened the old version still reads it.
    assert old.to_pyarrow_table().num_rows == 6
    assert maintain(lake) == {}
    # Writing goes on, knows what is there, and its times go on.
    result = writer.write(batch([order(1), order(9)]), run_id="r")
    assert (result.new, result.duplicates) == (1, 1)
    newest = max(rows(lake, "bronze", "shopify_orders"), key=lambda row: row["ingested_at"])
    assert newest["natural_key"].endswith("/9")


def test_an_empty_lake(lake: Lake) -> None:
    assert lake.tables() == []
    assert not lake.exists("bronze", "shopify_orders")
    assert lake.find("bronze", "shopify_orders") is None
    assert maintain(lake) == {}
    with pytest.raises(LakeError, match=r"bronze\.shopify_orders does not exist yet"):
        lake.table("bronze", "shopify_orders")


def test_a_damaged_table_is_one_sentence(lake: Lake, vault: Vault) -> None:
    BronzeWriter(lake, vault).write(batch([order(1)]), run_id="r")
    log = Path(lake.uri("bronze", "shopify_orders")) / "_delta_log" / "00000000000000000000.json"
    log.write_bytes(b"{Planted-Jane")
    with pytest.raises(LakeError) as caught:
        lake.table("bronze", "shopify_orders")
    assert "Planted" not in str(caught.value)
    assert caught.value.__cause__ is None


FULL = """
import resource, signal, sys
from pathlib import Path
from retreasure_assets.errors import LakeError
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.vault import Vault
from tests.unit.lake.world import KEYS, batch, order
home = Path(sys.argv[1])
with Vault(home / "vault" / "vault.sqlite", KEYS) as vault:
    records = [order(number, blob="%x" % (7 ** (9000 + number))) for number in range(150)]
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000))
    try:
        BronzeWriter(Lake(home / "lake"), vault).write(batch(records), run_id="r")
    except LakeError as error:
        print(error)
"""


def test_a_full_disk_is_one_sentence_and_leaves_nothing_half_written(lake: Lake, settings: Settings) -> None:
    """A limit on the size of files stands in for the disk: the system refuses the write in the same place."""
    with Vault(settings.vault_path, KEYS) as vault:
        BronzeWriter(lake, vault).write(batch([order(1000 + number) for number in range(5)]), run_id="r")
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(settings.home)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert "bronze.shopify_orders could not be written: the disk is full." in done.stdout
    assert "Traceback" not in done.stderr
    with Vault(settings.vault_path, KEYS) as vault:
        assert len(rows(lake, "bronze", "shopify_orders")) == 5
        assert BronzeWriter(lake, vault).write(batch([order(2000)]), run_id="r").new == 1


def test_small_files_are_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b.json"
    write_whole(path, b"1")
    write_whole(path, b"2")
    assert path.read_bytes() == b"2"
    assert list(path.parent.iterdir()) == [path]


HOLD = """
import sys, time
from pathlib import Path
from retreasure_assets.lake.locking import run_lock
from retreasure_assets.settings import Settings
with run_lock(Settings(home=Path(sys.argv[1]))):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_second_run_is_refused_and_a_killed_one_frees_the_lock(settings: Settings) -> None:
    process = subprocess.Popen([sys.executable, "-c", HOLD, str(settings.home)], cwd=ROOT, stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"held\n"
    with (
        pytest.raises(AlreadyRunningError, match=rf"process {process.pid}\) has been going for 0 min"),
        run_lock(settings),
    ):
        pass
    process.kill()
    process.wait()
    process.stdout.close()
    note = settings.home / "locks" / "run.lock.json"
    with run_lock(settings):
        assert str(os.getpid()) in note.read_text()
        with pytest.raises(AlreadyRunningError), run_lock(settings):
            pass
    assert not note.exists()
    with run_lock(settings), run_lock(settings, "shopify_orders"):
        assert len(list(note.parent.glob("*.json"))) == 2


@pytest.mark.parametrize("place", ["", "bronze", "_state"])
def test_a_closed_lake_is_one_reason(lake: Lake, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    lake.check()
    (lake.root / "bronze").mkdir()
    lake.state.mkdir()
    lake.check()
    closed = lake.root / place
    monkeypatch.setattr(os, "access", lambda path, _: Path(path) != closed)
    with pytest.raises(LakeError, match="access to its folder was refused") as caught:
        lake.check()
    assert str(closed) in caught.value.message


def test_folders_that_may_not_be_looked_into_are_explained(lake: Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> bool:
        raise PermissionError(errno.EACCES, "Permission denied")

    (lake.root / "bronze").mkdir(parents=True)
    monkeypatch.setattr(Path, "is_dir", refuse)
    with pytest.raises(LakeError, match=r"^bronze\.shopify_orders could not be opened or written: access"):
        lake.exists("bronze", "shopify_orders")
    monkeypatch.setattr(Path, "iterdir", refuse)
    with pytest.raises(LakeError, match=r"^The lake could not be opened or written: access"):
        lake.tables()
