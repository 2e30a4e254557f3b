"""Writing bronze: raw records in, masked and sealed rows out, each once.

What belongs here: the order of things that makes a batch safe to write, to repeat and to be killed in. What does not:
judging records (records.py), finding those that are there already (known.py), the rows (rows.py, sealed.py), Delta
itself (storage.py).

The order: persons and keys are durable before bytes sealed with them; quarantine before bronze; and both before the
caller stores its cursor. So a kill at any moment leaves a state from which the same batch, read again, completes it.
"""

from __future__ import annotations

import gc
import hashlib
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import ColumnProperties, DeltaTable, WriterProperties
from deltalake.exceptions import CommitFailedError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.judging import Judge
from retreasure_assets.lake.known import KnownRecords
from retreasure_assets.lake.records import Judged, timestamps
from retreasure_assets.lake.rows import QUARANTINE_SCHEMA, SCHEMA, bronze_rows
from retreasure_assets.lake.sealed import BatchSealer
from retreasure_assets.lake.storage import Lake, add_actions, append, appends, explained, files
from retreasure_assets.privacy.vault import Vault

_ATTEMPTS = 5
#: Delta keeps statistics of times in whole milliseconds, cut off.
_STEP = timedelta(milliseconds=1)
_UNIQUE = ColumnProperties(dictionary_enabled=False)
_OPAQUE = ColumnProperties(dictionary_enabled=False, statistics_enabled="NONE")
_WRITER = WriterProperties(
    compression="ZSTD",
    compression_level=1,
    column_properties={
        "record_id": _UNIQUE,
        "natural_key": _UNIQUE,
        "payload_sha256": _OPAQUE,
        "payload": _OPAQUE,
        "sealed": _OPAQUE,
    },
)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch; ``records = new + duplicates + quarantined``."""

    batch_id: str
    records: int
    new: int
    duplicates: int
    quarantined: int
    bytes: int


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class _Rows:
    """Rows ready to append to one table, what they were made from, and what became of them.

    Args:
        layer: the table's layer.
        judged: the records of the batch for this table.
        read: the version of the table in which the rows were looked for; None where there was no table.
        ahead: rows of the batch before, on their way to the same table, in which they were looked for too.
        ingested_at: the rows' moment.
        table: the rows; None where nothing is new, and once they are appended.
        appended: how many were appended.
        written: the table just after.
    """

    layer: str
    judged: Judged
    read: DeltaTable | None = None
    ahead: _Rows | None = None
    ingested_at: datetime | None = None
    table: pa.Table | None = None
    appended: int = 0
    written: DeltaTable | None = None


class BronzeWriter:
    """Writes batches. For one thread; several processes may write, and never write a record twice.

    Batches go through three steps, each on a thread of its own (the first one of large inputs on a process of its
    own): judged; looked for, sealed; appended. While a batch is in one step, the next is in the step before.

    Args:
        lake: where to write.
        vault: who is who.
        clock: tells the time.
        helper: whether a process may be started for large inputs.
    """

    def __init__(self, lake: Lake, vault: Vault, *, clock: Callable[[], datetime] = _now, helper: bool = False) -> None:
        self._lake = lake
        self._vault = vault
        self._clock = clock
        self._known = KnownRecords()
        self._judge = Judge(vault.keys.pseudonyms, helper=helper)
        self._sealer = BatchSealer(vault)
        self._preparer = ThreadPoolExecutor(1, "bronze-rows")
        # Delta's writer is Rust and leaves the interpreter alone.
        self._appender = ThreadPoolExecutor(1, "bronze-delta")
        self._under_way: list[Future[BatchResult]] = []
        self._ahead: dict[str, _Rows] = {}
        #: Of lookups and seals: mostly the preparer's, but the appender repeats them when another writer was quicker.
        self._looking = threading.Lock()

    def write(self, batch: RawBatch, *, run_id: str) -> BatchResult:
        """Write what is new of a batch; durable when it returns.

        Args:
            batch: records as received.
            run_id: who writes.

        Raises:
            LakeError: the lake cannot be written; nothing of the batch is half-written.
            VaultError: the vault cannot be used.
        """
        return self.submit(batch, run_id=run_id).result()

    def submit(self, batch: RawBatch, *, run_id: str) -> Future[BatchResult]:
        """Begin to write a batch; it is durable when the future has its result, and batches become so in order.

        The future raises what ``write`` does.
        """
        _check(batch)
        # Rows are looked for in the table and in the one batch ahead, so those before that one must be in the table.
        before, self._under_way = self._under_way[:-1], self._under_way[-1:]
        judged = self._judge.submit(batch)
        prepared = self._preparer.submit(self._prepare, batch, judged, before, run_id)
        future = self._appender.submit(self._append, batch, prepared, run_id)
        self._under_way.append(future)
        return future

    def close(self) -> None:
        """Wait for what is under way, and release what lookups hold."""
        self._judge.close()
        self._preparer.shutdown()
        self._appender.shutdown()
        self._known.close()

    def _prepare(
        self,
        batch: RawBatch,
        judging: Future[tuple[Judged, Judged]],
        before: Sequence[Future[BatchResult]],
        run_id: str,
    ) -> tuple[str, list[_Rows]]:
        """The batch's id, and what is new of it for every table."""
        good, bad = judging.result()
        # An error of these is for whoever holds their future.
        wait(before)
        with _without_collector():
            batch_id = _batch_id([*good.record_ids, *bad.record_ids])
            parts = []
            for layer, judged in (("quarantine", bad), ("bronze", good)):
                ahead = self._ahead.pop(f"{layer}.{batch.entity.table}", None)
                parts.append(self._rows(batch, judged, layer, batch_id, run_id, ahead))
        # Of the batch ahead only, so that no older one is kept in memory.
        self._ahead = {f"{rows.layer}.{batch.entity.table}": rows for rows in parts if rows.table is not None}
        return batch_id, parts

    def _append(self, batch: RawBatch, prepared: Future[tuple[str, list[_Rows]]], run_id: str) -> BatchResult:
        """Append the rows of every table."""
        batch_id, parts = prepared.result()
        for rows in parts:
            self._append_rows(batch, rows, batch_id, run_id)
        quarantined, new = (rows.appended for rows in parts)
        return BatchResult(
            batch_id=batch_id,
            records=len(batch.records),
            new=new,
            duplicates=len(batch.records) - new - quarantined,
            quarantined=quarantined,
            bytes=sum(map(len, batch.records)),
        )

    def _append_rows(self, batch: RawBatch, rows: _Rows, batch_id: str, run_id: str) -> None:
        """Append to one table; when another writer got in between, look again what is new."""
        name = _table_name(batch.entity, rows.layer)
        current = _still_holds(rows)
        with explained(f"{rows.layer}.{name}"):
            for attempt in Retrying(
                retry=retry_if_exception_type(CommitFailedError),
                stop=stop_after_attempt(_ATTEMPTS),
                wait=wait_random_exponential(multiplier=0.05, max=2),
                reraise=True,
            ):
                with attempt:
                    if not current or attempt.retry_state.attempt_number > 1:
                        again = self._rows(batch, rows.judged, rows.layer, batch_id, run_id, None)
                        rows.read, rows.table, rows.ingested_at = again.read, again.table, again.ingested_at
                        current = True
                    if rows.table is not None:
                        rows.written = append(
                            self._lake,
                            rows.layer,
                            name,
                            rows.table,
                            partition_by="ingest_date",
                            writer=_WRITER,
                            metadata={"batch_id": batch_id, "run_id": run_id},
                            read=rows.read,
                        )
                        rows.appended = rows.table.num_rows
        rows.table = rows.ahead = None

    def _rows(
        self, batch: RawBatch, judged: Judged, layer: str, batch_id: str, run_id: str, ahead: _Rows | None
    ) -> _Rows:
        """What is new for one table, sealed and ready to append."""
        with self._looking:
            return self._looked_for(batch, judged, layer, batch_id, run_id, ahead)

    def _looked_for(
        self, batch: RawBatch, judged: Judged, layer: str, batch_id: str, run_id: str, ahead: _Rows | None
    ) -> _Rows:
        rows = _Rows(layer, judged, ahead=ahead)
        if not judged.places:
            return rows
        name = _table_name(batch.entity, layer)
        rows.read = self._lake.find(layer, name)
        actions = add_actions(rows.read) if rows.read is not None else None
        updated = timestamps(judged.updated, len(judged.places))
        known: set[str] = set(ahead.judged.record_ids) if ahead is not None else set()
        if actions is not None:
            known |= self._known.find(actions, files(self._lake, layer, name, actions), judged.record_ids, updated)
        fresh = judged.without(known)
        if not fresh.places:
            return rows
        if fresh is not judged:
            updated = timestamps(fresh.updated, len(fresh.places))
        owners = self._owners(batch.entity, fresh, layer)
        rows.ingested_at = self._next_moment(actions, ahead)
        rows.table = bronze_rows(
            batch,
            fresh,
            updated=updated,
            owners=owners,
            sealed=self._sealer.seal(batch, fresh, owners),
            ingested_at=rows.ingested_at,
            batch_id=batch_id,
            run_id=run_id,
            schema=SCHEMA if layer == "bronze" else QUARANTINE_SCHEMA,
        )
        return rows

    def _owners(self, entity: Entity, judged: Judged, layer: str) -> list[str | None]:
        """Each record's person, None where it is about nobody.

        Empty for an entity that is not personal, and for what cannot be read.
        """
        if not entity.personal or layer != "bronze":
            return []
        persons = iter(self._vault.resolve([identities for identities in judged.identities if identities]))
        return [next(persons) if identities else None for identities in judged.identities]

    def _next_moment(self, actions: pa.Table | None, ahead: _Rows | None) -> datetime:
        """Now, or just after the table's last batch should the clock have been set back."""
        moments = [self._clock()]
        if actions is not None and "max.ingested_at" in actions.column_names:
            last: datetime | None = pc.max(actions["max.ingested_at"]).as_py()
            moments += [last + _STEP] if last is not None else []
        if ahead is not None and ahead.ingested_at is not None:
            moments.append(ahead.ingested_at + _STEP)
        return max(moments)


