"""How ``retreasure status`` looks: tables for a person, JSON for a program."""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from dataclasses import asdict
from datetime import datetime

from rich.console import Console
from rich.table import Table
from rich.text import Text

from retreasure_assets.status import SourceStatus, Status, TableStatus

_STYLES = {"critical": "bold red", "error": "red", "warning": "yellow", "info": ""}


def show_status(console: Console, status: Status, layout: str) -> None:
    """Show it as a table or as JSON."""
    if layout == "json":
        json.dump(asdict(status), sys.stdout, default=_plain, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
        return
    console.print(_sources(status))
    console.print(_layers(status))
    if status.failures:
        console.print(_failures(status))
    else:
        console.print("Nothing fails.")
    for channel, count in sorted(status.alerts_pending.items()):
        console.print(f"{count} alerts wait for {channel}.", markup=False)


def _plain(value: object) -> object:
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _sources(status: Status) -> Table:
    table = _titled("Sources", "source", "last read", "last news", "open failures", "circuit")
    for source in status.sources:
        cells = [
            source.source,
            _ago(source.age_seconds) if source.on or source.age_seconds is not None else "off",
            _ago((status.at - source.last_news).total_seconds() if source.last_news else None),
            str(source.open_failures or ""),
            _circuit(source),
        ]
        table.add_row(*(Text(cell) for cell in cells), style="red" if source.open_failures else "")
    return table


def _circuit(source: SourceStatus) -> str:
    return "" if source.circuit == "closed" else source.circuit


def _layers(status: Status) -> Table:
    by_layer: dict[str, list[TableStatus]] = defaultdict(list)
    for one in status.tables:
        by_layer[one.layer].append(one)
    table = _titled("Tables", "layer", "tables", "rows", "last change")
    for layer, tables in by_layer.items():
        changed = max((one.changed_at for one in tables if one.changed_at is not None), default=None)
        ago = _ago((status.at - changed).total_seconds() if changed else None)
        table.add_row(layer, f"{len(tables):,}", f"{sum(one.rows for one in tables):,}", ago)
        if layer == "quarantine":
            for one in tables:
                if one.rows:
                    table.add_row(Text(f"  {one.table}", style="yellow"), "", f"{one.rows:,}", "")
    return table


def _failures(status: Status) -> Table:
    table = _titled("What fails", "what", "since", "seen", "attempts", "why", "what to do")
    for row in status.failures:
        since = _ago((status.at - row["first_seen_at"]).total_seconds())
        what = Text(f"{row['kind']}: {row['subject']}", style=_STYLES[row["severity"]])
        figures = (since, str(row["seen"]), str(row["attempts"]))
        table.add_row(what, *figures, Text(row["cause"]), Text(row["remedy"] or ""))
    return table


def _titled(title: str, *columns: str) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column, overflow="fold", justify="right" if column in ("rows", "seen", "attempts") else "left")
    return table


def _ago(seconds: float | None) -> str:
    if seconds is None:
        return "never"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit} ago"
    return "just now"
