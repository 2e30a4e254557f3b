"""The tables that dbt makes of the answers to its queries.

What belongs here: making them cheaper. What does not: running dbt (dbt.py).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING

from retreasure_assets.resources.stand_ins import standing_in

if TYPE_CHECKING:
    import agate  # type: ignore[import-untyped]


@contextmanager
def kept_type_testers() -> Iterator[None]:
    """While it lasts, what tells the types of a table's columns is made once for all tables of the same text columns.

    For each answer, the empty one too, dbt makes one anew, and for its two kinds of dates all English words for dates:
    a twentieth of the CPU of a build of few rows. A tester keeps nothing of the tables that it has seen.
    """
    from dbt_common.clients import agate_helper

    own, empty = agate_helper.build_type_tester, agate_helper.empty_table()  # type: ignore[no-untyped-call]

    @lru_cache(256)
    def made(text_columns: frozenset[str], nulls: tuple[str, ...] | None) -> agate.TypeTester:
        return own(text_columns, nulls)

    def kept(text_columns: Iterable[str], string_null_values: Iterable[str] | None = ("null", "")) -> agate.TypeTester:
        return made(frozenset(text_columns), None if string_null_values is None else tuple(string_null_values))

    with standing_in(
        (agate_helper, "build_type_tester", kept),
        (agate_helper, "empty_table", lambda: empty),
    ):
        yield
