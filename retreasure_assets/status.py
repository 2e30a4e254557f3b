"""How the platform does: sources, tables, what fails, what is in quarantine, what was told.

What belongs here: what is looked at. What does not: showing it (``console``), and asking sources (``doctor``). Nothing
is changed by looking.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from retreasure_assets.alerts.outbox import Outbox
from retreasure_assets.lake.circuits import Circuits
from retreasure_assets.lake.failures import FailureLog
from retreasure_assets.lake.ingestion_log import last_news, last_successes
from retreasure_assets.lake.storage import Lake
from retreasure_assets.settings import Settings
from retreasure_assets.sources.registry import API_SOURCES, missing_settings

#: How far back successes are looked for.
_LOOK_BACK = timedelta(days=400)


@dataclass(frozen=True, slots=True)
class SourceStatus:
    """How one source does.

    Args:
        source: its name.
        on: whether it is configured; a source of dropped files is once a file of it was read.
        last_success: when it was last read as it should be, UTC.
        last_news: when it last had something new, UTC.
        age_seconds: since the last success.
        open_failures: how many things of it fail.
        circuit: closed, open or half-open.
    """

    source: str
    on: bool
    last_success: datetime | None
    last_news: datetime | None
    age_seconds: float | None
    open_failures: int
    circuit: str


@dataclass(frozen=True, slots=True)
class TableStatus:
    """One table: its rows, and when it last changed."""

    layer: str
    table: str
    rows: int
    changed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Status:
    """All of it. Failures are rows of ``ops.failures``; quarantined counts rows by table."""

    at: datetime
    sources: Sequence[SourceStatus]
    tables: Sequence[TableStatus]
    failures: Sequence[dict[str, Any]]
    quarantined: dict[str, int]
    alerts_pending: dict[str, int]


def look(settings: Settings, now: datetime | None = None) -> Status:
    """Look at everything.

    Args:
        settings: whose state folder.
        now: the moment.

    Raises:
        LakeError: a table cannot be read.
    """
    lake, moment = Lake(settings.lake_path), now or datetime.now(UTC)
    failures = sorted(FailureLog(lake).open(), key=lambda row: row["first_seen_at"])
    tables = [_table(lake, layer, table) for layer, table in lake.tables()]
    return Status(
        at=moment,
        sources=_sources(settings, lake, failures, moment),
        tables=tables,
        failures=failures,
        quarantined={table.table: table.rows for table in tables if table.layer == "quarantine"},
        alerts_pending=dict(Counter(str(row["channel"]) for row in Outbox(lake).pending())),
    )


def _sources(settings: Settings, lake: Lake, failures: Sequence[dict[str, Any]], now: datetime) -> list[SourceStatus]:
    off, circuits = missing_settings(settings), Circuits(lake)
    logged, news = last_successes(lake, now - _LOOK_BACK), last_news(lake, now - _LOOK_BACK)
    failing = Counter(str(row["source"]) for row in failures if row["source"])
    names = sorted({source.name for source in API_SOURCES} | logged.keys() | failing.keys())
    apis = {source.name for source in API_SOURCES}
    found = []
    for name in names:
        circuit = circuits.read(name)
        # A source that gave nothing is in no batch's log row.
        times = [time for time in (circuit.read_at, logged.get(name)) if time is not None]
        last = max(times, default=None)
        found.append(
            SourceStatus(
                source=name,
                on=name not in off if name in apis else True,
                last_success=last,
                last_news=news.get(name),
                age_seconds=(now - last).total_seconds() if last is not None else None,
                open_failures=failing[name],
                circuit=circuit.state(now).value,
            )
        )
    return found


def _table(lake: Lake, layer: str, table: str) -> TableStatus:
    history = lake.table(layer, table).history(limit=1)
    changed = datetime.fromtimestamp(history[0]["timestamp"] / 1000, UTC) if history else None
    return TableStatus(layer, table, lake.row_count(layer, table), changed)
