"""A first sync's long history, read in bulk.

What belongs here: when a bulk operation is worth it, and its batches. What does not: the operation itself (bulk.py).

The operation ends one overlap before the newest record. The rest is paged, as the next sync will page it again:
so that sync meets the same bytes, and adds nothing. What changes while the operation runs is newer than its
end, and is paged too.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.sources.http_errors import public_url
from retreasure_assets.sources.shopify import documents
from retreasure_assets.sources.shopify.bulk import BulkReader
from retreasure_assets.sources.shopify.bulk_nodes import BulkRefusedError, Group, assemble, groups, is_partial
from retreasure_assets.sources.shopify.client import GraphqlClient, GraphqlRefusalError, PageSize
from retreasure_assets.sources.shopify.nested import Completer, Record
from retreasure_assets.sources.shopify.scan import search
from retreasure_assets.sources.shopify.state import BulkState, CursorState, batch, overlapped
from retreasure_assets.sources.slicing import malformed, slice_records

log = logging.getLogger(__name__)

#: Nodes in a batch.
_BATCH = 500


@dataclass(frozen=True, slots=True)
class History:
    """Reads one shop's history.

    Args:
        client, bulk: the shop.
        start: the first moment asked for, ISO.
        threshold: records from which it is worth a bulk operation.
        first: nodes to fetch by id at a time, at first.
    """

    client: GraphqlClient
    bulk: BulkReader
    start: str
    threshold: int
    first: int = 25

    def batches(self, entity: Entity, under_way: BulkState | None) -> Generator[RawBatch, None, str]:
        """Yield the history's batches; return the time from which the rest is to be paged.

        A history that is short, or that Shopify refuses to give in bulk, is left to the pages.
        """
        try:
            state = under_way or self._begin(entity)
            if state is None:
                return self.start
            yield from self._read(entity, state)
        except BulkRefusedError as refused:
            log.warning("Shopify %s: %s", entity.name, refused)
            return self.start
        return state.until

    def _begin(self, entity: Entity) -> BulkState | None:
        if (until := self._end(entity)) is None:
            return None
        query = search("updated_at", self.start, until) or ""
        return BulkState(self.bulk.start(entity.name, query), until)

    def _end(self, entity: Entity) -> str | None:
        """The end of the history to read in bulk; None when there is too little, or Shopify does not tell."""

        def parse(body: bytes) -> tuple[int, str | None]:
            latest = slice_records(body, ("data", entity.name, "nodes"), source="Shopify")
            try:
                counted = msgspec.json.decode(body)["data"][f"{entity.name}Count"] or {}
                newest = msgspec.json.decode(latest[0])["updatedAt"] if latest else None
                return int(counted.get("count", 0)), newest
            except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError):
                raise malformed("Shopify") from None

        variables = {"query": search("updated_at", self.start, None), "limit": self.threshold + 1}
        document = documents.text(f"{entity.name}_history")
        try:
            count, newest = self.client.run(document, variables, parse, purpose=entity.name)
        except GraphqlRefusalError:
            # No count, no bulk. What is wrong with the shop or the token, the pages will tell.
            return None
        until = overlapped(newest, entity) if newest else ""
        return until if count > self.threshold and until > self.start else None

    def _read(self, entity: Entity, state: BulkState) -> Iterator[RawBatch]:
        completer = Completer(self.client, entity.name)
        pages = PageSize(self.first)
        file = self.bulk.wait(state.id, entity.name)
        gathered: list[Group] = []
        for group in groups(entity.name, self.bulk.lines(file, state.offset)):
            gathered.append(group)
            if len(gathered) == _BATCH:
                yield self._batch(entity, gathered, state, completer, pages)
                gathered = []
        if gathered:
            yield self._batch(entity, gathered, state, completer, pages)

    def _batch(
        self, entity: Entity, gathered: Sequence[Group], state: BulkState, completer: Completer, pages: PageSize
    ) -> RawBatch:
        """Nodes out of a bulk file; those that it cannot hold in full are fetched by id in its place."""
        records: list[Record] = []
        partial: dict[str, Record] = {}
        for group in gathered:
            record = Record(b"\n".join(group.lines), assemble(entity.name, group))
            if is_partial(entity.name, group):
                partial[group.id] = record
            else:
                records.append(record)
        for node in completer.fetch(list(partial), pages):
            records.append(completer.complete(node))
            partial.pop(_id(node), None)
        # What is gone by now is kept as the file has it: nothing newer will come.
        records += partial.values()
        end = gathered[-1].end
        origin = f"{public_url(self.client.url)}#{entity.name}[bulk {state.id.rsplit('/', 1)[-1]}][{end}]"
        return batch(entity, records, origin, CursorState(bulk=BulkState(state.id, state.until, end)))


class _Identified(msgspec.Struct):
    id: str


_IDENTIFIED = msgspec.json.Decoder(_Identified)


def _id(node: bytes) -> str:
    try:
        return _IDENTIFIED.decode(node).id
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise malformed("Shopify") from None
