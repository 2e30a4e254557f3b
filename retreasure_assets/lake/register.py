"""Small tables whose rows change: what is open, what is still to be done.

What belongs here: one way to change such rows that two writers cannot spoil. What does not: what the rows mean
(failures.py, and the alerts' outbox).

A row is live until its state says that it has ended; only live rows are read and compared, however many have ended.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Transaction, WriterProperties

from retreasure_assets.lake.appending import WRITER_ID, appends, until_committed
from retreasure_assets.lake.storage import CONFIGURATION, Lake, explained

LAYER = "ops"
_WRITER = WriterProperties(compression="ZSTD", compression_level=1)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Register:
    """One such table, partitioned by its state.

    Args:
        lake: where it is.
        table: its name in the layer ``ops``.
        schema: its columns.
        key: the column that tells rows apart.
        state: the column that says whether a row is live.
        living: the states in which it is; plain words, as they become part of a statement.
    """

    lake: Lake
    table: str
    schema: pa.Schema
    key: str
    state: str
    living: Collection[str]

    def live(self) -> list[Row]:
        """The live rows; none where there is no table.

        Raises:
            LakeError: the table cannot be read.
        """
        with explained(f"{LAYER}.{self.table}"):
            return self._live(self.lake.find(LAYER, self.table))

    def change(self, decide: Callable[[Sequence[Row]], Collection[Mapping[str, Any]]]) -> None:
        """Change live rows and add new ones, in one commit.

        Args:
            decide: given the live rows, the rows as they are to be, whole; none for no change. Called again when
                another writer was quicker.

        Raises:
            LakeError: the table cannot be read or written.
        """
        with explained(f"{LAYER}.{self.table}"):
            for again in until_committed():
                with again:
                    found = self.lake.find(LAYER, self.table)
                    if rows := decide(self._live(found)):
                        self._write(found or self._made(), rows)

    def _live(self, table: DeltaTable | None) -> list[Row]:
        if table is None:
            return []
        rows = table.to_pyarrow_table(filters=[(self.state, "in", list(self.living))])
        return [dict(row) for row in rows.select(self.schema.names).to_pylist()]

    def _made(self) -> DeltaTable:
        return DeltaTable.create(
            self.lake.uri(LAYER, self.table),
            self.schema,
            mode="ignore",
            partition_by=[self.state],
            name=f"{LAYER}.{self.table}",
            configuration=CONFIGURATION,
        )

    def _write(self, table: DeltaTable, rows: Collection[Mapping[str, Any]]) -> None:
        living = ", ".join(f"'{state}'" for state in self.living)
        # The number of the change makes Delta refuse the second of two that were made from one version.
        numbered = [Transaction(WRITER_ID, appends(table) + 1)]
        table.merge(
            pa.Table.from_pylist([dict(row) for row in rows], schema=self.schema),
            f"old.{self.state} IN ({living}) AND old.{self.key} = new.{self.key}",
            source_alias="new",
            target_alias="old",
            writer_properties=_WRITER,
            commit_properties=CommitProperties(app_transactions=numbered),
        ).when_matched_update_all().when_not_matched_insert_all().execute()
