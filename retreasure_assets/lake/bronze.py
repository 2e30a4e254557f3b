"""Writing bronze: raw records in, masked and sealed rows out, each once.

What belongs here: the order of things that makes a batch safe to write, to repeat and to be killed in. What does not:
judging records (records.py), finding those that are there already (known.py), Delta itself (storage.py).

The order: persons and keys are durable before bytes sealed with them; quarantine before bronze; and both before the
caller stores its cursor. So a kill at any moment leaves a state from which the same batch, read again, completes it.
"""

from __future__ import annotations

import gc
import hashlib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from deltalake import ColumnProperties, DeltaTable, WriterProperties
from deltalake.exceptions import CommitFailedError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.known import KnownRecords
from retreasure_assets.lake.records import TIMESTAMP, Judged, RecordReader, joined, timestamps
from retreasure_assets.lake.storage import Lake, add_actions, append, explained, files
from retreasure_assets.privacy import sealing
from retreasure_assets.privacy.vault import Vault

SCHEMA = pa.schema(
    [
        ("record_id", pa.string()),
        ("source", pa.string()),
        ("entity", pa.string()),
        ("natural_key", pa.string()),
        ("source_updated_at", TIMESTAMP),
        ("payload", pa.large_string()),
        ("sealed", pa.large_binary()),
        ("payload_sha256", pa.string()),
        ("person_id", pa.string()),
        ("ingested_at", TIMESTAMP),
        ("ingest_date", pa.date32()),
        ("batch_id", pa.string()),
        ("run_id", pa.string()),
        ("origin", pa.string()),
    ]
)
QUARANTINE_SCHEMA = SCHEMA.append(pa.field("reason", pa.string()))

_ATTEMPTS = 5
_SLICE = 2_048
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


@dataclass(frozen=True, slots=True)
class _Rows:
    """Rows ready to append to one table, and what they were made from."""

    layer: str
    judged: Judged
    read: DeltaTable | None
    table: pa.Table | None


