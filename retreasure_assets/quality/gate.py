"""The gate of a bronze dataset: what waits before it is split, the bad part kept aside, the good part let through.

What belongs here: the order of these steps and the verdict. What does not: evaluating rules (evaluation.py), what
people do about rows in quarantine (workplace.py), Dagster.

The order: copies of bad rows, then the quarantine's log, then the state that lets the others through. So a kill at any
moment leaves rows waiting, and the next evaluation comes to the same end.

All rows that wait are evaluated together, also those of batches withheld before: a record that came again in good form
has taken the bad one's place, which is how a dataset heals by itself.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from deltalake import DeltaTable

from retreasure_assets.entities import Entity
from retreasure_assets.lake.admission import Admission
from retreasure_assets.lake.storage import Lake, add_actions, explained, files
from retreasure_assets.lake.warehouse import quote, scan
from retreasure_assets.quality import evaluation
from retreasure_assets.quality.aside import put_aside, refused_records
from retreasure_assets.quality.gate_state import GateState, GateStates, as_plain
from retreasure_assets.quality.quarantine_log import Entry, Lifecycle, QuarantineLog
from retreasure_assets.quality.result import GateResult
from retreasure_assets.quality.suite import Suite, suite_of
from retreasure_assets.quality.verdict import ADMITTED, KEPT, Reading, verdict, waiting_bad

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class _Question:
    """What a gate is asked: of which dataset, by which suite, after which reading, by whom and when."""

    entity: Entity
    suite: Suite
    reading: Reading | None
    refused: Sequence[Mapping[str, Any]]
    run_id: str
    moment: datetime


class Gates:
    """The gates of all bronze datasets. One thread at a time for each table.

    Args:
        lake: where bronze, quarantine and the gates' state are.
        memory_limit: DuckDB's share of memory.
        threads: cores to use.
        suites: a folder of suites that take the place of the shipped ones.
    """

    def __init__(self, lake: Lake, memory_limit: str = "1GB", threads: int = 2, suites: Path | None = None) -> None:
        self._lake = lake
        self._suites = suites
        self._log = QuarantineLog(lake)
        self._states = GateStates(lake)
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": memory_limit,
            "threads": threads,
            "temp_directory": (lake.state / "spill").absolute().as_posix(),
        }

    def check(self, entity: Entity, *, run_id: str, reading: Reading | None = None) -> GateResult | None:
        """Evaluate what waits before a dataset's gate, and let it through or not.

        Args:
            entity: the dataset's entity.
            run_id: who asks.
            reading: what was just read; None where nothing was, and then there is nothing to do without new rows.

        Returns:
            What was found; None where there was nothing to look at.

        Raises:
            LakeError: the lake cannot be read or written.
            ConfigurationError: the suite cannot be used.
        """
        began = time.perf_counter()
        table = entity.table
        suite, state = suite_of("bronze", table, self._suites), self._states.load(table)
        bronze = self._lake.find("bronze", table)
        version = -1 if bronze is None else bronze.version()
        unchanged = version == state.seen_version and not state.closed
        if reading is None and (unchanged or (version, suite.version) == (state.seen_version, state.suite_version)):
            return None
        refused: list[dict[str, Any]] = []
        if reading is None or reading.malformed:
            refused = refused_records(self._lake, table, state.malformed_until)
        asked = _Question(entity, suite, reading, refused, run_id, datetime.now(UTC))
        if bronze is None or unchanged:
            result, newest = self._judge(asked, evaluation.Split(0, 0), None), None
        else:
            with explained(suite.dataset), duckdb.connect(config=self._config) as engine:
                engine.execute("SET TimeZone = 'UTC'")
                waiting = _waiting(self._lake, table, bronze, state.admitted_until)
                found = evaluation.split(engine, suite, waiting, (*KEPT, "source_updated_at"))
                out = [entry.record_id for entry in self._log.entries(suite.dataset)] if found.bad else []
                _note_admitted(engine, self._lake, table, bronze, state.admitted_until if found.bad else None, out)
                result, newest = self._judge(asked, found, engine), _newest(engine)
        result = replace(result, seconds=time.perf_counter() - began)
        quiet = unchanged and not result.malformed and not state.closed and not result.closed
        self._states.save(
            table,
            GateState(
                admitted_until=state.admitted_until if result.closed or newest is None else newest,
                admitted_version=state.admitted_version if result.closed else version,
                seen_version=version,
                malformed_until=max((row["ingested_at"] for row in refused), default=state.malformed_until),
                suite_version=suite.version,
                last=state.last if quiet and state.last else as_plain(result),
            ),
        )
        return result

    def is_waiting(self, entity: Entity) -> bool:
        """Whether a dataset has rows that its gate has not looked at."""
        found = self._lake.find("bronze", entity.table)
        return found is not None and found.version() != self._states.load(entity.table).seen_version

    def withheld(self, entity: Entity) -> str | None:
        """The sentence that says why a dataset is withheld; None while it is not."""
        state = self._states.load(entity.table)
        return state.last["sentence"] if state.closed else None

    def last(self, entity: Entity) -> Mapping[str, Any]:
        """The last result that told something, as plain data; empty before the first."""
        return self._states.load(entity.table).last

    def _judge(self, asked: _Question, found: evaluation.Split, engine: duckdb.DuckDBPyConnection | None) -> GateResult:
        """The verdict on what waits, once bad rows are put aside and healed ones closed.

        Args:
            asked: what the gate was asked.
            found: what waits, split.
            engine: where the batch is split; None where nothing waits.
        """
        bad = waiting_bad(engine, asked.suite, found) if engine is not None else []
        result = verdict(asked.suite, found, bad, asked.reading, asked.refused)
        result = replace(result, run_id=asked.run_id, evaluated_at=asked.moment)
        if bad or asked.refused:
            put_aside(self._lake, asked.entity, bad, result)
            self._open(asked.suite, bad, asked.refused, result)
        if engine is not None and not result.closed:
            superseded = {row["record_id"] for row in bad if row["superseded"]}
            return replace(result, healed=self._close(engine, asked.suite, result, superseded))
        return result

    def admissions(self, tables: Collection[str]) -> dict[str, Admission]:
        """What models may see of each table that has been at its gate.

        Raises:
            LakeError: the log or a state cannot be read.
        """
        kept: dict[str, list[Entry]] = {}
        for entry in self._log.entries():
            # What a rule of silver keeps out is hidden only once it stands elsewhere.
            if (entry.in_bronze and entry.is_readable) or entry.status is Lifecycle.REPLAYED:
                kept.setdefault(entry.bronze_table, []).append(entry)
        admissions = {}
        for table in tables:
            state = self._states.load(table)
            if state.seen_version < 0 and not state.last:
                continue
            # Nothing let through yet: nothing is shown.
            until = state.admitted_until or datetime(1970, 1, 1, tzinfo=UTC)
            # What waits is not shown anyway, and no news.
            known = [entry for entry in kept.get(table, ()) if not entry.in_bronze or entry.seen_at <= until]
            out = frozenset(entry.record_id for entry in known)
            back = {entry.record_id: entry.at for entry in known if entry.status is Lifecycle.REPLAYED}
            newest = max(back.values(), default=None)
            told = f"{state.admitted_version} {until.isoformat()} {len(out)} {len(back)} {newest}"
            admissions[table] = Admission(told, until, out, back)
        return admissions

    def _open(
        self, suite: Suite, bad: Sequence[Mapping[str, Any]], refused: Sequence[Mapping[str, Any]], result: GateResult
    ) -> None:
        """An entry for each row that has none."""
        known = {entry.record_id for entry in self._log.entries(suite.dataset)}
        self._log.add(
            Entry(
                dataset=suite.dataset,
                bronze_table=suite.dataset.partition(".")[2],
                record_id=row["record_id"],
                natural_key=row["natural_key"],
                content=row["payload_sha256"],
                seen_at=row["ingested_at"],
                status=Lifecycle.OPEN,
                reasons=row["reasons"],
                suite_version=suite.version,
                batch_id=row["batch_id"],
                run_id=result.run_id,
                at=result.evaluated_at,
            )
            for row in [*bad, *refused]
            if row["record_id"] not in known
        )

    def _close(self, engine: duckdb.DuckDBPyConnection, suite: Suite, result: GateResult, superseded: Set[str]) -> int:
        """Close entries whose records stand in good form: the same key, the same bytes read well, or ``superseded``."""
        entries = [entry for entry in self._log.entries(suite.dataset) if entry.status is Lifecycle.OPEN]
        if not entries:
            return 0
        rows = [
            {"record_id": one.record_id, "natural_key": one.natural_key, "content": one.content, "seen_at": one.seen_at}
            for one in entries
        ]
        engine.register("open_entries", pa.Table.from_pylist(rows, schema=_OPEN))
        healed = {
            record_id
            for (record_id,) in engine.execute(
                f"SELECT DISTINCT o.record_id FROM open_entries AS o INNER JOIN {evaluation.BATCH} AS b "
                "ON b.natural_key = o.natural_key OR b.payload_sha256 = o.content "
                "WHERE len(b.broken) = 0 AND b.ingested_at > o.seen_at"
            ).fetchall()
        }
        healed |= superseded
        engine.unregister("open_entries")
        why = "the record stands in good form"
        self._log.add(
            entry.ended(Lifecycle.CLOSED, run_id=result.run_id, at=result.evaluated_at, why=why)
            for entry in entries
            if entry.record_id in healed
        )
        return len(healed)


_OPEN = pa.schema(
    [
        ("record_id", pa.string()),
        ("natural_key", pa.string()),
        ("content", pa.string()),
        ("seen_at", pa.timestamp("us", tz="UTC")),
    ]
)


def _waiting(lake: Lake, table: str, bronze: DeltaTable, until: datetime | None) -> str:
    """SQL of the rows ingested after a moment; files that end before it are not opened."""
    actions = add_actions(bronze)
    paths = files(lake, "bronze", table, actions)
    if until is not None and "max.ingested_at" in actions.column_names:
        # Delta's statistics of times are cut to milliseconds.
        ends = actions["max.ingested_at"].to_pylist()
        paths = [path for path, end in zip(paths, ends, strict=True) if end is None or _utc(end) + _MILLISECOND > until]
    names = (*KEPT, "source_updated_at", "payload")
    columns = ", ".join(names)
    if not paths:
        kinds = {name: "TIMESTAMPTZ" if name.endswith("_at") else "VARCHAR" for name in names}
        empty = ", ".join(f"CAST(NULL AS {kind}) AS {name}" for name, kind in kinds.items())
        return f"(SELECT {empty} WHERE false)"
    bound = "" if until is None else f" WHERE ingested_at > TIMESTAMPTZ {quote(until.isoformat())}"
    return f"(SELECT {columns} FROM {scan(sorted(paths), {'ingest_date': 'DATE'})}{bound})"


def _note_admitted(
    engine: duckdb.DuckDBPyConnection,
    lake: Lake,
    table: str,
    bronze: DeltaTable,
    until: datetime | None,
    out: Sequence[str],
) -> None:
    """Make the table ADMITTED of what was let through until a moment, nothing where that is None.

    Args:
        engine: has the split batch.
        lake: the lake.
        table: the bronze table.
        bronze: its version.
        until: the last moment let through.
        out: records that were kept out.
    """
    engine.execute(f"CREATE TEMP TABLE {ADMITTED} (natural_key VARCHAR, version TIMESTAMPTZ)")
    if until is None:
        return
    paths = files(lake, "bronze", table, add_actions(bronze))
    engine.register("kept_out", pa.table({"record_id": pa.array(out, pa.string())}))
    engine.execute(
        f"INSERT INTO {ADMITTED} SELECT natural_key, max(source_updated_at) "
        f"FROM {scan(sorted(paths), {'ingest_date': 'DATE'})} "
        f"WHERE ingested_at <= TIMESTAMPTZ {quote(until.isoformat())} "
        f"AND natural_key IN (SELECT natural_key FROM {evaluation.BATCH} WHERE len(broken) > 0) "
        "AND record_id NOT IN (SELECT record_id FROM kept_out) GROUP BY natural_key"
    )
    engine.unregister("kept_out")


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _newest(engine: duckdb.DuckDBPyConnection) -> datetime | None:
    row = engine.execute(f"SELECT max(ingested_at) FROM {evaluation.BATCH}").fetchone()
    return None if row is None else row[0]
