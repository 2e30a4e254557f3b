"""The months that a table is published by, in SQL.

What belongs here: which month a row is of, and the rows of some months. What does not: running it, and what changed
(publish.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date, timedelta

from retreasure_assets.lake.delta_copy import delta_type
from retreasure_assets.lake.warehouse import quote, quote_name

#: The column that tells it, in the lake.
MONTH = "_month"
#: The first of these that a table has decides a row's month. None of them changes once a row exists, or hardly ever;
#: as_of_date alone does, for all rows of a report at once.
_DATES = (
    "business_date",
    "ordered_at",
    "refunded_at",
    "paid_at",
    "charged_at",
    "transacted_at",
    "issued_at",
    "shipped_at",
    "rate_date",
    "date_day",
    "occurred_at",
    "valid_from",
    "as_of_date",
    "cost_date",
    "opened_date",
    "in_stock_date",
    # Every piece has one; not so acquired_date: all without it are one part that grows with the history.
    "first_seen_at",
    "acquired_date",
)
_ZONED = "TIMESTAMP WITH TIME ZONE"
_MONTHS = re.compile("[12][0-9]{3}-[0-9]{2}")
#: Of a row without a date.
_UNDATED = "none"
#: From so many rows on a month is written by itself: its rows are found by their date, instead of being sorted out.
_LARGE_PART = 5_000


class MonthlyTable:
    """A table whose rows fall into parts: one a month, or a single one where it has no date.

    Args:
        name: of the table, quoted.
        types: its columns and their types.
    """

    def __init__(self, name: str, types: Mapping[str, str]) -> None:
        self._name, self._types = name, types
        #: The column that decides a row's month.
        self.dated = next((column for column in _DATES if column in types), None)

    def month(self) -> str:
        """The part that a row is of."""
        if self.dated is None:
            return quote("all")
        return f"coalesce(strftime({self._day()}, '%Y-%m'), {quote(_UNDATED)})"

    def within(self, parts: Iterable[str]) -> str:
        """Condition that a row is in one of the parts: literal ranges, so that the engine skips what is in none."""
        if self.dated is None:
            return "true"
        column, ranges = quote_name(self.dated), []
        for part in parts:
            if part == _UNDATED:
                ranges.append(f"{column} IS NULL")
                continue
            if not _MONTHS.fullmatch(part):
                # A year that only a mistaken source states.
                ranges.append(f"{self.month()} = {quote(part)}")
                continue
            first = date.fromisoformat(f"{part}-01")
            after = (first + timedelta(days=31)).replace(day=1)
            low, high = (f"CAST('{day}' AS {self._types[self.dated]})" for day in (first, after))
            ranges.append(f"{column} >= {low} AND {column} < {high}")
        return "(" + " OR ".join(ranges or ["false"]) + ")"

    def counts(self) -> str:
        """How many rows each part has, of those that have any."""
        if self.dated is None:
            return f"SELECT {self.month()}, count(*) FROM {self._name} HAVING count(*) > 0"
        # Texts are made of the few months, not of the rows.
        return (
            f"SELECT coalesce(strftime(month, '%Y-%m'), {quote(_UNDATED)}), rows FROM ("
            f"SELECT date_trunc('month', {self._day()}) AS month, count(*) AS rows FROM {self._name} GROUP BY month)"
        )

    def rows(self, counts: Mapping[str, int]) -> list[tuple[str | None, str]]:
        """SQL that selects the rows of some parts: of each large one by itself, of the small ones together.

        Args:
            counts: rows by part.
        """
        if self.dated is None:
            return [(None, self.select())]
        large = [part for part, rows in counts.items() if rows >= _LARGE_PART]
        selected: list[tuple[str | None, str]] = [
            (part, f"{self.select()} WHERE {self.within([part])}") for part in sorted(large)
        ]
        if small := counts.keys() - large:
            selected.append((None, f"{self.select(split=True)} WHERE {self.within(sorted(small))}"))
        return selected

    def select(self, *, split: bool = False) -> str:
        """SQL of all rows with types that Delta has, and the part that each is of."""
        columns = []
        for column, kind in self._types.items():
            name, nearest = quote_name(column), delta_type(kind)
            columns.append(name if nearest == kind else f"CAST({name} AS {nearest}) AS {name}")
        if split and self.dated:
            columns.append(f"{self.month()} AS {MONTH}")
        return f"SELECT {', '.join(columns)} FROM {self._name}"

    def _day(self) -> str:
        """The date that decides a row's month, of a time its UTC date; without the engine's calendar, which is slow."""
        assert self.dated is not None
        column = quote_name(self.dated)
        zoned = self._types[self.dated] == _ZONED
        return f"CAST(make_timestamp(epoch_us({column})) AS DATE)" if zoned else f"CAST({column} AS DATE)"
