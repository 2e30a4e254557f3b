"""What the rules of silver keep out, in the quarantine's log: the same workplace as for the gates of bronze.

What belongs here: comparing dbt's quarantine models with the log. What does not: the rules (dbt_project/macros).

Those models are views: what is put right leaves them by itself, and its entry is then closed. Lines go with their
order, which is kept out whole, and are no entries of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import duckdb

from retreasure_assets.lake.storage import Lake, explained
from retreasure_assets.quality.quarantine_log import Broken, Entry, Lifecycle, QuarantineLog


@dataclass(frozen=True, slots=True)
class _Model:
    """A quarantine model: SQL of its rows' key, bronze table and record, and of what is no entry."""

    key: str
    bronze_table: str
    record_id: str
    where: str = "true"


#: Published quarantine model -> what its rows are. Lines are kept out with their order, which is the entry.
MODELS: Mapping[str, _Model] = {
    "silver_orders": _Model("concat_ws('|', channel, order_id)", "source_table", "record_id"),
    "silver_order_lines": _Model(
        "concat_ws('|', channel, order_id, line_id)", "source_table", "record_id", "line_type = 'return'"
    ),
    "silver_events": _Model("event_id", "'clickstream_events'", "record_id"),
    "silver_ad_spend": _Model("natural_key", "'ads_spend'", "record_id"),
    "silver_tracking_events": _Model("event_id", "''", "''"),
    "silver_payments": _Model("concat_ws('|', channel, payment_id)", "''", "''"),
    "silver_refunds": _Model("concat_ws('|', channel, refund_id)", "''", "''"),
    "silver_fees": _Model("concat_ws('|', channel, fee_id)", "''", "''"),
    "silver_item_costs": _Model("concat_ws('|', source_table, item_id)", "source_table", "record_id"),
}


def enter_silver(lake: Lake, run_id: str) -> tuple[int, int]:
    """Open an entry for each row that a rule of silver keeps out, and close those that no rule keeps out any more.

    Args:
        lake: whose published quarantine models are looked at; call it after they were published.
        run_id: the build.

    Returns:
        How many were opened and how many closed.

    Raises:
        LakeError: the lake cannot be read or written.
    """
    log, moment = QuarantineLog(lake), datetime.now(UTC)
    before: dict[str, dict[str | None, Entry]] = {}
    for entry in log.entries():
        before.setdefault(entry.dataset, {})[entry.natural_key] = entry
    opened: list[Entry] = []
    closed: list[Entry] = []
    for name, model in MODELS.items():
        dataset = name.replace("_", ".", 1)
        known = before.get(dataset, {})
        now = _rows(lake, name, model)
        for key, row in now.items():
            entry = Entry(
                dataset=dataset,
                natural_key=key,
                content=None,
                status=Lifecycle.OPEN,
                suite_version="",
                batch_id="",
                run_id=run_id,
                at=moment,
                **row,
            )
            if _is_news(entry, known.get(key)):
                opened.append(entry)
        closed += [_closed(entry, run_id, moment) for key, entry in known.items() if _gone(entry, key in now)]
    log.add([*opened, *closed])
    return len(opened), len(closed)


def _is_news(row: Entry, before: Entry | None) -> bool:
    """Whether a row in quarantine is one that nobody knows of, or came back: another version, or after a replay."""
    if before is None or before.status in (Lifecycle.CLOSED, Lifecycle.REPLAYED):
        return True
    return before.record_id != row.record_id


def _gone(entry: Entry, still_there: bool) -> bool:
    return entry.status is Lifecycle.OPEN and not still_there


def _closed(entry: Entry, run_id: str, moment: datetime) -> Entry:
    return entry.ended(Lifecycle.CLOSED, run_id=run_id, at=moment, why="it keeps the rules now")


def _rows(lake: Lake, name: str, model: _Model) -> dict[str, dict[str, Any]]:
    """What a quarantine model holds, by key."""
    if not lake.row_count("quarantine", name):
        return {}
    with explained(f"quarantine.{name}"), duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register("published", lake.table("quarantine", name).to_pyarrow_dataset())
        answer = engine.execute(
            f"SELECT {model.key}, {model.bronze_table}, {model.record_id}, reject_reason, built_at "
            f"FROM published WHERE {model.where} ORDER BY ALL"
        ).fetchall()
    return {
        key or "": {
            "bronze_table": table,
            "record_id": record_id or "",
            "reasons": [Broken(part.strip(), "") for part in reason.split(";") if part.strip()],
            "seen_at": built_at,
        }
        for key, table, record_id, reason, built_at in answer
    }
