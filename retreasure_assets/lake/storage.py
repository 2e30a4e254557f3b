"""Where the lake's Delta tables are, and how they are kept.

What belongs here: paths, opening tables, errors explained, upkeep. What does not: appending (appending.py), and what
the rows mean (bronze.py, publish.py, ingestion_log.py).
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pyarrow as pa
from deltalake import DeltaTable
from deltalake.exceptions import CommitFailedError, DeltaError, TableNotFoundError

from retreasure_assets.errors import BusyLakeError, LakeError

LAYERS = ("bronze", "silver", "gold", "quarantine", "ops")
#: Compact a partition's table when this many commits or small files have gathered: a commit takes 18 ms on a new
#: table and 51 ms after 1,000 commits.
_MANY_FILES = 64
_SMALL_BYTES = 16 << 20
#: Readers of an old version and a killed writer's leftovers are safe this long.
_RETENTION_HOURS = 24 * 7
#: How Rust's errors name those of the system.
_OS_ERROR = re.compile(r"(?:os error |code: )([0-9]+)")
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR)
CONFIGURATION = {
    "delta.checkpointInterval": "20",
    "delta.logRetentionDuration": "interval 30 days",
}


@dataclass(frozen=True, slots=True)
class Lake:
    """The lake below one folder: a Delta table per ``<layer>/<table>``."""

    root: Path

    def check(self) -> None:
        """Make sure that the lake's folders may be looked into and written to.

        Raises:
            LakeError: one may not: one reason, where each table in it would give its own.
        """
        with explained("The lake"):
            self.root.mkdir(parents=True, exist_ok=True)
        for folder in (self.root, self.state, *(self.root / layer for layer in LAYERS)):
            with explained(f"The folder {folder}"):
                if not os.access(folder, os.R_OK | os.W_OK | os.X_OK) and folder.exists():
                    raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))

    def uri(self, layer: str, table: str) -> str:
        """The address of a table, whether or not it exists."""
        return str((self.root / layer / table).absolute())

    def exists(self, layer: str, table: str) -> bool:
        """Whether the table has at least one commit.

        Raises:
            LakeError: its folder may not be looked into.
        """
        log = self.root / layer / table / "_delta_log"
        # A lake that is closed as a whole is one reason, not one for each of its tables.
        with explained(f"{layer}.{table}" if os.access(self.root, os.X_OK) else "The lake"):
            return log.is_dir() and DeltaTable.is_deltatable(self.uri(layer, table))

    def table(self, layer: str, table: str) -> DeltaTable:
        """Open the current version of a table.

        Raises:
            LakeError: there is no such table, or it cannot be read.
        """
        with explained(f"{layer}.{table}"):
            return DeltaTable(self.uri(layer, table))

    def find(self, layer: str, table: str) -> DeltaTable | None:
        """The current version of a table, or None where there is none."""
        return self.table(layer, table) if self.exists(layer, table) else None

    def tables(self) -> list[tuple[str, str]]:
        """Every table as (layer, table), sorted.

        Raises:
            LakeError: a folder may not be looked into.
        """
        return sorted(
            (layer, name) for layer in LAYERS for name in _entries(self.root / layer) if self.exists(layer, name)
        )

    def row_count(self, layer: str, table: str) -> int:
        """Rows of a table by its log, no data read; 0 where there is no table."""
        found = self.find(layer, table)
        return sum(add_actions(found)["num_records"].to_pylist()) if found is not None else 0

    @property
    def state(self) -> Path:
        """The folder of small state files beside the tables."""
        return self.root / "_state"


def _entries(folder: Path) -> list[str]:
    """Names in a folder; none where there is no folder. ``Path.glob`` would keep quiet about one without rights."""
    with explained("The lake"):
        try:
            return [entry.name for entry in folder.iterdir()]
        except (FileNotFoundError, NotADirectoryError):
            return []


def files(lake: Lake, layer: str, table: str, actions: pa.Table) -> list[str]:
    """Paths of a version's Parquet files, in the order of its ``add_actions``.

    ``DeltaTable.file_uris`` writes a space in the lake's own path as ``%20``, which opens nothing.
    """
    root = lake.uri(layer, table)
    return [f"{root}/{path}" for path in actions["path"].to_pylist()]


def add_actions(table: DeltaTable) -> pa.Table:
    """The table's files with their partition values and statistics, one row each, no data read."""
    return pa.table(table.get_add_actions(flatten=True))


