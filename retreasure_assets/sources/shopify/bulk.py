"""History through a bulk operation: Shopify runs the query on its own time and leaves a file of JSON lines.

What belongs here: starting, awaiting and downloading an operation. What does not: when to use one (history.py), putting
a node's lines together again (bulk_nodes.py), and fetching what a bulk operation cannot give (nested.py).

The operation is asked for with ``groupObjects``: children then follow their parent directly, so the file is read
as a stream in constant memory and personal data need no temporary file. Anything that Shopify refuses, and any file
that is not as documented, ends in :class:`BulkRefusedError`; the caller pages instead.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import msgspec

from retreasure_assets.errors import PermanentSourceError, TransientSourceError
from retreasure_assets.sources.http import MAX_BYTES
from retreasure_assets.sources.shopify import documents
from retreasure_assets.sources.shopify.bulk_nodes import BulkRefusedError
from retreasure_assets.sources.shopify.client import GraphqlClient
from retreasure_assets.sources.slicing import malformed

T = TypeVar("T")

log = logging.getLogger(__name__)

#: Seconds between two looks at a running operation: the first, and the longest.
_POLL = (0.5, 30.0)


class _Operation(msgspec.Struct, rename="camel"):
    id: str
    status: str
    error_code: str | None = None
    object_count: int | str = 0
    file_size: int | str | None = None
    url: str | None = None


class _UserError(msgspec.Struct):
    code: str | None = None


class _RunPayload(msgspec.Struct, rename="camel"):
    bulk_operation: _Operation | None = None
    user_errors: list[_UserError] = []


class _RunData(msgspec.Struct):
    run: _RunPayload = msgspec.field(name="bulkOperationRunQuery")


class _StatusData(msgspec.Struct):
    operation: _Operation | None = msgspec.field(name="bulkOperation", default=None)


class _Run(msgspec.Struct):
    data: _RunData


class _Status(msgspec.Struct):
    data: _StatusData


@dataclass(frozen=True, slots=True)
class BulkFile:
    """A finished operation's file: where it is (None when it is empty) and how long, in bytes, if known."""

    url: str | None
    size: int | None


@dataclass(frozen=True, slots=True)
class BulkReader:
    """Runs bulk operations of one shop.

    Args:
        client: the shop.
        timeout: seconds to wait for an operation before it is cancelled.
        sleep, monotonic: replaceable in tests.
    """

    client: GraphqlClient
    timeout: float = 3600.0
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic

    def start(self, entity: str, query: str) -> str:
        """Start an operation over the nodes that match ``query``; return its id."""
        document = documents.bulk_query(entity, query)
        answer = self.client.run(documents.text("bulk_run"), {"query": document}, _parser(_Run), purpose=entity)
        payload = answer.data.run
        if payload.user_errors or payload.bulk_operation is None:
            codes = sorted({error.code or "no reason given" for error in payload.user_errors})
            raise BulkRefusedError(f"it was not started ({', '.join(codes) or 'no operation returned'})")
        return payload.bulk_operation.id

    def wait(self, operation: str, entity: str) -> BulkFile:
        """Wait for an operation to complete."""
        deadline = self.monotonic() + self.timeout
        pause = _POLL[0]
        parse = _parser(_Status)
        while True:
            found = self.client.run(documents.text("bulk_status"), {"id": operation}, parse, purpose=entity)
            state = found.data.operation
            if state is None:
                raise BulkRefusedError("Shopify does not know the operation any more")
            if state.status == "COMPLETED":
                return BulkFile(state.url, None if state.file_size is None else int(state.file_size))
            if state.status not in ("CREATED", "RUNNING"):
                raise BulkRefusedError(f"it ended as {state.status.lower()} ({state.error_code or 'no code'})")
            if self.monotonic() >= deadline:
                self.client.run(documents.text("bulk_cancel"), {"id": operation}, bytes, purpose=entity)
                raise BulkRefusedError(f"it took longer than {self.timeout:.0f} s")
            log.info("Shopify prepares the history of %s: %s objects so far", entity, state.object_count)
            self.sleep(pause)
            pause = min(pause * 1.5, _POLL[1])

    def lines(self, file: BulkFile, offset: int) -> Iterator[tuple[bytes, int]]:
        """Lines from ``offset`` on without their ends, each with the offset behind it; a broken download goes on where
        it broke."""
        if file.url is None:
            return
        failures = 0
        while True:
            begun = offset
            try:
                for line, offset in self._download(file, begun):
                    yield line, offset
                return
            except BulkRefusedError:
                raise
            except PermanentSourceError:
                # A signed address that has run out, for one.
                raise BulkRefusedError("its file cannot be downloaded") from None
            except TransientSourceError as error:
                failures = failures + 1 if offset == begun else 1
                if failures > self.client.http.retries:
                    raise
                self.sleep(error.retry_after if error.retry_after is not None else 0.5 * 2**failures)

    def _download(self, file: BulkFile, offset: int) -> Iterator[tuple[bytes, int]]:
        # A range counts the bytes of what is transferred, so it must not be compressed on the way.
        headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={offset}-"} if offset else {})}
        with self.client.http.stream(file.url or "", headers=headers, accept=frozenset({200, 206, 416})) as (
            status,
            chunks,
        ):
            if status == 416:
                return
            skip = 0 if status == 206 else offset
            rest = b""
            for chunk in chunks:
                if skip:
                    dropped = min(skip, len(chunk))
                    skip -= dropped
                    chunk = chunk[dropped:]
                *complete, rest = (rest + chunk).split(b"\n")
                for line in complete:
                    offset += len(line) + 1
                    if line.strip():
                        yield line, offset
                if len(rest) > MAX_BYTES:
                    raise BulkRefusedError("its file has a line that is too long")
            if file.size is not None and offset + len(rest) < file.size:
                raise TransientSourceError("Shopify's bulk file ended too early.", remedy="Run again in a minute.")
            if rest.strip():
                yield rest, offset + len(rest)


def _parser(kind: type[T]) -> Callable[[bytes], T]:
    decoder = msgspec.json.Decoder(kind)

    def parse(body: bytes) -> T:
        try:
            return decoder.decode(body)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise malformed("Shopify") from None

    return parse
