"""Ingesting one entity: from a connector's batches to durable bronze, cursor and log.

What belongs here: the order of reading, writing, remembering. What does not: how a source is read (sources) and how a
batch is written (bronze.py).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import chain

from retreasure_assets.entities import Connector, Entity, RawBatch, Window
from retreasure_assets.errors import LakeError, RetreasureError
from retreasure_assets.lake.bronze import BatchResult, BronzeWriter
from retreasure_assets.lake.cursors import CursorStore
from retreasure_assets.lake.helpers import HELPERS, Helpers
from retreasure_assets.lake.ingestion_log import Attempt, IngestionLog
from retreasure_assets.lake.storage import Lake, explained
from retreasure_assets.privacy.vault import Vault

#: Pages are gathered to batches of this size, as every commit costs some 50 ms and leaves a file.
BATCH_RECORDS = 60_000
BATCH_BYTES = 24 << 20
#: Batches read before the first of them is durable, as memory grows with it: one for each of them, and for each further
#: step of writing.
BATCHES_UNDER_WAY = HELPERS + 2
#: But none waits longer than this for more to come, so that a slow source's records become durable too.
BATCH_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class IngestionSummary:
    """What an ingestion read and wrote; ``records = new + duplicates + quarantined``."""

    source: str
    entity: str
    batches: int = 0
    records: int = 0
    new: int = 0
    duplicates: int = 0
    quarantined: int = 0
    bytes: int = 0
    malformed: int = 0
    seconds: float = 0.0

    def plus(self, result: BatchResult) -> IngestionSummary:
        """With one more batch."""
        return replace(
            self,
            batches=self.batches + 1,
            records=self.records + result.records,
            new=self.new + result.new,
            duplicates=self.duplicates + result.duplicates,
            quarantined=self.quarantined + result.quarantined,
            bytes=self.bytes + result.bytes,
            malformed=self.malformed + result.malformed,
        )


@dataclass(frozen=True, slots=True)
class _Pending:
    """A batch whose last step is under way."""

    batch: RawBatch
    future: Future[BatchResult]
    started_at: datetime


def ingest(
    connector: Connector,
    entity: Entity,
    *,
    lake: Lake,
    vault: Vault,
    window: Window,
    run_id: str,
    report: Callable[[BatchResult], None] | None = None,
    attempt: int = 1,
    helpers: Helpers | None = None,
) -> IngestionSummary:
    """Read what is new of one entity and write it to bronze.

    A batch is durable before its cursor is stored, so whatever ends this, the next call goes on from a cursor that
    loses nothing, and what it reads twice is written once.

    Args:
        connector: the source.
        entity: one of its entities.
        lake: where to write.
        vault: who is who.
        window: the part of history to read; open at both ends for what is new since the stored cursor.
        run_id: kept with every row and log entry.
        report: called after each batch.
        attempt: the how-manieth try this is.
        helpers: processes that judge what is large of it, and of whatever else is read meanwhile.

    Raises:
        SourceError, LakeError, VaultError: after it was logged.
    """
    log = IngestionLog(lake)
    cursors = CursorStore(lake)
    trying = Attempt(entity, window, run_id, attempt)
    began = moment = _now()
    summary = IngestionSummary(entity.source, entity.name)
    pending: deque[_Pending] = deque()

    def settle(under_way: int) -> None:
        """Wait until no more batches than that are under way, and remember of those done that they are."""
        while len(pending) > under_way:
            settle_first()

    def settle_first() -> None:
        nonlocal summary
        done = pending.popleft()
        try:
            result = done.future.result()
        except BaseException:
            # The cursors of those behind it would skip it.
            pending.clear()
            raise
        if done.batch.cursor is not None:
            cursors.save(entity, done.batch.cursor)
        log.written(trying, result, done.started_at, _now())
        summary = summary.plus(result)
        if report is not None:
            report(result)

    try:
        explicit = window.since is not None or window.until is not None
        cursor = None if explicit else cursors.load(entity)
        writer = BronzeWriter(lake, vault, helpers=helpers)
        try:
            for batch in gather(connector.batches(entity, cursor, window)):
                started_at, moment = moment, _now()
                pending.append(_Pending(batch, writer.submit(batch, run_id=run_id), started_at))
                settle(BATCHES_UNDER_WAY - 1)
        finally:
            # What was read before the source failed counts, whatever happens next.
            try:
                settle(0)
            finally:
                writer.close()
        log.flush()
    except BaseException as error:
        with suppress(LakeError):
            log.failed(trying, error, began, _now())
        raise
    return replace(summary, seconds=(_now() - began).total_seconds())


def log_refusal(
    lake: Lake, entity: Entity, error: RetreasureError, *, run_id: str, window: Window | None = None
) -> None:
    """Log an ingestion that ended before its source was asked: no rights, no credentials, another one going.

    A lake that cannot be written keeps no log; the error itself is still the caller's to report.
    """
    moment = _now()
    with suppress(LakeError), explained("The ingestion log"):
        IngestionLog(lake).failed(Attempt(entity, Window(), run_id), error, moment, moment)


def gather(batches: Iterable[RawBatch]) -> Iterator[RawBatch]:
    """Join small batches to larger ones, in order, each with the last cursor that its parts have."""
    parts: list[RawBatch] = []
    records = size = 0
    began = _now()
    try:
        for batch in batches:
            parts.append(batch)
            records += len(batch.records)
            size += sum(map(len, batch.records))
            waited = (_now() - began).total_seconds()
            if records >= BATCH_RECORDS or size >= BATCH_BYTES or waited >= BATCH_SECONDS:
                joined, parts, records, size, began = _join(parts), [], 0, 0, _now()
                yield joined
    except Exception:
        # What came before the source failed is kept, or a source that always fails late would never get on.
        if parts:
            yield _join(parts)
        raise
    if parts:
        yield _join(parts)


def _join(parts: list[RawBatch]) -> RawBatch:
    if len(parts) == 1:
        return parts[0]
    payloads = problems = None
    if any(part.payloads is not None for part in parts):
        payloads = [payload for part in parts for payload in (part.payloads or part.records)]
    if any(part.problems is not None for part in parts):
        problems = [problem for part in parts for problem in (part.problems or [None] * len(part.records))]
    cursors = [part.cursor for part in parts if part.cursor is not None]
    return RawBatch(
        entity=parts[0].entity,
        records=[*chain.from_iterable(part.records for part in parts)],
        origins=[*chain.from_iterable(part.origins for part in parts)],
        cursor=cursors[-1] if cursors else None,
        payloads=payloads,
        problems=problems,
    )


def _now() -> datetime:
    return datetime.now(UTC)