def maintain(lake: Lake) -> dict[str, int]:
    """Compact tables that have many small files, and remove files that no recent version needs.

    Cheap where nothing is to be done: it reads the tables' logs only.

    Returns:
        ``layer.table`` -> number of small files merged.

    Raises:
        LakeError: a table cannot be read or written.
    """
    note = lake.state / "maintained.json"
    cleaned: dict[str, int] = {}
    with suppress(FileNotFoundError, msgspec.DecodeError):
        cleaned = msgspec.json.decode(note.read_bytes(), type=dict[str, int])
    before, merged = dict(cleaned), {}
    for layer, table in lake.tables():
        name, version = f"{layer}.{table}", lake.table(layer, table)
        with explained(name):
            small = sum(size < _SMALL_BYTES for size in add_actions(version)["size_bytes"].to_pylist())
            # One small file a partition is as few as can be.
            if small - len(partitions(version)) >= _MANY_FILES:
                report = version.optimize.compact(target_size=8 * _SMALL_BYTES)
                merged[name] = report["numFilesRemoved"]
            if version.version() - cleaned.get(name, 0) >= _MANY_FILES or name in merged:
                # In full: also what killed writers left behind.
                version.vacuum(retention_hours=_RETENTION_HOURS, dry_run=False, full=True)
                version.create_checkpoint()
                cleaned[name] = version.version()
    if cleaned != before:
        write_whole(note, msgspec.json.encode(cleaned))
    return merged


def partitions(table: DeltaTable) -> set[tuple[Any, ...]]:
    """The distinct partition values of a table."""
    columns = [f"partition.{name}" for name in table.metadata().partition_columns]
    actions = add_actions(table)
    return set(zip(*(actions[column].to_pylist() for column in columns), strict=True)) if columns else {()}


@contextmanager
def explained(what: str) -> Iterator[None]:
    """Turn storage errors into one sentence; their own texts may quote values and are not chained."""
    try:
        yield
    except (DeltaError, OSError, pa.ArrowException, duckdb.Error) as error:
        raise _explain(what, error) from None


def refused_by_system(what: str, error: Exception | str) -> LakeError | None:
    """The sentence for a full disk or for missing rights; None where the error, or its text, is about neither.

    Args:
        what: what could not be opened or written.
        error: of any library: some give the system's number, some quote it, some quote its words.
    """
    text = str(error)
    codes = {int(code) for code in _OS_ERROR.findall(text)} | {getattr(error, "errno", None)}
    if any(code in codes or os.strerror(code) in text for code in _FULL):
        return LakeError(
            f"{what} could not be written: the disk is full.", remedy="Free some space and run again; nothing is lost."
        )
    if isinstance(error, PermissionError) or any(code in codes or os.strerror(code) in text for code in _REFUSED):
        return LakeError(
            f"{what} could not be opened or written: access to its folder was refused.",
            remedy="Give this user rights on RETREASURE_HOME and run again; nothing is lost.",
        )
    return None


def _explain(what: str, error: Exception) -> LakeError:
    if refusal := refused_by_system(what, error):
        return refusal
    if isinstance(error, TableNotFoundError):
        return LakeError(f"{what} does not exist yet.", remedy="Load it first with `retreasure run`.")
    if isinstance(error, CommitFailedError):
        return BusyLakeError(
            f"{what} could not be written: another writer kept getting in between.",
            remedy="Let one run end before the next starts, then run again; nothing is lost.",
        )
    return LakeError(
        f"{what} could not be read or written ({type(error).__name__}).",
        remedy="Check its folder for damage; restore it from a backup if need be, and run again.",
    )


def write_whole(path: Path, data: bytes) -> None:
    """Replace a small file in one step: readers see the old or the new one, also after a kill.

    Raises:
        LakeError: it cannot be written.
    """
    with explained(path.name):
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.{os.getpid()}")
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
