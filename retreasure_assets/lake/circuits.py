"""Circuit breakers: a source that does not answer is left alone for a while.

What belongs here: counting, and saying whether a source may be asked. What does not: single requests and their retries
(``sources.http``).

A dead API costs each of its entities a whole round of retries and time-outs, at every run. After a few transient
failures in a row its circuit opens: entities are refused at once until a cool-down has passed. Then one is let through
(half-open): if it is read, the circuit closes, else it opens for twice as long. The state is a small file per source,
as the next run is another process. It also tells when a source was last read, which the ingestion log does only of
sources that had something to give.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec
from filelock import FileLock

from retreasure_assets.errors import CircuitOpenError, SourceError
from retreasure_assets.lake.storage import Lake, explained, write_whole

#: Rounds of retries in a row that failed. Two, as one may be the fault of a single endpoint.
THRESHOLD = 2
#: Seconds after which one round is enough: a source that takes every time-out to its end would cost minutes again.
SLOW = 30.0
COOL_DOWN = timedelta(minutes=5)
#: The cool-down doubles up to this, so that an API that comes back is noticed within the hour.
LONGEST = timedelta(hours=1)


class CircuitState(StrEnum):
    """Whether a source may be asked."""

    CLOSED = "closed"
    #: It may not.
    OPEN = "open"
    #: One entity may, to find out.
    HALF_OPEN = "half-open"


class Circuit(msgspec.Struct, frozen=True):
    """What is remembered of a source.

    Args:
        failures: transient failures in a row.
        opened_at: when its circuit opened, None while it is closed.
        retry_at: when it may be asked again.
        cause: the last failure's sentence.
        error_class: the class of that failure.
        read_at: when it was last read as it should be.
    """

    failures: int = 0
    opened_at: datetime | None = None
    retry_at: datetime | None = None
    cause: str = ""
    error_class: str = ""
    read_at: datetime | None = None

    def state(self, now: datetime) -> CircuitState:
        """Its state at a moment."""
        if self.opened_at is None or self.retry_at is None:
            return CircuitState.CLOSED
        # A clock that was set back must not keep it open beyond the longest cool-down.
        waiting = now < self.retry_at <= now + LONGEST
        return CircuitState.OPEN if waiting else CircuitState.HALF_OPEN


@dataclass(frozen=True, slots=True)
class Circuits:
    """The circuits of all sources.

    Args:
        lake: whose state folder keeps them.
        now: the clock.
    """

    lake: Lake
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @contextmanager
    def guard(self, source: str) -> Iterator[None]:
        """Ask a source within the block, if it may be asked; what comes of it is remembered.

        Only transient errors count: a refused credential costs one request, and mending it must work at once.

        Raises:
            CircuitOpenError: it may not be asked now.
            LakeError: the state cannot be kept.
        """
        self._admit(source)
        try:
            yield
        except SourceError as error:
            if error.transient:
                self._failed(source, error)
            else:
                # It answered, whatever it said.
                self._answered(source, read=False)
            raise
        self._answered(source, read=True)

    def read(self, source: str) -> Circuit:
        """What is remembered of a source.

        Raises:
            LakeError: its state cannot be read.
        """
        with explained(f"The circuit of {source}"):
            try:
                return msgspec.json.decode((self.lake.state / "circuits" / f"{source}.json").read_bytes(), type=Circuit)
            except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
                # Nothing is known, or what is known is damaged: asking the source finds out.
                return Circuit()

    def _admit(self, source: str) -> None:
        with self._locked(source):
            circuit, now = self.read(source), self.now()
            state = circuit.state(now)
            if state is CircuitState.CLOSED:
                return
            if state is CircuitState.OPEN:
                raise refusal(source, circuit)
            # Whoever comes while this one finds out is refused.
            self._write(source, msgspec.structs.replace(circuit, retry_at=now + _pause(circuit)))

    def _failed(self, source: str, error: SourceError) -> None:
        with self._locked(source):
            circuit, now = self.read(source), self.now()
            after = msgspec.structs.replace(
                circuit, failures=circuit.failures + 1, cause=error.message, error_class=type(error).__name__
            )
            if after.failures >= THRESHOLD or error.seconds >= SLOW:
                after = msgspec.structs.replace(
                    after, opened_at=circuit.opened_at or now, retry_at=now + _pause(circuit)
                )
            self._write(source, after)

    def _answered(self, source: str, *, read: bool) -> None:
        with self._locked(source):
            self._write(source, Circuit(read_at=self.now() if read else self.read(source).read_at))

    def _write(self, source: str, circuit: Circuit) -> None:
        write_whole(self.lake.state / "circuits" / f"{source}.json", msgspec.json.encode(circuit))

    @contextmanager
    def _locked(self, source: str) -> Iterator[None]:
        folder = self.lake.state / "circuits"
        with explained(f"The circuit of {source}"):
            folder.mkdir(parents=True, exist_ok=True)
            lock = FileLock(folder / f"{source}.lock")
            lock.acquire()
        try:
            yield
        finally:
            lock.release()


def refusal(source: str, circuit: Circuit) -> CircuitOpenError:
    """What is to be said of an open circuit; always the same while it is open, so that it is told once."""
    since = f" since {circuit.opened_at:%Y-%m-%d %H:%M} UTC" if circuit.opened_at else ""
    return CircuitOpenError(
        f"{source} has not answered{since} and is left alone for a while. Last: {circuit.cause}",
        remedy="It is asked again by itself; nothing is lost.",
    )


def _pause(circuit: Circuit) -> timedelta:
    """How long to leave it alone: twice as long after each further failure."""
    doublings = min(max(0, circuit.failures + 1 - THRESHOLD), 8)
    pause: timedelta = COOL_DOWN * 2**doublings
    return min(pause, LONGEST)
