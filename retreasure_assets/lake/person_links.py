"""What the warehouse knows of persons who turned out to be one: ``ops.vault_links``.

What belongs here: carrying the vault's links into the warehouse. What does not: who is who (privacy), and what models
make of a link (dbt_project/macros/person_links.sql). The table holds ids alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from retreasure_assets.lake.warehouse import open_warehouse

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

_LINKS = "ops.vault_links"


def record_links(settings: Settings, links: Mapping[str, str]) -> str:
    """Make the warehouse know these links, and when it first knew each.

    Args:
        settings: where the warehouse is; it has a schema ops.
        links: person id -> the id that the person has now, as the vault gives them.

    Returns:
        A word that is another one whenever a link was added, changed or taken away.

    Raises:
        LakeError: the warehouse cannot be opened.
    """
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute(
            f"CREATE TABLE IF NOT EXISTS {_LINKS} "
            "(person_id VARCHAR, merged_into VARCHAR, linked_at TIMESTAMP WITH TIME ZONE)"
        )
        known = dict(engine.execute(f"SELECT person_id, merged_into FROM {_LINKS}").fetchall())
        gone = [[person] for person, _ in known.items() - links.items()]
        # Models compare this with when they were built, which is when dbt, after this, is started.
        now = datetime.now(UTC)
        added = [[person, merged, now] for person, merged in sorted(links.items() - known.items())]
        if gone or added:
            engine.execute("BEGIN")
            if gone:
                engine.executemany(f"DELETE FROM {_LINKS} WHERE person_id = ?", gone)
            if added:
                engine.executemany(f"INSERT INTO {_LINKS} VALUES (?, ?, ?)", added)
            engine.execute("COMMIT")
        [(state,)] = engine.execute(
            f"SELECT concat(count(*), ' ', sum(CAST(hash(person_id, merged_into) AS HUGEINT))) FROM {_LINKS}"
        ).fetchall()
        return str(state)
