"""What a build has to look at: the bronze tables that changed since the last one that went well.

What belongs here: comparing and remembering versions. What does not: which models read a table; dbt knows.

The memory is in the warehouse itself, so that it goes with it. A build that failed in part leaves none of its own: the
next one looks at everything.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from retreasure_assets.lake.warehouse import open_warehouse

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

_MEMORY = "ops.build_inputs"
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
