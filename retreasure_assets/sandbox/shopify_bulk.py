"""Bulk operations: a query that runs on its own time and leaves a file of JSON lines.

What belongs here: the operations' life and their files. What does not: which queries may run (``shopify_bulk_rules``)
and GraphQL execution itself (``shopify_engine``).

Since version 2026-01 up to five operations run at once, and children stand directly below their parents only with
``groupObjects``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from graphql import (
    GraphQLNamedType,
    GraphQLSchema,
    SelectionSetNode,
    execute_sync,
    get_named_type,
)

from retreasure_assets.sandbox.shopify_bulk_rules import (
    BulkQueryError,
    Walk,
    check_bulk_query,
    fragments_of,
    only_operation,
)
from retreasure_assets.sandbox.shopify_engine import Engine, Request
from retreasure_assets.sandbox.shopify_execution import PlainExecution
from retreasure_assets.sandbox.shopify_format import Json, gid, iso
from retreasure_assets.sandbox.shopify_json import encode

#: Operations of one app at a time, from API version 2026-01 on; one before.
MAX_AT_ONCE = 5

_BASE = 4_100_000_000_000


@dataclass
class Operation:
    """One bulk operation.

    Args:
        number: its numeric id.
        query: the document to run.
        started: seconds of the clock when it was created.
        created_at: the world's time then.
        grouped: whether children stand below their parents.
    """

    number: int
    query: str
    started: float
    created_at: datetime
    grouped: bool
    lines: list[bytes] | None = None
    roots: int = 0
    cancelled: bool = False

    @property
    def global_id(self) -> str:
        """Its gid."""
        return gid("BulkOperation", self.number)


class BulkOperations:
    """All operations of a running sandbox.

    Args:
        engine: runs the queries.
        seconds: how long an operation takes; a quarter of it is spent waiting (CREATED).
        at_once: how many may be under way.
        clock: seconds, monotonic; replaceable in tests.
    """

    def __init__(
        self,
        engine: Engine,
        *,
        seconds: float = 0.4,
        at_once: int = MAX_AT_ONCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._seconds = seconds
        self._at_once = at_once
        self._clock = clock
        self._operations: dict[str, Operation] = {}
        #: Where the files are fetched from; set for each request, as clients see the server under their own name.
        self.base_url = ""
        self._attach(engine.schema)

    def _attach(self, schema: GraphQLSchema) -> None:
        query, mutation = schema.query_type, schema.mutation_type
        assert query is not None
        assert mutation is not None
        query.fields["bulkOperation"].resolve = lambda _s, _i, id: self._found(id)
        query.fields["currentBulkOperation"].resolve = self._current
        mutation.fields["bulkOperationRunQuery"].resolve = self._run
        mutation.fields["bulkOperationCancel"].resolve = self._cancel

    def file(self, number: int) -> bytes | None:
        """A completed operation's file."""
        operation = self._operations.get(gid("BulkOperation", number))
        if operation is None or self._status(operation) != "COMPLETED" or not operation.lines:
            return None
        return b"".join(operation.lines)

    # --- resolvers -------------------------------------------------------------------------------------------

    def _run(self, _source: Any, _info: Any, query: str, groupObjects: bool = False) -> Json:  # noqa: N803 (GraphQL's)
        def refused(code: str, message: str) -> Json:
            error = {"code": code, "field": ["query"], "message": message}
            return {"bulkOperation": None, "userErrors": [error]}

        under_way = [op for op in self._operations.values() if self._status(op) in ("CREATED", "RUNNING")]
        if len(under_way) >= self._at_once:
            code = "OPERATION_IN_PROGRESS" if self._at_once == 1 else "LIMIT_REACHED"
            return refused(code, f"{len(under_way)} bulk query operations are already in progress.")
        try:
            check_bulk_query(self._engine, query)
        except BulkQueryError as error:
            return refused("INVALID", str(error))
        number = _BASE + 32_771 * (len(self._operations) + 1)
        operation = Operation(number, query, self._clock(), self._engine.shop.world.clock, groupObjects)
        self._operations[operation.global_id] = operation
        return {"bulkOperation": self._node(operation), "userErrors": []}

    def _current(self, _source: Any, _info: Any, type: str = "QUERY") -> Json | None:
        if type != "QUERY" or not self._operations:
            return None
        return self._node(list(self._operations.values())[-1])

    def _found(self, global_id: str) -> Json | None:
        operation = self._operations.get(global_id)
        return None if operation is None else self._node(operation)

    def _cancel(self, _source: Any, _info: Any, id: str) -> Json:
        operation = self._operations.get(id)
        if operation is None:
            return {
                "bulkOperation": None,
                "userErrors": [{"field": ["id"], "message": "Bulk operation does not exist"}],
            }
        if self._status(operation) in ("CREATED", "RUNNING"):
            operation.cancelled = True
            return {"bulkOperation": self._node(operation), "userErrors": []}
        message = "A bulk operation cannot be canceled when it is completed"
        return {"bulkOperation": self._node(operation), "userErrors": [{"field": None, "message": message}]}

    # --- life ------------------------------------------------------------------------------------------------

    def _status(self, operation: Operation) -> str:
        elapsed = self._clock() - operation.started
        if operation.cancelled:
            return "CANCELED"
        if elapsed < self._seconds / 4:
            return "CREATED"
        return "RUNNING" if elapsed < self._seconds else "COMPLETED"

    def _node(self, operation: Operation) -> Json:
        status = self._status(operation)
        done = status == "COMPLETED"
        if done and operation.lines is None:
            operation.lines, operation.roots = run_bulk(self._engine, operation.query, operation.grouped)
        lines = operation.lines or []
        url = f"{self.base_url}/bulk/bulk-{operation.number}.jsonl" if done and lines else None
        return {
            "__typename": "BulkOperation",
            "id": operation.global_id,
            "type": "QUERY",
            "query": operation.query,
            "status": status,
            "errorCode": None,
            "createdAt": iso(operation.created_at),
            "completedAt": iso(operation.created_at + timedelta(seconds=1)) if done else None,
            "objectCount": str(len(lines)),
            "rootObjectCount": str(operation.roots),
            "fileSize": str(sum(map(len, lines))) if done and lines else None,
            "url": url,
            "partialDataUrl": None,
        }