class BronzeWriter:
    """Writes batches. For one thread; several processes may write, and never write a record twice."""

    def __init__(self, lake: Lake, vault: Vault, *, clock: Callable[[], datetime] = _now) -> None:
        self._lake = lake
        self._vault = vault
        self._clock = clock
        self._known = KnownRecords()
        self._readers: dict[str, tuple[Entity, RecordReader]] = {}
        self._sealers: dict[str, sealing.Sealer] = {}
        self._unowned = AESGCM(vault.keys.unowned)
        # Delta's writer is Rust and leaves the interpreter alone: the next batch is judged meanwhile.
        self._appender = ThreadPoolExecutor(1, "bronze")
        self._under_way: Future[BatchResult] | None = None

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

        Raises:
            LakeError, VaultError: as ``write``; those of the last step come through the future.
        """
        _check(batch)
        with _without_collector():
            good, bad = self._judge(batch)
            if self._under_way is not None:
                # What is new depends on what the last batch added. Its error is for whoever holds its future.
                wait([self._under_way])
            batch_id = _batch_id([*good.record_ids, *bad.record_ids])
            parts = [
                self._rows(batch, judged, layer, batch_id, run_id)
                for layer, judged in (("quarantine", bad), ("bronze", good))
            ]
        self._under_way = self._appender.submit(self._append, batch, parts, batch_id, run_id)
        return self._under_way

    def close(self) -> None:
        """Wait for what is under way, and release what lookups hold."""
        self._appender.shutdown()
        self._known.close()

    def _judge(self, batch: RawBatch) -> tuple[Judged, Judged]:
        entity, reader = self._readers.get(batch.entity.table, (None, None))
        if reader is None or entity != batch.entity:
            reader = RecordReader(batch.entity, self._vault.keys.pseudonyms)
            self._readers[batch.entity.table] = batch.entity, reader
        return reader.read(batch)

    def _append(self, batch: RawBatch, parts: Sequence[_Rows], batch_id: str, run_id: str) -> BatchResult:
        """Append the rows of every table."""
        quarantined, new = (self._append_rows(batch, rows, batch_id, run_id) for rows in parts)
        return BatchResult(
            batch_id=batch_id,
            records=len(batch.records),
            new=new,
            duplicates=len(batch.records) - new - quarantined,
            quarantined=quarantined,
            bytes=sum(map(len, batch.records)),
        )

    def _append_rows(self, batch: RawBatch, rows: _Rows, batch_id: str, run_id: str) -> int:
        """Append to one table; when another writer got in between, look again what is new. How many rows it were."""
        name = _table_name(batch.entity, rows.layer)
        with explained(f"{rows.layer}.{name}"):
            for attempt in Retrying(
                retry=retry_if_exception_type(CommitFailedError),
                stop=stop_after_attempt(_ATTEMPTS),
                wait=wait_random_exponential(multiplier=0.05, max=2),
                reraise=True,
            ):
                with attempt:
                    if attempt.retry_state.attempt_number > 1:
                        rows = self._rows(batch, rows.judged, rows.layer, batch_id, run_id)
                    if rows.table is not None:
                        append(
                            self._lake,
                            rows.layer,
                            name,
                            rows.table,
                            partition_by="ingest_date",
                            writer=_WRITER,
                            metadata={"batch_id": batch_id, "run_id": run_id},
                            read=rows.read,
                        )
        return rows.table.num_rows if rows.table is not None else 0

    def _rows(self, batch: RawBatch, judged: Judged, layer: str, batch_id: str, run_id: str) -> _Rows:
        """What is new for one table, sealed and ready to append."""
        judged = judged.take(list({record_id: row for row, record_id in enumerate(judged.record_ids)}.values()))
        if not judged.places:
            return _Rows(layer, judged, None, None)
        name = _table_name(batch.entity, layer)
        read = self._lake.find(layer, name)
        actions = add_actions(read) if read is not None else None
        updated = timestamps(judged.updated, len(judged.places))
        known: set[str] = set()
        if read is not None and actions is not None:
            known = self._known.find(
                actions,
                files(self._lake, layer, name, actions),
                judged.record_ids,
                updated,
                latest=batch.entity.snapshot and layer == "bronze",
            )
        new = [row for row, record_id in enumerate(judged.record_ids) if record_id not in known]
        if not new:
            return _Rows(layer, judged, read, None)
        fresh = judged.take(new)
        owners = self._owners(batch.entity, fresh, layer)
        ingested_at = self._next_moment(actions)
        constants = {
            "source": batch.entity.source,
            "entity": batch.entity.name,
            "ingested_at": ingested_at,
            "ingest_date": ingested_at.date(),
            "batch_id": batch_id,
            "run_id": run_id,
        }
        varying = {
            "record_id": fresh.record_ids,
            "natural_key": fresh.natural_keys,
            "source_updated_at": updated if len(new) == len(updated) else updated.take(pa.array(new, pa.int64())),
            "payload": fresh.payloads if len(fresh.payloads) else pa.nulls(len(new), pa.large_string()),
            "sealed": self._seal(batch, fresh, owners),
            "payload_sha256": fresh.hashes,
            "person_id": owners or pa.nulls(len(new), pa.string()),
            "origin": [batch.origins[place] for place in fresh.places],
            "reason": fresh.reasons,
        }
        schema = SCHEMA if layer == "bronze" else QUARANTINE_SCHEMA
        columns = [
            pa.repeat(pa.scalar(constants[field.name], field.type), len(new))
            if field.name in constants
            else _array(varying[field.name], field.type)
            for field in schema
        ]
        return _Rows(layer, judged, read, pa.Table.from_arrays(columns, schema=schema))

    def _owners(self, entity: Entity, judged: Judged, layer: str) -> list[str]:
        """Each record's person; none for an entity that is not personal and for what cannot be read."""
        return self._vault.resolve(judged.identities) if entity.personal and layer == "bronze" else []

    def _seal(self, batch: RawBatch, judged: Judged, owners: Sequence[str]) -> pa.Array | pa.ChunkedArray:
        """The records' own bytes, sealed; null where the payload is the record itself, byte for byte."""
        readable = len(judged.payloads) > 0
        if readable and not batch.entity.personal and batch.payloads is None:
            return pa.nulls(len(judged.places), pa.large_binary())
        ciphers = self._vault.ciphers(owners)
        sealer = self._sealer(batch.entity, judged.payloads)
        sealed: list[bytes] = []
        for start in range(0, len(judged.places), _SLICE):
            places = judged.places[start : start + _SLICE]
            sealed += sealer.seal(
                [ciphers[owner] for owner in owners[start : start + _SLICE]] or [self._unowned] * len(places),
                [batch.records[place] for place in places],
                judged.record_ids[start : start + _SLICE],
            )
        return joined(sealed, pa.large_binary())

    def _sealer(self, entity: Entity, payloads: pa.ChunkedArray) -> sealing.Sealer:
        """The entity's sealer; the first batch that is large enough trains its dictionary."""
        sealer = self._sealers.get(entity.table)
        if sealer is None or (not sealer.number and len(payloads) >= sealing.MIN_SAMPLES):
            found = self._vault.dictionaries.newest(entity.table)
            if found is None and (content := sealing.train(_samples(payloads))) is not None:
                found = (self._vault.dictionaries.add(entity.table, content), content)
            dictionary = sealing.Dictionary(*found) if found else sealing.NO_DICTIONARY
            sealer = self._sealers[entity.table] = sealing.Sealer(dictionary)
        return sealer

    def _next_moment(self, actions: pa.Table | None) -> datetime:
        """Now, or just after the table's last batch should the clock have been set back."""
        now = self._clock()
        if actions is None or "max.ingested_at" not in actions.column_names:
            return now
        last: datetime | None = pc.max(actions["max.ingested_at"]).as_py()
        return now if last is None else max(now, last + _STEP)


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


def _samples(payloads: pa.ChunkedArray) -> list[bytes]:
    """Payloads from everywhere in the batch, as many as train a dictionary."""
    step = max(1, len(payloads) // sealing.MAX_SAMPLES)
    samples: list[bytes] = (
        payloads.take(pa.array(range(0, len(payloads), step), pa.int64())).cast(pa.large_binary()).to_pylist()
    )
    return samples


def _array(values: Sequence[object] | pa.Array, kind: pa.DataType) -> pa.Array:
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, kind)
