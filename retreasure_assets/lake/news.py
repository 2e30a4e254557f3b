"""What a build has to look at: the bronze tables that changed since the last one that went well, and outdated models.

What belongs here: comparing and remembering versions. What does not: which models read a table; dbt knows.

The memory is in the warehouse itself, so that it goes with it. A build that failed in part leaves none of its own: the
next one looks at everything. Of models it remembers each that was built: one that failed stays outdated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING

from retreasure_assets.lake.warehouse import open_warehouse

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

_MEMORY = "ops.build_inputs"
_MODELS = "ops.model_states"
#: Stands for the dbt project among the tables; no bronze table has a dot in its name.
_PROJECT = ".project"


def news(settings: Settings, versions: Mapping[str, int | str], project: str) -> frozenset[str] | None:
    """The bronze tables that changed since the last build that went well.

    Args:
        settings: where the warehouse is.
        versions: what tells the state of every bronze table that this build reads.
        project: tells this state of the dbt project from others.

    Returns:
        Their names; None when everything has to be looked at, because nothing is known or the project is another.

    Raises:
        LakeError: the warehouse cannot be opened.
    """
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute(f"CREATE TABLE IF NOT EXISTS {_MEMORY} (input VARCHAR, version VARCHAR)")
        known: dict[str, str] = dict(engine.execute(f"SELECT input, version FROM {_MEMORY}").fetchall())
    if known.pop(_PROJECT, None) != project or not known.keys() <= versions.keys():
        return None
    return frozenset(table for table, version in versions.items() if known.get(table) != str(version))


def remember(settings: Settings, versions: Mapping[str, int | str], project: str) -> None:
    """Note what a build that went well has read.

    Raises:
        LakeError: the warehouse cannot be opened.
    """
    rows = [(_PROJECT, project), *((table, str(version)) for table, version in versions.items())]
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute("BEGIN")
        engine.execute(f"CREATE OR REPLACE TABLE {_MEMORY} (input VARCHAR, version VARCHAR)")
        engine.executemany(f"INSERT INTO {_MEMORY} VALUES (?, ?)", rows)
        engine.execute("COMMIT")


def outdated(settings: Settings, models: Collection[tuple[str, str]], state: str) -> list[tuple[str, str]]:
    """The models whose rows were made by another state of the dbt project than this one.

    Args:
        settings: where the warehouse is.
        models: those that keep rows from one build to the next, as (layer, table).
        state: tells this state of what makes rows from others.

    Returns:
        Them, sorted; a model that the warehouse has no table of is not among them.

    Raises:
        LakeError: the warehouse cannot be opened.
    """
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute(f"CREATE TABLE IF NOT EXISTS {_MODELS} (layer VARCHAR, model VARCHAR, state VARCHAR)")
        rows = engine.execute(
            "SELECT schema_name, table_name FROM duckdb_tables() EXCEPT "
            f"SELECT layer, model FROM {_MODELS} WHERE state = ?",
            [state],
        ).fetchall()
    return sorted(set(models) & {(layer, model) for layer, model in rows})


def remember_models(settings: Settings, models: Iterable[tuple[str, str]], state: str) -> None:
    """Note that the rows of these models were made by this state of the dbt project.

    Raises:
        LakeError: the warehouse cannot be opened.
    """
    rows = [(layer, model, state) for layer, model in models]
    if not rows:
        return
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute("BEGIN")
        engine.executemany(f"DELETE FROM {_MODELS} WHERE layer = ? AND model = ?", [row[:2] for row in rows])
        engine.executemany(f"INSERT INTO {_MODELS} VALUES (?, ?, ?)", rows)
        engine.execute("COMMIT")
