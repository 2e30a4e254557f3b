"""What every contestant must come to: the same gold, row by row and column by column.

What belongs here: what is compared. What does not: how the tables were made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: Tables of a schema ``gold``, and what tells their rows apart.
TABLES: Mapping[str, Sequence[str]] = {
    "fct_orders": ("channel", "order_id"),
    "fct_order_lines": ("channel", "order_id", "line_id"),
    "fct_refunds": ("channel", "refund_id"),
    "agg_daily_sales": ("business_date", "channel"),
}
#: Everybody has pseudonyms of their own, and a time of building.
_OWN = {"person_id", "built_at"}


def totals(engine: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Of every gold table in a DuckDB connection: its rows, a hash of each column with the keys, sums of amounts.

    Values are compared as they read: a number whatever its width, a moment whatever its zone.
    """
    return {
        f"{table}: {name}": value
        for table, keys in TABLES.items()
        for name, value in _columns(engine, table, keys).items()
    }


def rows(engine: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """Of every gold table in a DuckDB connection: how many rows it has."""
    counts = ", ".join(f"(SELECT count(*) FROM gold.{table})" for table in TABLES)
    return dict(zip(TABLES, map(str, engine.execute(f"SELECT {counts}").fetchone() or ()), strict=True))


def _columns(engine: duckdb.DuckDBPyConnection, table: str, keys: Sequence[str]) -> dict[str, str]:
    kinds = {name: kind for name, kind, *_ in engine.execute(f"DESCRIBE gold.{table}").fetchall() if name not in _OWN}
    row = ", ".join(_text(key, kinds[key]) for key in keys)
    found = {"rows": "count(*)"}
    for name, kind in sorted(kinds.items()):
        found[name] = f"sum(CAST(hash({row}, {_text(name, kind)}) AS HUGEINT))"
        if name.endswith(("_amount", "_base")):
            found[f"sum of {name}"] = f"sum(CAST({name} AS DECIMAL(38, 4)))"
    values = engine.execute(f"SELECT {', '.join(found.values())} FROM gold.{table}").fetchone()
    return dict(zip(found, map(str, values or ()), strict=True))


def _text(column: str, kind: str) -> str:
    if kind.startswith("TIMESTAMP"):
        return f"epoch_us({column})"
    value = f"CAST({column} AS DECIMAL(38, 12))" if kind.startswith("DECIMAL") else column
    return f"CAST({value} AS VARCHAR)"