def run_bulk(engine: Engine, text: str, grouped: bool) -> tuple[list[bytes], int]:
    """Execute a checked query; return the file's lines and how many of them are root objects."""
    document = engine.prepare(text).document
    assert document is not None
    result = execute_sync(
        engine.schema,
        document,
        context_value=Request(engine.shop, bulk=True),
        execution_context_class=PlainExecution,
    )
    root = engine.schema.query_type
    assert root is not None
    taker = _Taker(Walk(engine.schema, fragments_of(document)))
    roots: list[bytes] = []
    rest: list[bytes] = []
    lines: list[bytes] = []
    children: list[Json] = []
    taker.take(taker.branches(only_operation(document).selection_set, root), result.data or {}, None, children)
    for child in children:
        is_root = "__parentId" not in child
        line = encode(child, escape_slashes=True) + b"\n"
        lines.append(line)
        (roots if is_root else rest).append(line)
    return (lines if grouped else roots + rest), len(roots)


@dataclass(frozen=True, slots=True)
class _Branch:
    """A field below which there are connections: its key, whether it is one itself, and the branches below."""

    key: str
    is_connection: bool
    below: list[_Branch]


class _Taker:
    """Moves every connection's nodes out of an answer, parents first, with their parent's id."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

    def branches(self, selection: SelectionSetNode, parent: GraphQLNamedType) -> list[_Branch]:
        """The ways to the connections, so that nothing else of the many objects is looked at."""
        found = []
        for field, declared in self._walk.fields(selection, parent):
            if field.selection_set is None:
                continue
            key = field.alias.value if field.alias else field.name.value
            kind = get_named_type(declared)
            if kind.name.endswith("Connection"):
                found.append(_Branch(key, True, self.branches(*self._walk.node_selection(field, kind))))
            elif below := self.branches(field.selection_set, kind):
                found.append(_Branch(key, False, below))
        return found

    def take(self, branches: list[_Branch], data: Json, parent_id: str | None, out: list[Json]) -> None:
        """Move the nodes below ``data`` to ``out``."""
        for branch in branches:
            if not isinstance(data.get(branch.key), dict):
                continue
            if not branch.is_connection:
                self.take(branch.below, data[branch.key], parent_id, out)
                continue
            connection = data.pop(branch.key)
            nodes = connection["nodes"] if "nodes" in connection else [edge["node"] for edge in connection["edges"]]
            for node in nodes:
                out.append(node)
                self.take(branch.below, node, node.get("id"), out)
                if parent_id is not None:
                    node["__parentId"] = parent_id
