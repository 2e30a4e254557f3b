"""Runs the real gold models on a silver written by hand, with dbt in this process and the project parsed once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import duckdb
import pytest

from tests.parsed_project import ParsedProject, shared_folder

from .silver import TABLES, Silver

#: Not compared: the calendar, and the memory that depends on the order of arrival by design.
NOT_COMPARED = {
    "dim_date",
    "dim_channel",
    "dim_account",
    "int_order_links",
    "int_stock_cells",
    "int_stock_days",
    "int_stock_moves",
}

Table = tuple[tuple[str, ...], list[tuple[object, ...]]]


class Gold(ParsedProject):
    """Builds gold in a DuckDB file and reads it back."""

    def run(self, database: Path, *arguments: str, command: str = "run") -> dict[str, str]:
        """One dbt invocation over gold; node name -> status. Fails the test with dbt's messages when a node errs."""
        return self.statuses(database, command, "--select", "path:models/gold", *arguments)

    @staticmethod
    def table(database: Path, name: str) -> Table:
        """A gold table without its stamp: column names and sorted rows."""
        with duckdb.connect(str(database), read_only=True) as con:
            return _read(con, name)

    def tables(self, database: Path) -> dict[str, Table]:
        """Every gold table that has to be the same whatever the order of arrival."""
        with duckdb.connect(str(database), read_only=True) as con:
            found = con.execute("select table_name from duckdb_tables() where schema_name = 'gold'").fetchall()
            return {name: _read(con, name) for (name,) in found if name not in NOT_COMPARED}


def _read(con: duckdb.DuckDBPyConnection, name: str) -> Table:
    # minutes_since_sale counts to the start of the build, as built_at is.
    chosen = "columns(lambda name: name not in ('built_at', 'minutes_since_sale'))"
    relation = con.execute(f"select {chosen} from gold.{name} order by all")
    return tuple(column[0] for column in relation.description or ()), relation.fetchall()


@pytest.fixture(scope="session")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Gold:
    """The parsed project."""
    return Gold(shared_folder(tmp_path_factory))


@pytest.fixture
def new_silver(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Silver]:
    """A function that makes an empty silver in a new file."""

    def make() -> Silver:
        silver = Silver(tmp_path_factory.mktemp("warehouse") / "warehouse.duckdb")
        silver.create()
        return silver

    return make


@pytest.fixture
def built_in_full(gold: Gold, new_silver: Callable[[], Silver]) -> Callable[[Silver], Path]:
    """A function that copies a silver's present state to a new file and builds gold there from nothing."""

    def build(silver: Silver) -> Path:
        fresh = new_silver()
        with duckdb.connect(str(fresh.path)) as con:
            con.execute(f"attach '{silver.path}' as source (read_only)")
            for name in TABLES:
                con.execute(f"insert into silver.{name} select * from source.silver.{name}")
        gold.run(fresh.path)
        return fresh.path

    return build
