"""Reading the lake with SQL.

What belongs here: one read-only query over the published state. What does not: the warehouse, which is private to the
build and never read by anybody else.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import duckdb

from retreasure_assets.errors import LakeError
from retreasure_assets.lake.manifest import open_published, read_manifest
from retreasure_assets.lake.storage import LAYERS, Lake, add_actions, files
from retreasure_assets.lake.warehouse import quote, quote_name, scan

_SQL_TYPES = {"date": "DATE", "string": "VARCHAR", "integer": "INTEGER", "long": "BIGINT"}
_HELP = "Name tables as layer.table, such as gold.agg_kpis; `SHOW ALL TABLES` lists them."
#: Errors that speak of the query alone; others may quote values.
_SAFE = (duckdb.ParserException, duckdb.CatalogException, duckdb.BinderException)


@dataclass(frozen=True, slots=True)
class QueryResult:
    """Column names and rows of a query."""

    columns: list[str]
    rows: list[tuple[Any, ...]]


def query(lake: Lake, sql: str, *, memory_limit: str = "1GB") -> QueryResult:
    """Run one SELECT, WITH, DESCRIBE, SHOW or EXPLAIN over bronze, silver, gold, quarantine and ops.

    It sees silver and gold as the last run that published them whole left them, of other tables the current version,
    and neither other files nor the network.

    Raises:
        LakeError: the statement is another one, is wrong, or fails.
    """
    spill = (lake.state / "spill").absolute().as_posix()
    with duckdb.connect(config={"memory_limit": memory_limit, "temp_directory": spill}) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        try:
            _refuse_other(engine, sql)
            used = _views(engine, lake, sql)
            listed = ", ".join(quote(path) for path in used)
            engine.execute(f"SET allowed_paths = [{listed}]")
            engine.execute("SET enable_external_access = false")
            engine.execute("SET lock_configuration = true")
            answer = engine.execute(sql)
            columns = [column[0] for column in answer.description or []]
            return QueryResult(columns, answer.fetchall())
        except duckdb.Error as error:
            raise LakeError(_sentence(error), remedy=_HELP) from None


def _refuse_other(engine: duckdb.DuckDBPyConnection, sql: str) -> None:
    statements = engine.extract_statements(sql)
    if len(statements) != 1:
        raise LakeError("One statement at a time can be run.", remedy="Leave out the others.")
    kind = statements[0].type
    if kind == duckdb.StatementType.EXPLAIN:
        words = sql.strip().split(None, 2)
        inner = sql.strip()[len(words[0]) :].strip()
        if len(words) > 1 and words[1].lower() == "analyze":
            inner = inner[len(words[1]) :].strip()
        _refuse_other(engine, inner)
    elif kind != duckdb.StatementType.SELECT:
        raise LakeError(
            "The lake is read-only here.", remedy="Use SELECT, WITH, DESCRIBE, SHOW or EXPLAIN, one at a time."
        )


def _views(engine: duckdb.DuckDBPyConnection, lake: Lake, sql: str) -> list[str]:
    """Make a view of every table that the query may mean, and list their files."""
    text = sql.lower()
    everything = "show" in text or "information_schema" in text or "duckdb_" in text or "pg_" in text
    used: list[str] = []
    manifest = read_manifest(lake)
    for layer in LAYERS:
        engine.execute(f"CREATE SCHEMA IF NOT EXISTS {layer}")
    for layer, name in lake.tables():
        if everything or name.lower() in text:
            table = open_published(lake, manifest, layer, name)
            paths = sorted(files(lake, layer, name, add_actions(table)))
            view = f"{quote_name(layer)}.{quote_name(name)}"
            fields = {field.name: str(field.type.type) for field in table.schema().fields if _primitive(field)}
            partitions = {column: _SQL_TYPES[fields[column]] for column in table.metadata().partition_columns}
            if paths:
                engine.execute(f"CREATE VIEW {view} AS SELECT * FROM {scan(paths, partitions)}")
            else:
                engine.register("empty", table.schema().to_arrow().empty_table())
                engine.execute(f"CREATE TABLE {view} AS SELECT * FROM empty")
                engine.unregister("empty")
            used += paths
    return used


def _primitive(field: Any) -> bool:
    return hasattr(field.type, "type")


def _sentence(error: duckdb.Error) -> str:
    if isinstance(error, _SAFE):
        first = str(error).splitlines()[0].strip().rstrip(".")
        return f"The query is wrong: {first}."
    if isinstance(error, duckdb.PermissionException):
        return "The query asks for something outside of the lake."
    return f"The query failed ({type(error).__name__})."
