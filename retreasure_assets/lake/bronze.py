"""Writing bronze: raw records in, masked and sealed rows out, each once.

What belongs here: the order of things that makes a batch safe to write, to repeat and to be killed in. What does not:
judging records (judging.py, records.py), what is new of them (new_rows.py), Delta itself (storage.py).

The order: persons and keys are durable before bytes sealed with them; quarantine before bronze; and both before the
caller stores its cursor. So a kill at any moment leaves a state from which the same batch, read again, completes it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain

import numpy as np
import pyarrow as pa

from retreasure_assets.collector import without_collector
from retreasure_assets.entities import RawBatch
from retreasure_assets.lake.appending import OpenTables, append, until_committed
from retreasure_assets.lake.delta_files import FileFormat
from retreasure_assets.lake.helpers import Helpers
from retreasure_assets.lake.judging import Judge
from retreasure_assets.lake.new_rows import Lookup, NewRows, still_holds, table_name
from retreasure_assets.lake.records import ID_DIGITS, Judged
from retreasure_assets.lake.storage import Lake, explained
from retreasure_assets.privacy.vault import Vault

_ATTEMPTS = 5
_WORD = np.dtype("<u8")
_LAYOUT = FileFormat(
    unique=frozenset({"record_id", "natural_key", "origin"}),
    opaque=frozenset({"payload_sha256", "payload", "sealed"}),
    random=frozenset({"sealed"}),
)


@dataclass(frozen=True, slots=True)
class BatchResult:
    """What became of a batch; ``records = new + duplicates + quarantined``.

    ``malformed`` counts those that cannot be read, also the ones that are in quarantine from before.
    """

    batch_id: str
    records: int
    new: int
    duplicates: int
    quarantined: int
    bytes: int
    malformed: int = 0


def utc_now() -> datetime:
    """The default clock."""
    return datetime.now(UTC)


class BronzeWriter:
    """Writes batches. For one thread; several processes may write, and never write a record twice.

    Batches go through three steps, each on a thread of its own (the first one of large inputs on other
    processes): judged; looked for, sealed; appended. While a batch is in one step, the next is in the step before.

    Args:
        lake: where to write.
        vault: who is who.
        clock: tells the time.
        helpers: processes for large inputs, which other writers may use too.
    """

    def __init__(
        self, lake: Lake, vault: Vault, *, clock: Callable[[], datetime] = utc_now, helpers: Helpers | None = None
    ) -> None:
        self._lake = lake
        self._lookup = Lookup(lake, vault, clock)
        self._tables = OpenTables(lake)
        self._judge = Judge(vault.keys.judging, self._lookup.dictionary, helpers)
        self._preparer = ThreadPoolExecutor(1, "bronze-rows")
        # Arrow's writer and Delta's leave the interpreter alone.
        self._appender = ThreadPoolExecutor(1, "bronze-delta")
        self._under_way: list[Future[BatchResult]] = []
        self._ahead: dict[str, NewRows] = {}

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
        """Wait for what is under way, and release what it held."""
        self._preparer.shutdown()
        self._judge.close()
        self._appender.shutdown()
        self._lookup.close()
        # Arrow keeps what batches took, after a million records some 140 MB, while the engine builds beside it.
        pa.default_memory_pool().release_unused()

    def _prepare(
        self,
        batch: RawBatch,
        judging: Future[tuple[Judged, Judged]],
        before: Sequence[Future[BatchResult]],
        run_id: str,
    ) -> tuple[str, list[NewRows]]:
        """The batch's id, and what is new of it for every table."""
        self._judge.hurried = not judging.done()
        good, bad = judging.result()
        # An error of these is for whoever holds their future.
        wait(before)
        with without_collector():
            batch_id = _batch_id(good.record_ids, bad.record_ids)
            parts = []
            for layer, judged in (("quarantine", bad), ("bronze", good)):
                ahead = self._ahead.pop(f"{layer}.{batch.entity.table}", None)
                parts.append(self._lookup.find(batch, judged, layer, batch_id, run_id, ahead))
        # Of the batch ahead only, so that no older one is kept in memory.
        self._ahead = {f"{rows.layer}.{batch.entity.table}": rows for rows in parts if rows.table is not None}
        return batch_id, parts

    def _append(self, batch: RawBatch, prepared: Future[tuple[str, list[NewRows]]], run_id: str) -> BatchResult:
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
            malformed=len(parts[0].judged.record_ids),
        )

    def _append_rows(self, batch: RawBatch, rows: NewRows, batch_id: str, run_id: str) -> None:
        """Append to one table; when another writer got in between, look again what is new."""
        name = table_name(batch.entity, rows.layer)
        current = still_holds(rows)
        with explained(f"{rows.layer}.{name}"):
            for attempt in until_committed(_ATTEMPTS):
                with attempt:
                    if not current or attempt.retry_state.attempt_number > 1:
                        again = self._lookup.find(batch, rows.judged, rows.layer, batch_id, run_id, None)
                        rows.seen, rows.table, rows.ingested_at = again.seen, again.table, again.ingested_at
                        current = True
                    if rows.table is not None:
                        append(
                            self._lake,
                            rows.layer,
                            name,
                            rows.table,
                            partition_by="ingest_date",
                            metadata={"batch_id": batch_id, "run_id": run_id},
                            read=self._tables.seen(rows.layer, name, rows.seen),
                            number=rows.seen,
                            layout=_LAYOUT,
                        )
                        rows.appended, rows.number = rows.table.num_rows, rows.seen + 1
        # The next batch looks for its records among these; more of them need not stay in memory.
        rows.table, rows.ahead, rows.judged = None, None, Judged(record_ids=rows.judged.record_ids)


def _check(batch: RawBatch) -> None:
    """A batch whose lists differ in length is a connector's mistake."""
    lists = (batch.origins, batch.payloads, batch.problems)
    if any(values is not None and len(values) != len(batch.records) for values in lists):
        raise ValueError(f"a batch of {batch.entity.table} has lists of different lengths")


def _batch_id(*record_ids: pa.ChunkedArray) -> str:
    """The batch's identity: its records, in whatever order they came.

    As record ids are hashes of one width, their sum tells which they are, in a sixth of the time of sorting them.
    """
    total = np.zeros(ID_DIGITS // _WORD.itemsize, _WORD)
    for part in chain.from_iterable(ids.chunks for ids in record_ids):
        text = part.cast(pa.binary()).cast(pa.binary(ID_DIGITS))
        words = np.frombuffer(text.buffers()[1] or b"", _WORD).reshape(-1, len(total))
        total += words[text.offset : text.offset + len(text)].sum(axis=0, dtype=_WORD)
    return hashlib.sha256(total.tobytes()).hexdigest()[:32]