def _still_holds(rows: _Rows) -> bool:
    """Whether the rows are still new and later, now that those ahead are in the table, or failed to get there.

    If so ``rows.read`` becomes a version of the table for which that is certain.
    """
    ahead = rows.ahead
    if ahead is None or rows.table is None:
        # Nothing new: unless it was thought so because of rows that then failed.
        return ahead is None or ahead.written is not None
    if ahead.written is None or not _later(rows, ahead):
        return False
    seen, theirs = appends(rows.read), appends(ahead.written)
    if seen == theirs - 1:
        # Theirs is the one append that was not seen, and they were looked for in their batch.
        rows.read = ahead.written
    return seen >= theirs - 1


def _later(rows: _Rows, ahead: _Rows) -> bool:
    return rows.ingested_at is not None and ahead.ingested_at is not None and rows.ingested_at > ahead.ingested_at


def _table_name(entity: Entity, layer: str) -> str:
    return entity.table if layer == "bronze" else f"bronze_{entity.table}"


@contextmanager
def _without_collector() -> Iterator[None]:
    """Pause the cycle collector, which would walk through a batch's objects again and again: a fifth of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _check(batch: RawBatch) -> None:
    """A batch whose lists differ in length is a connector's mistake."""
    lists = (batch.origins, batch.payloads, batch.problems)
    if any(values is not None and len(values) != len(batch.records) for values in lists):
        raise ValueError(f"a batch of {batch.entity.table} has lists of different lengths")


def _batch_id(record_ids: Sequence[str]) -> str:
    """The batch's identity: its records, in whatever order they came."""
    return hashlib.sha256("\n".join(sorted(set(record_ids))).encode()).hexdigest()[:32]
