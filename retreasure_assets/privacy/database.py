"""The vault's file: SQLite, owner-only, durable.

What belongs here: opening, transactions, and turning SQLite's errors into sentences. What does not: what the tables
mean (vault.py).
"""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from retreasure_assets.errors import VaultError
from retreasure_assets.privacy.keys import private_folder

_BUSY_SECONDS = 60.0
#: SQLite takes at most 32,766 values in one statement.
_MANY = 30_000
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS persons (
    number INTEGER PRIMARY KEY AUTOINCREMENT, person_id TEXT NOT NULL UNIQUE, wrapped_key BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS identities (
    digest BLOB PRIMARY KEY, number INTEGER NOT NULL, kind TEXT NOT NULL, sealed BLOB
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS person_links (
    number INTEGER PRIMARY KEY, canonical INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS links_to_person ON person_links (canonical);
CREATE TABLE IF NOT EXISTS dictionaries (
    number INTEGER PRIMARY KEY AUTOINCREMENT, entity TEXT NOT NULL, sealed BLOB NOT NULL
) STRICT;
"""


class Database:
    """An open vault file. One thread at a time: hold ``session`` around every use."""

    def __init__(self, path: Path) -> None:
        """Open or make the file.

        Raises:
            VaultError: it cannot be opened, or others may read it.
        """
        self.path = path
        self._lock = threading.RLock()
        private_folder(path.parent)
        _owner_only(path)
        with self.session():
            self._connection = sqlite3.connect(
                path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            # FULL: a key must be on the disk before bytes sealed with it are. secure_delete: what is forgotten must
            # not stay in free pages.
            for pragma in ("journal_mode=WAL", "synchronous=FULL", "secure_delete=ON", "cache_size=-65536"):
                self._connection.execute(f"PRAGMA {pragma}")
            self._connection.executescript(_SCHEMA)

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(statement, values)

    def executemany(self, statement: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run one statement for many rows."""
        self._connection.executemany(statement, rows)

    def select_in(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Rows of a SELECT whose ``{marks}`` stands for any number of values."""
        rows: list[tuple[Any, ...]] = []
        for start in range(0, len(values), _MANY):
            part = values[start : start + _MANY]
            rows += self.execute(statement.format(marks=",".join("?" * len(part))), part).fetchall()
        return rows

    @property
    def version(self) -> int:
        """Changes whenever another connection has changed the file."""
        return int(self.execute("PRAGMA data_version").fetchone()[0])

    @contextmanager
    def session(self) -> Iterator[None]:
        """Keep other threads out, and explain what SQLite complains of."""
        with self._lock:
            try:
                yield
            except sqlite3.Error as error:
                name = getattr(error, "sqlite_errorname", type(error).__name__)
                raise VaultError(
                    f"The vault {self.path} cannot be used ({name}).",
                    remedy="Check free space, its rights, and that no other program holds it.",
                ) from None

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and no other process writes meanwhile; inside another one it is a part of that."""
        with self.session():
            if self._connection.in_transaction:
                yield
                return
            self.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self.execute("ROLLBACK")
                raise
            self.execute("COMMIT")


def _owner_only(path: Path) -> None:
    """Make the file owner-only before SQLite writes to it; its log files take over these rights."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        mode = path.stat().st_mode & 0o777
    except OSError:
        raise VaultError(f"The vault {path} cannot be opened.", remedy="Check the rights on its folder.") from None
    if os.name == "posix" and mode & 0o077:
        raise VaultError(f"Others than its owner have rights on the vault {path}.", remedy=f"Run `chmod 600 {path}`.")
