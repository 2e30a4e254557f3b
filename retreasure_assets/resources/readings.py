"""Sources read side by side, ahead of the steps that report them.

What belongs here: threads, and handing over what they did. What does not: reading, and Dagster.

Dagster's in-process executor runs one step after the other; several processes would cost it half a minute. So the
first step of a run has all sources begin, one thread for each, and every step then waits for its own entity only:
the slowest source bounds the time, and a source that fails stops no other.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, InvalidStateError, wait
from contextlib import suppress
from typing import Any, Generic, TypeVar

from retreasure_assets.entities import Connector, Cursor, Entity, RawBatch, Window
from retreasure_assets.errors import AlreadyRunningError, TransientSourceError

T = TypeVar("T")

#: Sources that are read at a time: each holds a batch or two in memory.
_AT_ONCE = 8
#: Seconds to wait, when a run is stopped, for threads to finish the batch they are at.
_PATIENCE = 10.0


class Readings(Generic[T]):
    """The readings of one run at a time. Empty until the first one begins."""

    def __init__(self) -> None:
        self._run_id = ""
        #: All that this run began, and those that nobody has asked for yet.
        self._begun: Mapping[str, Future[T | None]] = {}
        self._futures: dict[str, Future[T | None]] = {}
        self._threads: list[threading.Thread] = []
        self._stopped = threading.Event()
        self._lock = threading.Lock()

    def begin(self, run_id: str, plan: Mapping[str, Sequence[tuple[str, Callable[[], T]]]]) -> None:
        """Begin to read, unless this run has begun already.

        Args:
            run_id: the run.
            plan: source -> its tables in order, each with what reads it.
        """
        with self._lock:
            if run_id == self._run_id:
                return
            self._run_id = run_id
            self._stopped = threading.Event()
            self._begun = {table: Future() for tables in plan.values() for table, _ in tables}
            self._futures = dict(self._begun)
        waiting: queue.SimpleQueue[Sequence[tuple[str, Callable[[], T]]]] = queue.SimpleQueue()
        for tables in plan.values():
            waiting.put(tables)
        count = min(_AT_ONCE, len(plan))
        # Daemons: a process that is told to end does not wait for a source that has asked for two minutes' patience.
        self._threads = [
            threading.Thread(
                target=self._work, args=(waiting, self._futures, self._stopped), name=f"reading-{number}", daemon=True
            )
            for number in range(count)
        ]
        for thread in self._threads:
            thread.start()

    def result(self, run_id: str, table: str) -> T | None:
        """What came of reading a table, once; None when it is for the caller to read.

        Raises:
            Whatever reading it raised.
        """
        future = self._futures.pop(table, None) if run_id == self._run_id else None
        if future is None:
            return None
        try:
            return future.result()
        except BaseException:
            if not future.done():
                self.stop()
            raise

    def wait_for(self, run_id: str, tables: Collection[str]) -> None:
        """Wait until this run has done with some tables, well or not; those that it does not read are done with."""
        if run_id == self._run_id:
            wait([future for table, future in self._begun.items() if table in tables])

    def stop(self) -> None:
        """End the threads after the batch they are at; nobody waits for what they then leave undone."""
        self._stopped.set()
        for thread in self._threads:
            thread.join(_PATIENCE)
        for table, future in self._begun.items():
            if not future.done():
                with suppress(InvalidStateError):
                    future.set_exception(_stopped(table))

    def stoppable(self, connector: Connector) -> Connector:
        """The connector, which reads no further batch once the run is stopped."""
        return _Stoppable(connector, self._stopped)

    @staticmethod
    def _work(
        waiting: queue.SimpleQueue[Sequence[tuple[str, Callable[[], T]]]],
        futures: Mapping[str, Future[T | None]],
        stopped: threading.Event,
    ) -> None:
        futures = dict(futures)
        while not stopped.is_set():
            try:
                tables = waiting.get_nowait()
            except queue.Empty:
                return
            for table, read in tables:
                future = futures[table]
                if stopped.is_set():
                    return
                # Whoever was waiting may have been told already that this was stopped.
                with suppress(InvalidStateError):
                    try:
                        future.set_result(read())
                    except AlreadyRunningError:
                        # Another run is at this table: its step waits for that one's place in Dagster's queue.
                        future.set_result(None)
                    except InvalidStateError:
                        raise
                    except BaseException as error:  # noqa: BLE001 (handed over to whoever waits for it)
                        future.set_exception(error)


class _Stoppable:
    """A connector that another thread can stop between two batches."""

    def __init__(self, connector: Connector, stopped: threading.Event) -> None:
        self._connector = connector
        self._stopped = stopped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._connector, name)

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """See Connector."""
        for batch in self._connector.batches(entity, cursor, window):
            yield batch
            if self._stopped.is_set():
                raise _stopped(entity.table)


def _stopped(table: str) -> TransientSourceError:
    return TransientSourceError(f"The reading of {table} was stopped.", remedy="Run again.")
