"""Putting bad rows aside: copies of them in ``quarantine.bronze_<table>``, beside the records that could not be read.

What belongs here: the rows of these tables. What does not: who stands where (quarantine_log.py), when (gate.py).

The copies carry no sealed bytes: those stay in bronze, once, with the person's key.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import duckdb
import pyarrow as pa

from retreasure_assets.entities import Entity
from retreasure_assets.lake.appending import append, until_committed
from retreasure_assets.lake.rows import QUARANTINE_SCHEMA
from retreasure_assets.lake.storage import Lake, add_actions, explained, files
from retreasure_assets.lake.warehouse import quote, scan
from retreasure_assets.quality.quarantine_log import READABLE, Broken
from retreasure_assets.quality.result import GateResult


def put_aside(lake: Lake, entity: Entity, bad: Sequence[Mapping[str, Any]], result: GateResult) -> None:
    """Copy rows that are not there yet.

    Args:
        lake: the lake.
        entity: whose rows.
        bad: rows with ``record_id`` and ``reasons``.
        result: the evaluation that found them.

    Raises:
        LakeError: the lake cannot be read or written.
    """
    if not bad:
        return
    name = f"bronze_{entity.table}"
    reasons = {row["record_id"]: "; ".join(_told(one) for one in row["reasons"]) for row in bad}
    with explained(f"quarantine.{name}"):
        for again in until_committed(5):
            with again:
                read = lake.find("quarantine", name)
                known = _known(lake, name, set(reasons))
                wanted = {record_id: reason for record_id, reason in reasons.items() if record_id not in known}
                if not wanted:
                    return
                rows = _copies(lake, entity.table, wanted)
                append(
                    lake,
                    "quarantine",
                    name,
                    rows,
                    partition_by="ingest_date",
                    metadata={"run_id": result.run_id},
                    read=read,
                )


def refused_records(lake: Lake, table: str, since: datetime | None) -> list[dict[str, Any]]:
    """The records that could not be read, refused after a moment, as rows for the quarantine's log.

    Raises:
        LakeError: the table cannot be read.
    """
    source = relation(lake, "quarantine", f"bronze_{table}")
    if source is None:
        return []
    bound = "" if since is None else f" AND ingested_at > TIMESTAMPTZ {quote(since.isoformat())}"
    with explained(f"quarantine.bronze_{table}"), duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        answer = engine.execute(
            f"SELECT record_id, natural_key, payload_sha256, ingested_at, batch_id, reason FROM {source} "
            f"WHERE payload IS NULL{bound} ORDER BY ingested_at, record_id"
        ).fetchall()
    names = ("record_id", "natural_key", "payload_sha256", "ingested_at", "batch_id")
    return [
        {**dict(zip(names, values, strict=True)), "reasons": [Broken(READABLE, "payload", reason)]}
        for *values, reason in answer
    ]


def _told(reason: Broken) -> str:
    return f"{reason.rule} ({reason.column}{'' if reason.value is None else f': {reason.value}'})"


def _known(lake: Lake, name: str, wanted: set[str]) -> set[str]:
    source = relation(lake, "quarantine", name)
    if source is None:
        return set()
    with duckdb.connect() as engine:
        engine.register("wanted", pa.table({"record_id": pa.array(sorted(wanted), pa.string())}))
        found = engine.execute(
            f"SELECT DISTINCT record_id FROM {source} WHERE record_id IN (SELECT wanted.record_id FROM wanted)"
        ).fetchall()
    return {record_id for (record_id,) in found}


def _copies(lake: Lake, table: str, reasons: Mapping[str, str]) -> pa.Table:
    """The bronze rows, each once as it came last, without their sealed bytes, with the reason."""
    source = relation(lake, "bronze", table)
    names = [name for name in QUARANTINE_SCHEMA.names if name not in ("sealed", "reason")]
    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register(
            "wanted",
            pa.table({"record_id": pa.array(reasons, pa.string()), "reason": pa.array(reasons.values(), pa.string())}),
        )
        found = engine.sql(
            f"SELECT {', '.join(f'rows.{name}' for name in names)}, CAST(NULL AS BLOB) AS sealed, wanted.reason "
            f"FROM {source} AS rows INNER JOIN wanted ON wanted.record_id = rows.record_id "
            "QUALIFY row_number() OVER (PARTITION BY rows.record_id ORDER BY rows.ingested_at DESC) = 1"
        ).to_arrow_table()
    return found.select(QUARANTINE_SCHEMA.names).cast(QUARANTINE_SCHEMA)


def relation(lake: Lake, layer: str, name: str) -> str | None:
    """SQL of a table's rows; None where there are none."""
    found = lake.find(layer, name)
    paths = files(lake, layer, name, add_actions(found)) if found is not None else []
    return scan(sorted(paths), {"ingest_date": "DATE"}) if paths else None
