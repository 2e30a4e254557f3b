"""Runs the real gold models on a silver written by hand, with dbt in this process and the project parsed once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

from .silver import TABLES, Silver

PROJECT = Path(__file__).resolve().parents[3] / "dbt_project"

#: Not compared: the calendar, and the memory that depends on the order of arrival by design.
NOT_COMPARED = {"dim_date", "dim_channel", "int_order_links"}

Table = tuple[tuple[str, ...], list[tuple[object, ...]]]


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set environment variables for the length of a block (dbt reads its profile from them)."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Gold:
    """Builds gold in a DuckDB file and reads it back."""

    def __init__(self, scratch: Path) -> None:
        self._flags = [
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *("--target-path", str(scratch / "target"), "--log-path", str(scratch / "logs")),
            *("--quiet", "--no-write-json", "--log-level-file", "none"),
        ]
        # The parsed project names the catalog after the file: every warehouse here is called the same.
        (scratch / "parse").mkdir()
        with environment(RETREASURE_WAREHOUSE=str(scratch / "parse" / "warehouse.duckdb")):
            parsed = dbtRunner().invoke(["parse", *self._flags])
        assert parsed.success, parsed.exception
        assert isinstance(parsed.result, Manifest)
        self._manifest = parsed.result

    def run(self, database: Path, *arguments: str, command: str = "run") -> dict[str, str]:
        """One dbt invocation over gold; node name -> status. Fails the test with dbt's messages when a node errs."""
        with environment(RETREASURE_WAREHOUSE=str(database)):
            outcome = dbtRunner(manifest=self._manifest).invoke(
                [command, "--select", "path:models/gold", *self._flags, *arguments]
            )
        # dbt keeps the file open for the next run in the process; the tests read it in between.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        assert outcome.exception is None, outcome.exception
        results = list(getattr(outcome.result, "results", []))
        failed = [
            f"{result.node.name}: {result.message}" for result in results if str(result.status) in {"error", "fail"}
        ]
        assert not failed, "\n".join(failed)
        return {result.node.name: str(result.status) for result in results}

    @staticmethod
    def table(database: Path, name: str) -> Table:
        """A gold table without its stamp: column names and sorted rows."""
        with duckdb.connect(str(database), read_only=True) as con:
            # minutes_since_sale counts to the start of the build, as built_at is.
            chosen = "columns(lambda name: name not in ('built_at', 'minutes_since_sale'))"
            relation = con.execute(f"select {chosen} from gold.{name} order by all")
            return tuple(column[0] for column in relation.description or ()), relation.fetchall()

    def tables(self, database: Path) -> dict[str, Table]:
        """Every gold table that has to be the same whatever the order of arrival."""
        with duckdb.connect(str(database), read_only=True) as con:
            found = con.execute("select table_name from duckdb_tables() where schema_name = 'gold'").fetchall()
        return {name: self.table(database, name) for (name,) in found if name not in NOT_COMPARED}


@pytest.fixture(scope="session")
def gold(tmp_path_factory: pytest.TempPathFactory) -> Gold:
    """The parsed project."""
    return Gold(tmp_path_factory.mktemp("gold"))


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
