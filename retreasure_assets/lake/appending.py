"""Appending to the lake's Delta tables, by several writers, none of whom works from what is no longer true.

What belongs here: one numbered append, attempts at it, tables that stay open for the next one. What does not: Parquet
files (delta_files.py), and what the rows mean (bronze.py, ingestion_log.py).
"""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, Schema, Transaction
from deltalake.exceptions import CommitFailedError, SchemaMismatchError
from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from retreasure_assets.lake.delta_files import FileFormat, write_files
from retreasure_assets.lake.storage import CONFIGURATION, Lake, explained

#: The application transaction that numbers appends.
WRITER_ID = "retreasure"


def append(
    lake: Lake,
    layer: str,
    table: str,
    rows: pa.Table,
    *,
    partition_by: str,
    metadata: Mapping[str, str],
    read: DeltaTable | None,
    number: int | None = None,
    layout: FileFormat = FileFormat(),  # noqa: B008 it cannot change
) -> DeltaTable:
    """Append rows in one commit, provided that nobody else has appended since the table was read.

    Every append is numbered in the commit (an application transaction), and of two with one number Delta refuses the
    second. So what a writer concluded from ``read``, such as which records are new, still holds when it commits.

    Args:
        lake: the lake.
        layer: the table's layer.
        table: the table, made by its first append.
        rows: what to append.
        partition_by: the column that files are split by, of dates.
        metadata: kept with the commit.
        read: the version that the rows were made from, None when there was no table.
        number: how many appends it has had, where the caller knows (``OpenTables.seen``): to look costs 2 ms.
        layout: how columns are written.

    Returns:
        The table just after.

    Raises:
        CommitFailedError: somebody else was quicker: read the table again.
        DeltaError, OSError: the table cannot be written.
    """
    if read is None:
        # Made empty first: of two writers that both made the table with rows, Delta would keep both.
        DeltaTable.create(
            lake.uri(layer, table),
            rows.schema,
            mode="ignore",
            partition_by=[partition_by],
            name=f"{layer}.{table}",
            configuration=CONFIGURATION,
        )
        read = DeltaTable(lake.uri(layer, table))
        if appends(read):
            raise CommitFailedError("somebody else made the table and wrote to it")
    if number is None:
        number = appends(read)
    schema = Schema.from_arrow(rows.schema)
    if schema != read.schema():
        raise SchemaMismatchError("the rows have other columns than the table")
    read.create_write_transaction(
        [*write_files(lake.uri(layer, table), rows, partition_by, layout)],
        "append",
        schema,
        [partition_by],
        commit_properties=CommitProperties(
            custom_metadata=dict(metadata), app_transactions=[Transaction(WRITER_ID, number + 1)]
        ),
    )
    read.update_incremental()
    return read


def until_committed(attempts: int = 10) -> Retrying:
    """Attempts at a commit, each with the table read again, until no other writer is quicker.

    Args:
        attempts: how many; the last one's CommitFailedError is raised.
    """
    return Retrying(
        retry=retry_if_exception_type(CommitFailedError),
        stop=stop_after_attempt(attempts),
        wait=wait_random_exponential(multiplier=0.05, max=2),
        reraise=True,
    )


def appends(table: DeltaTable | None) -> int:
    """The number of the last append that this version of a table has seen; 0 for none."""
    return (table.transaction_version(WRITER_ID) or 0) if table is not None else 0


class OpenTables:
    """Tables that stay open: to look for new commits takes a fraction of reading a table's log again.

    For one thread. Appends go on in the table that ``seen`` gives, so nobody else may hold it.
    """

    def __init__(self, lake: Lake) -> None:
        self._lake = lake
        self._tables: dict[tuple[str, str], DeltaTable] = {}

    def current(self, layer: str, table: str) -> DeltaTable | None:
        """The current version of a table, or None where there is none.

        Raises:
            LakeError: it cannot be read.
        """
        found = self._tables.get((layer, table))
        if found is None:
            if (opened := self._lake.find(layer, table)) is not None:
                self._tables[layer, table] = opened
            return opened
        with explained(f"{layer}.{table}"):
            found.update_incremental()
        return found

    def seen(self, layer: str, table: str, number: int) -> DeltaTable | None:
        """The version of a table that has had so many appends; None where there is no table yet.

        Raises:
            CommitFailedError: it has had more.
            LakeError: it cannot be read.
        """
        found = self._tables.get((layer, table))
        if found is not None and appends(found) == number:
            return found
        found = self.current(layer, table)
        if appends(found) != number:
            raise CommitFailedError("somebody else has written to the table")
        return found
