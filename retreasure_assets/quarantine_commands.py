"""The commands ``retreasure quarantine ...``: looking at what is kept out, and deciding about it.

What belongs here: arguments and printing. What does not: the work itself (quality/workplace.py).
"""

from __future__ import annotations

import json
import sys
import uuid
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text

from retreasure_assets.errors import ConfigurationError

if TYPE_CHECKING:
    from retreasure_assets.quality.quarantine_log import Entry
    from retreasure_assets.resources.platform import Platform

_STATUSES = ("open", "replayed", "discarded", "closed", "all")
_layout = click.option("--format", "layout", type=click.Choice(["table", "json"]), default="table", show_default=True)
_dataset = click.option("--dataset", help="Only entries of this dataset, such as bronze.shopify_orders.")
console = Console(soft_wrap=True, highlight=False)


@click.group()
def quarantine() -> None:
    """Rows that gates and rules keep out: look at them, replay or discard them, read the suites."""


@quarantine.command("list")
@click.option("--status", type=click.Choice(_STATUSES), default="open", show_default=True)
@_dataset
@_layout
def list_entries(status: str, dataset: str | None, layout: str) -> None:
    """What is kept out, oldest first, with the rules it breaks; values are masked."""
    from retreasure_assets.quality.quarantine_log import Lifecycle

    wanted = None if status == "all" else Lifecycle(status)
    entries = _platform().workplace.entries(status=wanted, dataset=dataset)
    if layout == "json":
        _print_json([_facts(entry) for entry in entries])
        return
    table = Table()
    for name in ("entry", "dataset", "key", "status", "since", "broken rules"):
        table.add_column(name, overflow="fold")
    for entry in entries:
        since = (entry.opened_at or entry.at).strftime("%Y-%m-%d %H:%M")
        cells = (entry.entry_id, entry.dataset, entry.natural_key or "?", entry.status.value, since, _reasons(entry))
        table.add_row(*map(Text, cells))
    console.print(table)
    console.print(f"{len(entries):,} entries.")


@quarantine.command()
@click.argument("entry_id")
@_layout
def show(entry_id: str, layout: str) -> None:
    """One entry: why it is kept out, since when, and the masked record."""
    workplace = _platform().workplace
    (entry,) = workplace.find([entry_id])
    payload = workplace.payload(entry)
    facts = {**_facts(entry), "record": None if payload is None else json.loads(payload)}
    if layout == "json":
        _print_json(facts)
        return
    for name, value in facts.items():
        if name not in ("reasons", "record") and value is not None:
            console.print(f"[bold]{name}[/bold]", end=" ")
            console.print(str(value), markup=False)
    for reason in facts["reasons"]:
        console.print("[yellow]breaks[/yellow]", end=" ")
        console.print(f"{reason['rule']} {reason['column']} {reason['value'] or ''}".rstrip(), markup=False)
    if payload is None:
        console.print("No masked record: it could not be read.")
    else:
        console.print(json.dumps(facts["record"], indent=1, ensure_ascii=False), markup=False)


@quarantine.command()
@click.argument("entry_ids", nargs=-1)
@_dataset
@click.option("--all", "everything", is_flag=True, help="Every open entry.")
@click.pass_context
def replay(context: click.Context, entry_ids: tuple[str, ...], dataset: str | None, everything: bool) -> None:
    """Put rows back into the flow, after a rule or a mapping was corrected; the next run builds with them.

    A row that still breaks a rule of its dataset's suite stays.
    """
    from retreasure_assets.lake.locking import run_lock

    platform = _platform()
    entries = _chosen(platform, entry_ids, dataset, everything)
    with run_lock(platform.settings, "warehouse"):
        outcomes = platform.workplace.replay(entries, run_id=str(uuid.uuid4()))
    for outcome in outcomes:
        console.print("[green]replayed[/green]" if outcome.done else "[yellow]stays[/yellow]", end=" ")
        console.print(f"{outcome.entry.entry_id} {outcome.entry.dataset}: {outcome.told}", markup=False)
    done = sum(outcome.done for outcome in outcomes)
    console.print(f"{done:,} of {len(outcomes):,} replayed." + (" Next: `retreasure run`." if done else ""))
    context.exit(0 if done == len(outcomes) else 1)


@quarantine.command()
@click.argument("entry_ids", nargs=-1)
@_dataset
@click.option("--all", "everything", is_flag=True, help="Every open entry.")
@click.option("--why", required=True, help="The reason, kept with your name.")
def discard(entry_ids: tuple[str, ...], dataset: str | None, everything: bool, why: str) -> None:
    """Say that rows are of no use; they stay out for good."""
    platform = _platform()
    entries = _chosen(platform, entry_ids, dataset, everything)
    platform.workplace.discard(entries, why=why, run_id=str(uuid.uuid4()))
    console.print(f"{len(entries):,} discarded.")


@quarantine.command()
def docs() -> None:
    """Write Data Docs: every suite in words, and how the newest rows meet it, as Great Expectations sees it."""
    from retreasure_assets.quality.docs import build_docs

    platform = _platform()
    console.print(str(build_docs(platform.settings, platform.lake, platform.entities.keys())), markup=False)


def _platform() -> Platform:
    from retreasure_assets.resources.platform import Platform
    from retreasure_assets.settings import active_settings

    return Platform(active_settings())


def _chosen(platform: Platform, entry_ids: tuple[str, ...], dataset: str | None, everything: bool) -> list[Entry]:
    from retreasure_assets.quality.quarantine_log import Lifecycle

    if bool(entry_ids) + bool(dataset) + everything != 1:
        raise ConfigurationError(
            "It is not clear which entries are meant.", remedy="Name their ids, or a --dataset, or say --all."
        )
    if entry_ids:
        return platform.workplace.find(entry_ids)
    return platform.workplace.entries(status=Lifecycle.OPEN, dataset=dataset)


def _facts(entry: Entry) -> dict[str, Any]:
    return {
        "entry": entry.entry_id,
        "dataset": entry.dataset,
        "natural_key": entry.natural_key,
        "status": entry.status.value,
        "record_id": entry.record_id,
        "seen_at": entry.seen_at.isoformat(),
        "opened_at": (entry.opened_at or entry.at).isoformat(),
        "decided_at": None if entry.status.value == "open" else entry.at.isoformat(),
        "who": entry.who,
        "why": entry.why,
        "suite_version": entry.suite_version or None,
        "batch_id": entry.batch_id or None,
        "run_id": entry.run_id,
        "reasons": [{"rule": one.rule, "column": one.column, "value": one.value} for one in entry.reasons],
    }


def _reasons(entry: Entry) -> str:
    return "; ".join(f"{one.rule} ({one.column})" if one.column else one.rule for one in entry.reasons)


def _print_json(value: Any) -> None:
    json.dump(value, sys.stdout, ensure_ascii=False, indent=1)
    sys.stdout.write("\n")
