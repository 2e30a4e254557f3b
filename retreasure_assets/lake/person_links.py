"""What models know of persons who turned out to be one, and of those who are apart again: ``ops.vault_links``.

What belongs here: carrying the vault's links into the lake, where every engine reads them, and into the warehouse.
What does not: who is who (privacy), and what models make of a link (dbt_project/macros/person_links.sql). The table
holds ids alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
from deltalake import write_deltalake

from retreasure_assets.lake.storage import CONFIGURATION, Lake, explained
from retreasure_assets.lake.warehouse import open_warehouse

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings

_TABLE = ("ops", "vault_links")
#: The table's columns, which Synapse's view of it names too (dbt_project/macros/person_links.sql).
SCHEMA = pa.schema(
    [("person_id", pa.string()), ("merged_into", pa.string()), ("linked_at", pa.timestamp("us", tz="UTC"))]
)
#: The log, which keeps older versions, says nothing of what is in them.
_CONFIGURATION = {**CONFIGURATION, "delta.dataSkippingNumIndexedCols": "0"}

#: person id -> the id that the person has now, and since when that is known.
_Links = dict[str, tuple[str, datetime]]


def record_links(settings: Settings, lake: Lake, links: Mapping[str, str]) -> str:
    """Make the lake and the warehouse know these links, and when each was first known.

    A person whose link is gone, because the vault forgot them, is known as merged into themselves, and so is the person
    they had been merged into: neither is the other any more.

    Args:
        settings: where the warehouse is; it has a schema ops.
        lake: the lake; its table holds what was known before.
        links: person id -> the id that the person has now, as the vault gives them.

    Returns:
        A word that is another one whenever a link was added, changed or taken away.

    Raises:
        LakeError: the lake's table or the warehouse cannot be opened or written.
    """
    with explained(".".join(_TABLE)):
        known = _known(lake)
        # Models compare this with when they were built, which is when dbt, after this, is started.
        changed = _changes(known, links, datetime.now(UTC))
        now = {**known, **changed}
        if changed:
            write_deltalake(lake.uri(*_TABLE), _rows(now), mode="overwrite", configuration=_CONFIGURATION)
        if any(person == merged for person, (merged, _) in changed.items()):
            # What was forgotten must not live on in older versions.
            lake.table(*_TABLE).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute(
            f"CREATE TABLE IF NOT EXISTS {'.'.join(_TABLE)} "
            "(person_id VARCHAR, merged_into VARCHAR, linked_at TIMESTAMP WITH TIME ZONE)"
        )
        told = engine.sql(f"SELECT person_id, merged_into, linked_at FROM {'.'.join(_TABLE)}").to_arrow_table()
        if _links(told) != now:
            engine.register("links_now", _rows(now))
            engine.execute(f"CREATE OR REPLACE TABLE {'.'.join(_TABLE)} AS SELECT * FROM links_now")
        [(state,)] = engine.execute(
            f"SELECT concat(count(*), ' ', sum(CAST(hash(person_id, merged_into) AS HUGEINT))) FROM {'.'.join(_TABLE)}"
        ).fetchall()
        return str(state)


def _known(lake: Lake) -> _Links:
    found = lake.find(*_TABLE)
    return {} if found is None else _links(found.to_pyarrow_table())


def _changes(known: _Links, links: Mapping[str, str], at: datetime) -> _Links:
    """What is another way than it was known."""
    before = {person: merged for person, (merged, _) in known.items()}
    parted = {
        one
        for person, merged in before.items()
        if merged != person and person not in links
        for one in (person, merged)
        if one not in links
    }
    added = {person: (merged, at) for person, merged in links.items() if before.get(person) != merged}
    return {**{person: (person, at) for person in parted}, **added}


def _links(rows: pa.Table) -> _Links:
    people, merged, moments = (rows.column(name).to_pylist() for name in SCHEMA.names)
    return {person: (into, at.astimezone(UTC)) for person, into, at in zip(people, merged, moments, strict=True)}


def _rows(links: _Links) -> pa.Table:
    return pa.Table.from_pylist(
        [
            {"person_id": person, "merged_into": merged, "linked_at": at}
            for person, (merged, at) in sorted(links.items())
        ],
        SCHEMA,
    )
