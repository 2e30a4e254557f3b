"""Dagster's history of runs in SQLite, with connections that stay open.

What belongs here: how the local instance keeps its history. What does not: anything that knows of assets.

Dagster's own storage opens and closes a database file for every event and makes SQLAlchemy's engine anew for it: 29 ms
of CPU an event, most of a build that finds nothing new. Connections that stay open, and SQLite's journal without a
flush to the disk for every event, make it 3 ms. What that costs: a power cut may lose the last events of a run (not of
the lake); a killed process loses none (https://www.sqlite.org/pragma.html#pragma_synchronous).

``_connect`` and ``connect`` are private or undocumented: Dagster is pinned.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import sqlalchemy
from dagster._core.storage.event_log import SqliteEventLogStorage
from dagster._core.storage.event_log.sqlite.sqlite_event_log import INDEX_SHARD_NAME
from dagster._core.storage.runs import SqliteRunStorage
from dagster._core.storage.schedules import SqliteScheduleStorage
from dagster._core.storage.sqlite import SQLITE_BUSY_TIMEOUT_SECONDS
from dagster._core.storage.sqlite_storage import DagsterSqliteStorage
from dagster._serdes import ConfigurableClassData
from sqlalchemy.engine import Connection, Engine

#: Databases held open at a time: there is one for each run beside those that all share.
_OPEN = 8


class _Engines:
    """SQLAlchemy engines by address, the last few used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._engines: dict[str, Engine] = {}

    def get(self, address: str) -> Engine:
        """The engine of a database, each of whose connections stays with its thread's turn."""
        with self._lock:
            engine = self._engines.pop(address, None) or _engine(address)
            self._engines[address] = engine
            while len(self._engines) > _OPEN:
                self._engines.pop(next(iter(self._engines))).dispose()
            return engine

    def dispose(self) -> None:
        """Close all."""
        with self._lock:
            while self._engines:
                self._engines.popitem()[1].dispose()


def _engine(address: str) -> Engine:
    engine = sqlalchemy.create_engine(
        address,
        poolclass=sqlalchemy.pool.QueuePool,
        pool_size=1,
        max_overflow=-1,
        connect_args={"timeout": SQLITE_BUSY_TIMEOUT_SECONDS, "check_same_thread": False},
    )

    @sqlalchemy.event.listens_for(engine, "connect")
    def _settled(connection: Any, _: Any) -> None:
        connection.execute("PRAGMA synchronous=NORMAL")

    return engine


class EventLogStorage(SqliteEventLogStorage):
    """The events of runs."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines = _Engines()
        super().__init__(base_dir, inst_data)

    @contextmanager
    def _connect(self, shard: str) -> Iterator[Connection]:
        with self._db_lock:
            engine = self._engines.get(self.conn_string_for_shard(shard))
            if shard not in self._initialized_dbs:
                self._initdb(engine)
                self._initialized_dbs.add(shard)
            with engine.connect() as connection, connection.begin():
                yield connection

    def has_table(self, table_name: str) -> bool:
        """Whether the database that all runs share has a table."""
        # Asked while the lock of _connect is held.
        with self._engines.get(self.conn_string_for_shard(INDEX_SHARD_NAME)).connect() as connection:
            return bool(sqlalchemy.inspect(connection).has_table(table_name))

    def wipe(self) -> None:
        """Forget all events; their files must not be open."""
        self._engines.dispose()
        super().wipe()

    def dispose(self) -> None:
        """Close the files."""
        self._engines.dispose()
        super().dispose()


class RunStorage(SqliteRunStorage):
    """The runs."""

    def __init__(self, conn_string: str, inst_data: ConfigurableClassData | None = None) -> None:
        self._engines = _Engines()
        super().__init__(conn_string, inst_data)

    @contextmanager
    def connect(self) -> Iterator[Connection]:
        """A connection in a transaction."""
        with self._engines.get(self._conn_string).connect() as connection, connection.begin():
            yield connection

    def dispose(self) -> None:
        """Close the file."""
        self._engines.dispose()
        super().dispose()


class Storage(DagsterSqliteStorage):
    """All of it, in the folders where Dagster's own storage keeps it: either reads what the other wrote."""

    def __init__(self, base_dir: str, inst_data: ConfigurableClassData | None = None) -> None:
        super().__init__(base_dir, inst_data)
        self._run_storage = RunStorage.from_local(f"{base_dir}/history/")
        self._event_log_storage = EventLogStorage(f"{base_dir}/history/runs/")
        self._schedule_storage = SqliteScheduleStorage.from_local(f"{base_dir}/schedules")

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData, config_value: Mapping[str, Any]) -> Storage:
        """What ``dagster.yaml`` asks for."""
        return cls.from_local(inst_data=inst_data, **config_value)
