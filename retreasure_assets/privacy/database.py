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
from itertools import chain
from pathlib import Path
from typing import Any

from retreasure_assets.errors import VaultError
from retreasure_assets.privacy.keys import private_folder

_BUSY_SECONDS = 60.0
#: The layout of the tables; a file of another one is refused.
_LAYOUT = 2
#: Values in one statement: few enough that SQLite keeps the statement compiled for the next ones.
_MANY = 1_000
#: Checkpoint when the log has this many pages of 4 KB. A page changed by many batches is then copied once, not by each.
_LOG_PAGES = 8_192
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS persons (
    number INTEGER PRIMARY KEY AUTOINCREMENT, person_id TEXT NOT NULL UNIQUE, wrapped_key BLOB
) STRICT;
CREATE TABLE IF NOT EXISTS digests (
    digest BLOB PRIMARY KEY, number INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS identities (
    number INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (number, sealed)
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
            for pragma in (
                "journal_mode=WAL",
                "synchronous=FULL",
                "secure_delete=ON",
                "cache_size=-65536",
                f"wal_autocheckpoint={_LOG_PAGES}",
            ):
                self._connection.execute(f"PRAGMA {pragma}")
            self._make_tables()

    def close(self) -> None:
        """Release the file."""
        self._connection.close()

    def execute(self, statement: str, values: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(statement, values)

    def insert(self, columns: str, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert many rows, some hundreds in each statement: a third quicker than one by one.

        Args:
            columns: the table and its columns, ``table (a, b)``.
            rows: their values.
        """
        if not rows:
            return
        marks = f"({','.join('?' * len(rows[0]))})"
        step = _MANY // len(rows[0])
        for start in range(0, len(rows), step):
            part = rows[start : start + step]
            statement = f"INSERT INTO {columns} VALUES {','.join([marks] * len(part))}"
            self.execute(statement, list(chain.from_iterable(part)))

    def select_in(self, statement: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """Rows of a SELECT whose ``{marks}`` stands for any number of values."""
        rows: list[tuple[Any, ...]] = []
        for start in range(0, len(values), _MANY):
            part = values[start : start + _MANY]
            rows += self.execute(statement.format(marks=",".join("?" * len(part))), part).fetchall()
        return rows

    def _make_tables(self) -> None:
        with self.transaction():
            [layout] = self.execute("PRAGMA user_version").fetchone()
            new = self.execute("SELECT count(*) FROM sqlite_schema").fetchone() == (0,)
            if not new and layout != _LAYOUT:
                raise VaultError(
                    f"The vault {self.path} was made by another version of this platform.",
                    remedy="Go on with that version, or set RETREASURE_HOME to a new folder and load everything again.",
                )
            for statement in _SCHEMA.split(";"):
                self.execute(statement)
            self.execute(f"PRAGMA user_version={_LAYOUT}")

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
