"""The quarantine as a workplace: what is kept out, and what people decide about it.

What belongs here: listing, showing, replaying, discarding, and the end of retention. What does not: finding bad rows
(gate.py, silver_rules.py), printing.

A replayed row goes into the flow as if it came now: a copy with a new time of ingestion takes the place of the bronze
row in what models see (lake/admission.py), so that it counts once, and bronze itself stays as received.
"""

from __future__ import annotations

import getpass
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pyarrow as pa

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.errors import ConfigurationError
from retreasure_assets.lake.admission import REPLAYED
from retreasure_assets.lake.appending import append
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.rows import SCHEMA
from retreasure_assets.lake.storage import Lake, explained
from retreasure_assets.lake.warehouse import quote
from retreasure_assets.privacy.sealing import Unsealer
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.quality import evaluation
from retreasure_assets.quality.aside import relation
from retreasure_assets.quality.quarantine_log import Entry, Lifecycle, QuarantineLog
from retreasure_assets.quality.suite import Suite
from retreasure_assets.quality.verdict import KEPT

_STEP = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Replay:
    """What came of replaying an entry: whether it went into the flow, and why not."""

    entry: Entry
    done: bool
    told: str


class Workplace:
    """What people do about rows in quarantine. For one thread; hold the warehouse's lock while replaying.

    Args:
        lake: the lake.
        entities: every entity by bronze table.
        api_tables: bronze tables whose records are JSON as received, and so can be read again from their own bytes.
        vault: opens the privacy vault, when sealed bytes have to be read again.
        suite: the suite of a bronze table as it is now.
    """

    def __init__(
        self,
        lake: Lake,
        entities: Mapping[str, Entity],
        api_tables: Collection[str],
        vault: Callable[[], Vault],
        suite: Callable[[str], Suite],
    ) -> None:
        self._lake = lake
        self._entities = entities
        self._api_tables = api_tables
        self._vault = vault
        self._suite = suite
        self._log = QuarantineLog(lake)

    def entries(self, *, status: Lifecycle | None = None, dataset: str | None = None) -> list[Entry]:
        """Entries, oldest first.

        Raises:
            LakeError: the log cannot be read.
        """
        return [entry for entry in self._log.entries(dataset) if status is None or entry.status is status]

    def find(self, ids: Iterable[str]) -> list[Entry]:
        """The entries of some ids, or of what ids begin with.

        Raises:
            ConfigurationError: an id names no entry, or more than one.
        """
        entries, found = self._log.entries(), []
        for wanted in ids:
            some = [entry for entry in entries if entry.entry_id.startswith(wanted)]
            if len(some) != 1:
                raise ConfigurationError(
                    f"{wanted} names {'no entry' if not some else f'{len(some)} entries'} of the quarantine.",
                    remedy="See `retreasure quarantine list --status all` for their ids.",
                )
            found += some
        return found

    def payload(self, entry: Entry) -> str | None:
        """The masked record that an entry is about; None where it could not be read.

        Raises:
            LakeError: the lake cannot be read.
        """
        rows = self._rows("bronze", entry.bronze_table, [entry.record_id], ["payload"])
        return rows[0]["payload"] if rows else None

    def replay(self, entries: Sequence[Entry], run_id: str) -> list[Replay]:
        """Put entries back into the flow: those that keep today's rules, or that silver has yet to judge anew.

        Raises:
            LakeError, VaultError: the lake or the vault cannot be used.
        """
        outcomes: list[Replay] = []
        ready: dict[str, list[Entry]] = {}
        for entry in entries:
            refusal = self._refusal(entry)
            if refusal is not None:
                outcomes.append(Replay(entry, False, refusal))
            elif not entry.is_readable:
                outcomes.append(self._read_again(entry, run_id))
            else:
                ready.setdefault(entry.bronze_table, []).append(entry)
        for table, some in ready.items():
            outcomes += self._release(table, some, run_id)
        return outcomes

    def discard(self, entries: Sequence[Entry], *, why: str, run_id: str) -> None:
        """Note that entries are of no use, who says so, and why.

        Raises:
            ConfigurationError: an entry has ended already.
        """
        for entry in entries:
            if entry.status is not Lifecycle.OPEN:
                raise ConfigurationError(
                    f"{entry.entry_id} is {entry.status.value} already.", remedy="Only open entries can be discarded."
                )
        now = datetime.now(UTC)
        self._log.add(entry.ended(Lifecycle.DISCARDED, run_id=run_id, at=now, who=_who(), why=why) for entry in entries)

    def forget(self, days: int) -> int:
        """Remove rows whose entries ended more than so many days ago; the log keeps their ids and reasons.

        Returns:
            How many rows went.

        Raises:
            LakeError: a table cannot be written.
        """
        limit = datetime.now(UTC) - timedelta(days=days)
        ended: dict[str, list[str]] = {}
        for entry in self._log.entries():
            if entry.in_bronze and entry.status is not Lifecycle.OPEN and entry.at < limit:
                ended.setdefault(f"bronze_{entry.bronze_table}", []).append(entry.record_id)
        gone = 0
        for name, record_ids in ended.items():
            if not self._rows("quarantine", name.removeprefix("bronze_"), record_ids, ["record_id"], prefix="bronze_"):
                continue
            table = self._lake.table("quarantine", name)
            with explained(f"quarantine.{name}"):
                listed = ", ".join(quote(record_id) for record_id in record_ids)
                gone += int(table.delete(f"record_id IN ({listed})")["num_deleted_rows"])
        return gone

    def _refusal(self, entry: Entry) -> str | None:
        if entry.status is not Lifecycle.OPEN:
            return f"it is {entry.status.value} already"
        if entry.bronze_table not in self._entities or not entry.record_id:
            return "no record of bronze stands behind it: correct the rule, and the next run judges it anew"
        if not entry.is_readable and entry.bronze_table not in self._api_tables:
            return "it came in a file: correct the file or its mapping, and the next run reads it again"
        return None

    def _release(self, table: str, entries: Sequence[Entry], run_id: str) -> list[Replay]:
        """Copy rows that keep today's rules into the flow."""
        still = self._still_broken(table, [entry.record_id for entry in entries if entry.in_bronze])
        free = [entry for entry in entries if entry.record_id not in still]
        moment = self._write(table, [entry.record_id for entry in free]) if free else datetime.now(UTC)
        who = _who()
        self._log.add(
            entry.ended(Lifecycle.REPLAYED, run_id=run_id, at=moment, who=who, why="replayed") for entry in free
        )
        return [
            Replay(entry, True, "goes on with the next run")
            if entry.record_id not in still
            else Replay(entry, False, f"it still breaks {still[entry.record_id]}")
            for entry in entries
        ]

    def _still_broken(self, table: str, record_ids: Sequence[str]) -> dict[str, str]:
        """Records that break a rule of the suite as it is now, and which."""
        source = relation(self._lake, "bronze", table)
        if source is None or not record_ids:
            return {}
        suite = self._suite(table)
        with explained(f"bronze.{table}"), duckdb.connect() as engine:
            engine.execute("SET TimeZone = 'UTC'")
            rows = f"(SELECT * FROM {source} WHERE record_id IN ({', '.join(map(quote, record_ids))}))"
            evaluation.split(engine, suite, rows, KEPT)
            found = engine.execute(
                f"SELECT record_id, broken[1] FROM {evaluation.BATCH} WHERE len(broken) > 0"
            ).fetchall()
        return {record_id: suite.rules[index].name for record_id, index in found}

    def _write(self, table: str, record_ids: Sequence[str]) -> datetime:
        """Copy bronze rows to where models see them as new; returns their moment."""
        source = relation(self._lake, "bronze", table)
        columns = ", ".join(name for name in SCHEMA.names if name not in ("sealed", "ingested_at", "ingest_date"))
        with explained(f"bronze.{table}"), duckdb.connect() as engine:
            engine.execute("SET TimeZone = 'UTC'")
            newest = engine.execute(f"SELECT max(ingested_at) FROM {source}").fetchone()
            moment = max(datetime.now(UTC), newest[0] + _STEP if newest and newest[0] else datetime.now(UTC))
            rows = engine.execute(
                f"SELECT {columns} FROM {source} WHERE record_id IN ({', '.join(map(quote, record_ids))}) "
                "QUALIFY row_number() OVER (PARTITION BY record_id ORDER BY ingested_at DESC) = 1"
            ).fetchall()
            names = [column[0] for column in engine.description]
        values = [
            {**dict(zip(names, row, strict=True)), "ingested_at": moment, "ingest_date": moment.date()} for row in rows
        ]
        with explained(".".join(REPLAYED)):
            append(
                self._lake,
                *REPLAYED,
                pa.Table.from_pylist(values, schema=SCHEMA),
                partition_by="ingest_date",
                metadata={},
                read=self._lake.find(*REPLAYED),
            )
        return moment

    def _read_again(self, entry: Entry, run_id: str) -> Replay:
        """Read a record that could not be read from its own bytes, as the platform reads it now."""
        vault, entity = self._vault(), self._entities[entry.bronze_table]
        wanted = ["record_id", "sealed", "origin"]
        rows = self._rows("quarantine", entry.bronze_table, [entry.record_id], wanted, prefix="bronze_")
        if not rows or rows[0]["sealed"] is None:
            return Replay(entry, False, "its bytes are no longer kept")
        unsealer = Unsealer(vault.dictionaries.all())
        record = unsealer.unseal(vault.keys.unowned, rows[0]["sealed"], entry.record_id)
        writer = BronzeWriter(self._lake, vault)
        try:
            written = writer.write(RawBatch(entity, [record], [rows[0]["origin"]]), run_id=run_id)
        finally:
            writer.close()
        if written.malformed:
            return Replay(entry, False, "it still cannot be read")
        now = datetime.now(UTC)
        self._log.add([entry.ended(Lifecycle.REPLAYED, run_id=run_id, at=now, who=_who(), why="read again")])
        return Replay(entry, True, "goes on with the next run")

    def _rows(
        self, layer: str, table: str, record_ids: Sequence[str], columns: Sequence[str], prefix: str = ""
    ) -> list[dict[str, Any]]:
        source = relation(self._lake, layer, f"{prefix}{table}")
        if source is None:
            return []
        with explained(f"{layer}.{prefix}{table}"), duckdb.connect() as engine:
            answer = engine.execute(
                f"SELECT {', '.join(columns)} FROM {source} WHERE record_id IN ({', '.join(map(quote, record_ids))})"
            ).fetchall()
        return [dict(zip(columns, row, strict=True)) for row in answer]


def _who() -> str:
    return getpass.getuser()
