"""The ingestion log ``ops.ingestion_log``: what was read, when, and how it went.

What belongs here: the table. What does not: deciding what to read (ingest.py). It holds no personal data: errors are
those sentences that a person may see anyway, others are named by their class only.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime

import pyarrow as pa
from deltalake import DeltaTable

from retreasure_assets.entities import Entity, Window
from retreasure_assets.errors import RetreasureError
from retreasure_assets.lake.appending import append, until_committed
from retreasure_assets.lake.bronze import BatchResult
from retreasure_assets.lake.columns import TIMESTAMP
from retreasure_assets.lake.storage import Lake, explained

LAYER, TABLE = "ops", "ingestion_log"
#: Rows wait for others so long.
_SECONDS = 2.0
SCHEMA = pa.schema(
    [
        ("log_id", pa.string()),
        ("batch_id", pa.string()),
        ("run_id", pa.string()),
        ("source", pa.string()),
        ("entity", pa.string()),
        ("window_since", TIMESTAMP),
        ("window_until", TIMESTAMP),
        ("records", pa.int64()),
        ("new", pa.int64()),
        ("duplicates", pa.int64()),
        ("quarantined", pa.int64()),
        ("bytes", pa.int64()),
        ("status", pa.string()),
        ("error_class", pa.string()),
        ("error_message", pa.string()),
        ("attempt", pa.int32()),
        ("started_at", TIMESTAMP),
        ("finished_at", TIMESTAMP),
        ("duration_seconds", pa.float64()),
        ("log_date", pa.date32()),
    ]
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """What is being read, by whom, for the how-manieth time."""

    entity: Entity
    window: Window
    run_id: str
    attempt: int = 1


class IngestionLog:
    """Appends to the log, the rows of several batches in one commit where they come quickly: a commit costs as much CPU
    as a thousand records.

    A batch's row is durable a few seconds after the batch, or when the next one comes, and at the latest once
    ``failed`` or ``flush`` returns. So a kill loses the rows of the last batches at most, of which bronze itself tells:
    its commits carry their ``batch_id`` and ``run_id``.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._waiting: list[dict[str, object]] = []
        self._flushed = time.monotonic()
        #: The table after the last entry, which spares reading its log again.
        self._table: DeltaTable | None = None

    def written(self, attempt: Attempt, result: BatchResult, started_at: datetime, finished_at: datetime) -> None:
        """Log a batch, soon.

        Raises:
            LakeError: the log cannot be written.
        """
        self._add(
            attempt,
            started_at,
            finished_at,
            status="ok",
            batch_id=result.batch_id,
            records=result.records,
            new=result.new,
            duplicates=result.duplicates,
            quarantined=result.quarantined,
            bytes=result.bytes,
        )
        if time.monotonic() - self._flushed >= _SECONDS:
            self.flush()

    def failed(self, attempt: Attempt, error: BaseException, started_at: datetime, finished_at: datetime) -> None:
        """Log what ended an ingestion.

        Raises:
            LakeError: the log cannot be written.
        """
        message = str(error) if isinstance(error, RetreasureError) else "The run ended unexpectedly."
        self._add(
            attempt,
            started_at,
            finished_at,
            status="failed",
            error_class=type(error).__name__,
            error_message=message,
            records=0,
            new=0,
            duplicates=0,
            quarantined=0,
            bytes=0,
        )
        self.flush()

    def _add(self, attempt: Attempt, started_at: datetime, finished_at: datetime, **values: object) -> None:
        row: dict[str, object] = {
            "log_id": uuid.uuid4().hex,
            "run_id": attempt.run_id,
            "source": attempt.entity.source,
            "entity": attempt.entity.name,
            "window_since": attempt.window.since,
            "window_until": attempt.window.until,
            "attempt": attempt.attempt,
            "started_at": started_at,
            "finished_at": finished_at,
            "duration_seconds": (finished_at - started_at).total_seconds(),
            "log_date": finished_at.date(),
        } | values
        self._waiting.append(row)

    def flush(self) -> None:
        """Append the rows that wait.

        Raises:
            LakeError: the log cannot be written.
        """
        if not self._waiting:
            return
        rows = pa.Table.from_pylist(self._waiting, schema=SCHEMA)
        with explained(f"{LAYER}.{TABLE}"):
            for again in until_committed():
                with again:
                    read, self._table = self._table or self._lake.find(LAYER, TABLE), None
                    self._table = append(
                        self._lake,
                        LAYER,
                        TABLE,
                        rows,
                        partition_by="log_date",
                        metadata={"run_id": str(self._waiting[0]["run_id"])},
                        read=read,
                    )
        self._waiting, self._flushed = [], time.monotonic()


def last_news(lake: Lake, since: datetime) -> dict[str, datetime]:
    """Source -> when it last had something new.

    Args:
        lake: whose log is asked.
        since: how far back to look.

    Raises:
        LakeError: the log cannot be read.
    """
    return _latest(lake, since, [("new", ">", 0)])


def last_successes(lake: Lake, since: datetime) -> dict[str, datetime]:
    """Source -> when a batch of it was last written, new or not; see ``last_news``."""
    return _latest(lake, since, [])


def _latest(lake: Lake, since: datetime, more: list[tuple[str, str, object]]) -> dict[str, datetime]:
    with explained(f"{LAYER}.{TABLE}"):
        table = lake.find(LAYER, TABLE)
        if table is None:
            return {}
        bounds = [("log_date", ">=", since.date()), ("status", "=", "ok"), *more]
        rows = table.to_pyarrow_table(columns=["source", "finished_at"], filters=bounds)
        latest = rows.group_by("source").aggregate([("finished_at", "max")]).to_pylist()
    return {row["source"]: row["finished_at_max"].astimezone(UTC) for row in latest}
