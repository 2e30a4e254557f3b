"""What is new of a batch for one table: looked for there, given to persons, sealed, ready to append.

What belongs here: the order of these steps, and whether their outcome still holds once the batch ahead is written.
What does not: when which batch is written (bronze.py), lookups (known.py), persons (privacy/vault.py), blobs
(sealed.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.appending import OpenTables, appends
from retreasure_assets.lake.known import KnownRecords
from retreasure_assets.lake.records import Judged
from retreasure_assets.lake.rows import QUARANTINE_SCHEMA, SCHEMA, bronze_rows
from retreasure_assets.lake.sealed import BatchSealer
from retreasure_assets.lake.storage import Lake, add_actions, files
from retreasure_assets.privacy.sealing import Dictionary
from retreasure_assets.privacy.vault import Vault

#: Delta keeps statistics of times in whole milliseconds, cut off.
_STEP = timedelta(milliseconds=1)


@dataclass(slots=True)
class NewRows:
    """Rows ready to append to one table, what they were made from, and what became of them.

    Args:
        layer: the table's layer.
        judged: the records of the batch for this table.
        seen: how many appends the table had had when the rows were looked for in it.
        ahead: rows of the batch before, on their way to the same table, in which they were looked for too.
        ingested_at: the rows' moment.
        table: the rows; None where nothing is new, and once they are appended.
        appended: how many were appended.
        number: the number of their append.
    """

    layer: str
    judged: Judged
    seen: int = 0
    ahead: NewRows | None = None
    ingested_at: datetime | None = None
    table: pa.Table | None = None
    appended: int = 0
    number: int | None = None


class Lookup:
    """Finds what is new. For several threads: one at a time is let in."""

    def __init__(self, lake: Lake, vault: Vault, clock: Callable[[], datetime]) -> None:
        self._lake = lake
        self._vault = vault
        self._clock = clock
        self._known = KnownRecords()
        self._sealer = BatchSealer(vault)
        self._tables = OpenTables(lake)
        self._lock = threading.Lock()

    def dictionary(self, entity: Entity) -> Dictionary:
        """What the entity's records are compressed with, as far as is known yet. For any thread."""
        return self._sealer.dictionary(entity)

    def close(self) -> None:
        """Release what lookups hold."""
        self._known.close()

    def find(
        self, batch: RawBatch, judged: Judged, layer: str, batch_id: str, run_id: str, ahead: NewRows | None
    ) -> NewRows:
        """What is new for one table, sealed and ready to append.

        Args:
            batch: what was received.
            judged: its records for this table.
            layer: the table's layer.
            batch_id: the batch.
            run_id: who writes.
            ahead: rows of the batch before, which may not be in the table yet.

        Raises:
            LakeError: the table cannot be read.
            VaultError: the vault cannot be used.
        """
        with self._lock:
            return self._find(batch, judged, layer, batch_id, run_id, ahead)

    def _find(
        self, batch: RawBatch, judged: Judged, layer: str, batch_id: str, run_id: str, ahead: NewRows | None
    ) -> NewRows:
        rows = NewRows(layer, judged, ahead=ahead)
        if not judged.places:
            return rows
        name = table_name(batch.entity, layer)
        table = self._tables.current(layer, name)
        rows.seen = appends(table)
        actions = add_actions(table) if table is not None else None
        fresh = judged if ahead is None else judged.without(ahead.judged.record_ids)
        if actions is not None:
            known = self._known.find(
                f"{layer}.{name}",
                actions,
                files(self._lake, layer, name, actions),
                judged.record_ids,
                judged.updated,
                latest=batch.entity.snapshot and layer == "bronze",
            )
            if known:
                fresh = fresh.without(pa.array(known, pa.string()))
        if not fresh.places:
            return rows
        owners = self._owners(batch.entity, fresh, layer)
        rows.ingested_at = self._next_moment(actions, ahead)
        rows.table = bronze_rows(
            batch,
            fresh,
            owners=owners,
            sealed=self._sealer.seal(batch, fresh, owners),
            ingested_at=rows.ingested_at,
            batch_id=batch_id,
            run_id=run_id,
            schema=SCHEMA if layer == "bronze" else QUARANTINE_SCHEMA,
        )
        return rows

    def _owners(self, entity: Entity, judged: Judged, layer: str) -> list[str | None]:
        """Each record's person, None where it is about nobody.

        Empty for an entity that is not personal, and for what cannot be read.
        """
        if not entity.personal or layer != "bronze":
            return []
        digests, clear = judged.digests.to_pylist(), judged.clear.to_pylist()
        if all(digests):
            return [*self._vault.persons(digests, clear)]
        named = [place for place, one in enumerate(digests) if one]
        persons = self._vault.persons([digests[place] for place in named], [clear[place] for place in named])
        owners: list[str | None] = [None] * len(digests)
        for place, person in zip(named, persons, strict=True):
            owners[place] = person
        return owners

    def _next_moment(self, actions: pa.Table | None, ahead: NewRows | None) -> datetime:
        """Now, or just after the table's last batch should the clock have been set back."""
        moments = [self._clock()]
        if actions is not None and "max.ingested_at" in actions.column_names:
            last: datetime | None = pc.max(actions["max.ingested_at"]).as_py()
            moments += [last + _STEP] if last is not None else []
        if ahead is not None and ahead.ingested_at is not None:
            moments.append(ahead.ingested_at + _STEP)
        return max(moments)


def still_holds(rows: NewRows) -> bool:
    """Whether the rows are still new and later, now that those ahead are in the table, or failed to get there.

    If so ``rows.seen`` counts theirs too.
    """
    ahead = rows.ahead
    if ahead is None or rows.table is None:
        # Nothing new: unless it was thought so because of rows that then failed.
        return ahead is None or ahead.number is not None
    if ahead.number is None or not _later(rows, ahead):
        return False
    if rows.seen == ahead.number - 1:
        # Theirs is the one append that was not seen, and they were looked for in their batch.
        rows.seen = ahead.number
    return rows.seen >= ahead.number


def _later(rows: NewRows, ahead: NewRows) -> bool:
    return rows.ingested_at is not None and ahead.ingested_at is not None and rows.ingested_at > ahead.ingested_at


def table_name(entity: Entity, layer: str) -> str:
    """Where an entity's records are kept in a layer."""
    return entity.table if layer == "bronze" else f"bronze_{entity.table}"
