"""What the command line shows: progress while it works, a table when it is done.

What belongs here: layout. What does not: any figure's calculation; gold has done it.
"""

from __future__ import annotations

import csv
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from decimal import Decimal

from rich.console import Console
from rich.table import Table
from rich.text import Text

from retreasure_assets.automation.outcome import RunOutcome
from retreasure_assets.doctor import Finding, State, exit_code
from retreasure_assets.entities import Entity
from retreasure_assets.lake.bronze import BatchResult
from retreasure_assets.lake.query import QueryResult, query
from retreasure_assets.lake.storage import explained
from retreasure_assets.resources.platform import Platform

#: KPIs whose daily values add up, and their names for people.
_HEADLINES = {
    "gmv": "GMV",
    "net_revenue": "Net revenue",
    "contribution_margin": "Contribution margin",
    "orders": "Orders",
    "units": "Units",
}
_STYLES = {State.OK: "green", State.OFF: "dim", State.WARNING: "yellow", State.FAILED: "red"}


@dataclass
class _Counts:
    records: int = 0
    new: int = 0
    duplicates: int = 0
    quarantined: int = 0


class Progress:
    """Counts what happens and says so as it happens."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self.by_source: dict[str, _Counts] = defaultdict(_Counts)
        self.models = 0

    def synced(self, entity: Entity, result: BatchResult) -> None:
        """A batch of an entity reached bronze."""
        counts = self.by_source[entity.source]
        counts.records += result.records
        counts.new += result.new
        counts.duplicates += result.duplicates
        counts.quarantined += result.quarantined
        self._console.print(f"  bronze.{entity.table:<28} {result.records:>8,} records, {result.new:>8,} new")

    def built(self, layer: str, table: str) -> None:
        """A model was built."""
        self.models += 1
        self._console.print(f"  {layer}.{table}")

    def noted(self, sentence: str) -> None:
        """Something a person should know of the work under way."""
        self._console.print(sentence, markup=False)


def show_outcome(
    console: Console, errors: Console, platform: Platform, progress: Progress, outcome: RunOutcome, *, debug: bool
) -> None:
    """The table at the end of a run: sources, layers, headline KPIs, seconds, and where to look next."""
    try:
        _summary(console, platform, progress, outcome)
    finally:
        _failures(errors, outcome, debug=debug)
    console.print('Next: `make up` shows the asset graph; `retreasure query "select * from gold.agg_daily_sales"`.')


def _summary(console: Console, platform: Platform, progress: Progress, outcome: RunOutcome) -> None:
    console.print()
    console.print(_sources(progress))
    with explained("The lake"):
        console.print(_layers(platform))
    kpis = _kpis(platform)
    if kpis is not None:
        console.print(kpis)
    console.print(f"Read the sources in {outcome.sync_seconds:.1f} s, built in {outcome.build_seconds:.1f} s.")
    for sentence in outcome.withheld:
        console.print("[red]WITHHELD[/red]", end=" ")
        console.print(sentence, markup=False)
    for check in outcome.failed_checks:
        if check.summary not in outcome.withheld:
            told = check.summary or f"{check.asset}: {check.check} did not hold"
            console.print(f"[yellow]{check.severity}[/yellow]", end=" ")
            console.print(told, markup=False)
    for note in outcome.notes:
        console.print("[yellow]NOTE[/yellow]", end=" ")
        console.print(note, markup=False)
    if outcome.alerts.sent:
        console.print(f"Alerts sent: {outcome.alerts.sent}.")
    if outcome.alerts.failed:
        waiting = "Alerts wait in ops.alerts for a channel that did not take them; the next run sends them."
        console.print(f"[yellow]NOTE[/yellow] {waiting}")


def _failures(errors: Console, outcome: RunOutcome, *, debug: bool) -> None:
    """Each reason once, however many steps it stopped: a refused credential stops every entity of its source."""
    steps: dict[str, list[str]] = defaultdict(list)
    for failure in outcome.failures:
        steps[failure.message].append(failure.step.replace("__", ".", 1))
    for message, names in steps.items():
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        errors.print("[red]Failed:[/red]", end=" ")
        errors.print(f"{names[0]}{others}: {message}", markup=False)
    if debug:
        for failure in outcome.failures:
            errors.print(failure.traceback, markup=False)


def show_rows(console: Console, result: QueryResult, layout: str) -> None:
    """A query's rows as a table, JSON Lines' plain sibling (an array of objects), or CSV."""
    if layout == "json":
        rows = [dict(zip(result.columns, row, strict=True)) for row in result.rows]
        json.dump(rows, sys.stdout, default=str, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    elif layout == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(result.columns)
        writer.writerows(result.rows)
    else:
        console.print(
            _table("", result.columns, [["" if cell is None else str(cell) for cell in r] for r in result.rows])
        )


def show_findings(console: Console, findings: Sequence[Finding], layout: str) -> None:
    """What the doctor found, as a table or as JSON."""
    if layout == "json":
        report = {"exit_code": exit_code(findings), "findings": [asdict(finding) for finding in findings]}
        json.dump(report, sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
        return
    table = Table()
    for name in ("", "state", "found", "what to do"):
        table.add_column(name, overflow="fold")
    for finding in findings:
        state = Text(finding.state.value, style=_STYLES[finding.state])
        table.add_row(Text(finding.subject), state, Text(finding.detail), Text(finding.remedy))
    console.print(table)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]], numbers: bool = False) -> Table:
    table = Table(title=title or None, title_justify="left")
    for position, column in enumerate(columns):
        table.add_column(column, justify="right" if numbers and position else "left")
    for row in rows:
        table.add_row(*row)
    return table


def _sources(progress: Progress) -> Table:
    rows = [
        [source, *(f"{value:,}" for value in (c.records, c.new, c.duplicates, c.quarantined))]
        for source, c in sorted(progress.by_source.items())
    ]
    return _table("Sources", ["source", "rows in", "new", "duplicates", "quarantined"], rows, numbers=True)


def _layers(platform: Platform) -> Table:
    rows = []
    for layer in ("bronze", "silver", "gold", "quarantine"):
        tables = [table for at, table in platform.lake.tables() if at == layer]
        count = sum(platform.lake.row_count(layer, table) for table in tables)
        rows.append([layer, f"{len(tables):,}", f"{count:,}"])
    return _table("Layers", ["layer", "tables", "rows"], rows, numbers=True)


def _kpis(platform: Platform) -> Table | None:
    if not platform.lake.exists("gold", "agg_kpis"):
        return None
    names = ", ".join(f"'{name}'" for name in _HEADLINES)
    result = query(
        platform.lake,
        "select kpi, sum(value) as total, min(business_date) as first_day, max(business_date) as last_day "
        f"from gold.agg_kpis where channel = 'all' and kpi in ({names}) group by kpi",
    )
    if not result.rows:
        return None
    totals = {str(row[0]): Decimal(row[1] or 0) for row in result.rows}
    first, last = min(row[2] for row in result.rows), max(row[3] for row in result.rows)
    rows = [[label, _amount(totals[name])] for name, label in _HEADLINES.items() if name in totals]
    if totals.get("orders"):
        rows.append(["Average order value", _amount(totals.get("gmv", Decimal(0)) / totals["orders"])])
    title = f"All channels, {first} to {last}, {platform.settings.reporting_currency}"
    return _table(title, ["KPI", "value"], rows, numbers=True)


def _amount(value: Decimal) -> str:
    return f"{value:,.0f}" if value == value.to_integral_value() else f"{value:,.2f}"
