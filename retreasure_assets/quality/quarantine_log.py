"""The quarantine's log ``ops.quarantine_log``: what was kept out, and what became of it.

What belongs here: the table of events and what stands after them. What does not: deciding what is bad (gate.py) or what
to do about it (workplace.py). Rows themselves are in ``quarantine.*``; here are their ids and reasons, values masked.

An entry is one record of one dataset. It is open from its first event on, and ends as replayed, discarded or closed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

import msgspec
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from deltalake import DeltaTable

from retreasure_assets.lake.appending import append, until_committed
from retreasure_assets.lake.columns import TIMESTAMP
from retreasure_assets.lake.storage import Lake, add_actions, explained, files

LAYER, TABLE = "ops", "quarantine_log"
SCHEMA = pa.schema(
    [
        ("entry_id", pa.string()),
        ("dataset", pa.string()),
        ("bronze_table", pa.string()),
        ("record_id", pa.string()),
        ("natural_key", pa.string()),
        ("content", pa.string()),
        ("seen_at", TIMESTAMP),
        ("status", pa.string()),
        ("reasons", pa.string()),
        ("suite_version", pa.string()),
        ("batch_id", pa.string()),
        ("run_id", pa.string()),
        ("who", pa.string()),
        ("why", pa.string()),
        ("at", TIMESTAMP),
        ("log_date", pa.date32()),
    ]
)


#: The rule that a record which cannot be read breaks.
READABLE = "readable"


class Lifecycle(StrEnum):
    """Where an entry stands."""

    OPEN = "open"
    REPLAYED = "replayed"
    DISCARDED = "discarded"
    #: The source sent the record again, in good form.
    CLOSED = "closed"


class Broken(msgspec.Struct, frozen=True):
    """A rule that a row breaks: its name, the column, and the masked value that breaks it."""

    rule: str
    column: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """An event of an entry, or how it stands after the last one.

    Args:
        dataset: the dataset that the row is kept out of.
        bronze_table: the table of its record.
        record_id: the bronze record, or the refused one.
        natural_key: the source's key; None where it could not be read.
        content: digest of the record's own bytes.
        seen_at: when bronze received it.
        status: how it stands.
        reasons: the rules it breaks.
        suite_version: the suite that says so.
        batch_id: the batch it came in.
        run_id: the run that wrote the event.
        who: the person who decided; None where nobody had to.
        why: their reason.
        at: when the event was.
        opened_at: when the entry's first event was.
    """

    dataset: str
    bronze_table: str
    record_id: str
    natural_key: str | None
    content: str | None
    seen_at: datetime
    status: Lifecycle
    reasons: Sequence[Broken]
    suite_version: str
    batch_id: str
    run_id: str
    at: datetime
    who: str | None = None
    why: str | None = None
    opened_at: datetime | None = None

    @property
    def entry_id(self) -> str:
        """Twelve hex digits that name it: a record of bronze, or what is known by its key in silver."""
        name = self.record_id if self.in_bronze else self.natural_key
        return hashlib.sha256(f"{self.dataset}\n{name}".encode()).hexdigest()[:12]

    @property
    def in_bronze(self) -> bool:
        """Whether the gate of bronze keeps it out, and not a rule of silver."""
        return self.dataset.startswith("bronze.")

    @property
    def is_readable(self) -> bool:
        """Whether its record could be read; where not, no bronze table has it."""
        return all(reason.rule != READABLE for reason in self.reasons)

    def ended(self, status: Lifecycle, *, run_id: str, at: datetime, why: str, who: str | None = None) -> Entry:
        """The event that ends it."""
        return replace(self, status=status, run_id=run_id, at=at, why=why, who=who)


class QuarantineLog:
    """Reads and appends."""

    def __init__(self, lake: Lake) -> None:
        self._lake = lake

    def version(self) -> int:
        """The log's version, -1 where there is none."""
        found = self._lake.find(LAYER, TABLE)
        return -1 if found is None else found.version()

    def entries(self, dataset: str | None = None) -> list[Entry]:
        """How every entry stands, in the order they were opened.

        Args:
            dataset: only that one's.

        Raises:
            LakeError: the log cannot be read.
        """
        found = self._lake.find(LAYER, TABLE)
        if found is None:
            return []
        with explained(f"{LAYER}.{TABLE}"):
            events = _read(self._lake, found)
        if dataset is not None:
            events = events.filter(pc.equal(events["dataset"], dataset))
        latest: dict[str, Entry] = {}
        for row in events.sort_by([("at", "ascending")]).to_pylist():
            before = latest.get(row["entry_id"])
            entry = _entry(row)
            opened = before.opened_at if before is not None else entry.at
            latest[row["entry_id"]] = replace(entry, opened_at=opened)
        return sorted(latest.values(), key=lambda entry: (entry.opened_at or entry.at, entry.entry_id))

    def add(self, events: Iterable[Entry]) -> None:
        """Append events in one commit.

        Raises:
            LakeError: the log cannot be written.
        """
        rows = pa.Table.from_pylist([_row(entry) for entry in events], schema=SCHEMA)
        if not rows.num_rows:
            return
        with explained(f"{LAYER}.{TABLE}"):
            for again in until_committed():
                with again:
                    append(
                        self._lake,
                        LAYER,
                        TABLE,
                        rows,
                        partition_by="log_date",
                        metadata={},
                        read=self._lake.find(LAYER, TABLE),
                    )


def _read(lake: Lake, table: DeltaTable) -> pa.Table:
    names = [name for name in SCHEMA.names if name != "log_date"]
    parts = [
        pq.read_table(path, columns=names, partitioning=None) for path in files(lake, LAYER, TABLE, add_actions(table))
    ]
    return pa.concat_tables(parts) if parts else pa.schema([SCHEMA.field(name) for name in names]).empty_table()


def _entry(row: dict[str, object]) -> Entry:
    values = {name: row[name] for name in SCHEMA.names if name not in ("entry_id", "log_date", "reasons", "status")}
    reasons = msgspec.json.decode(str(row["reasons"]), type=list[Broken])
    return Entry(status=Lifecycle(str(row["status"])), reasons=reasons, **values)  # type: ignore[arg-type]


def _row(entry: Entry) -> dict[str, object]:
    return {
        "entry_id": entry.entry_id,
        "dataset": entry.dataset,
        "bronze_table": entry.bronze_table,
        "record_id": entry.record_id,
        "natural_key": entry.natural_key,
        "content": entry.content,
        "seen_at": entry.seen_at,
        "status": entry.status.value,
        "reasons": msgspec.json.encode(list(entry.reasons)).decode(),
        "suite_version": entry.suite_version,
        "batch_id": entry.batch_id,
        "run_id": entry.run_id,
        "who": entry.who,
        "why": entry.why,
        "at": entry.at,
        "log_date": entry.at.date(),
    }
