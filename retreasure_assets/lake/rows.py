"""Bronze rows: judged and sealed records as a table in the form that every bronze table has.

What belongs here: columns. What does not: what is in them (records.py, sealed.py), and when they are written
(bronze.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import pyarrow as pa

from retreasure_assets.entities import RawBatch
from retreasure_assets.lake.columns import TIMESTAMP
from retreasure_assets.lake.records import Judged

SCHEMA = pa.schema(
    [
        ("record_id", pa.string()),
        ("source", pa.string()),
        ("entity", pa.string()),
        ("natural_key", pa.string()),
        ("source_updated_at", TIMESTAMP),
        ("payload", pa.string()),
        ("sealed", pa.binary()),
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


def bronze_rows(
    batch: RawBatch,
    judged: Judged,
    *,
    owners: Sequence[str | None],
    sealed: pa.Array | pa.ChunkedArray,
    ingested_at: datetime,
    batch_id: str,
    run_id: str,
    schema: pa.Schema,
) -> pa.Table:
    """Records as rows.

    Args:
        batch: what was received.
        judged: the records of it to write.
        owners: the person of each, or nothing.
        sealed: the own bytes of each, sealed, null where the payload is the record.
        ingested_at: the batch's moment, UTC.
        batch_id: the batch.
        run_id: who writes.
        schema: the columns, ``SCHEMA`` or ``QUARANTINE_SCHEMA``.
    """
    count = len(judged.places)
    constants = {
        "source": batch.entity.source,
        "entity": batch.entity.name,
        "ingested_at": ingested_at,
        "ingest_date": ingested_at.date(),
        "batch_id": batch_id,
        "run_id": run_id,
    }
    varying = {
        "record_id": judged.record_ids,
        "natural_key": judged.natural_keys,
        "source_updated_at": judged.updated,
        "payload": judged.payloads if len(judged.payloads) else pa.nulls(count, pa.string()),
        "sealed": sealed,
        "payload_sha256": judged.hashes,
        "person_id": owners or pa.nulls(count, pa.string()),
        "origin": batch.origins if count == len(batch.origins) else [batch.origins[place] for place in judged.places],
        "reason": judged.reasons,
    }
    columns = [
        pa.repeat(pa.scalar(constants[field.name], field.type), count)
        if field.name in constants
        else _array(varying[field.name], field.type)
        for field in schema
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def _array(values: Sequence[object] | pa.Array | pa.ChunkedArray, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    return values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, kind)
