"""Showing figures as tables.

What belongs here: layout. What does not: measuring.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

_console = Console(width=120, highlight=False, soft_wrap=True)


def say(text: str = "") -> None:
    """One line."""
    _console.print(text, markup=False)


def show(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A table; all columns but the first are numbers."""
    table = Table(title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD)
    for place, column in enumerate(columns):
        table.add_column(column, justify="right" if place else "left", no_wrap=True)
    for row in rows:
        table.add_row(*row)
    _console.print(table)
