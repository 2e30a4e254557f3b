"""What may run as a bulk operation.

What belongs here: reading a query and refusing it. What does not: running it (``shopify_bulk``).

The rules are those of https://shopify.dev/docs/api/usage/bulk-operations/queries: one top-level field, one to five
connections nested at most two deep, none inside a list, ``id`` selected wherever a connection hangs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_list_type,
)

from retreasure_assets.sandbox.shopify_engine import Engine

MAX_CONNECTIONS = 5
MAX_DEPTH = 2


class BulkQueryError(Exception):
    """The query cannot run in bulk; the message is the user error's."""


def fragments_of(document: DocumentNode) -> Mapping[str, FragmentDefinitionNode]:
    """A document's fragments by name."""
    return {node.name.value: node for node in document.definitions if isinstance(node, FragmentDefinitionNode)}


@dataclass(frozen=True, slots=True)
class Walk:
    """Reads selections with their fragments written out."""

    schema: GraphQLSchema
    fragments: Mapping[str, FragmentDefinitionNode]

    def fields(self, selection: SelectionSetNode, parent: GraphQLNamedType) -> Iterator[tuple[FieldNode, Any]]:
        """Every selected field with its declared type."""
        for node in selection.selections:
            if isinstance(node, FieldNode):
                if not node.name.value.startswith("__"):
                    yield node, getattr(parent, "fields", {})[node.name.value].type
            elif isinstance(node, InlineFragmentNode):
                name = node.type_condition.name.value if node.type_condition else parent.name
                yield from self.fields(node.selection_set, self.schema.type_map[name])
            elif isinstance(node, FragmentSpreadNode):
                fragment = self.fragments[node.name.value]
                named = self.schema.type_map[fragment.type_condition.name.value]
                yield from self.fields(fragment.selection_set, named)

    def node_selection(self, field: FieldNode, kind: GraphQLNamedType) -> tuple[SelectionSetNode, GraphQLNamedType]:
        """What a connection field selects of its nodes, and their type."""
        assert field.selection_set is not None
        for inner, inner_type in self.fields(field.selection_set, kind):
            named = get_named_type(inner_type)
            if inner.selection_set is None:
                continue
            if inner.name.value == "nodes":
                return inner.selection_set, named
            if inner.name.value == "edges":
                for leaf, leaf_type in self.fields(inner.selection_set, named):
                    if leaf.name.value == "node" and leaf.selection_set is not None:
                        return leaf.selection_set, get_named_type(leaf_type)
        raise BulkQueryError(f"The connection '{field.name.value}' must select its nodes.")


def check_bulk_query(engine: Engine, text: str) -> None:
    """Check what the platform checks before it starts.

    Raises:
        BulkQueryError: what is wrong.
    """
    prepared = engine.prepare(text)
    if prepared.document is None:
        raise BulkQueryError(f"Invalid bulk query: {prepared.errors[0].message}")
    operation = only_operation(prepared.document)
    root = engine.schema.query_type
    assert root is not None
    walk = Walk(engine.schema, fragments_of(prepared.document))
    top = list(walk.fields(operation.selection_set, root))
    if len(top) != 1:
        raise BulkQueryError("Bulk queries must contain exactly one top-level field.")
    if top[0][0].name.value in ("node", "nodes"):
        raise BulkQueryError("The top-level node and nodes fields cannot be used in a bulk query.")
    seen = list(_connections(walk, operation.selection_set, root, depth=0, in_list=False))
    if not seen:
        raise BulkQueryError("Bulk queries must contain at least one connection.")
    if len(seen) > MAX_CONNECTIONS:
        raise BulkQueryError(f"Bulk queries cannot contain more than {MAX_CONNECTIONS} connections.")


def only_operation(document: DocumentNode) -> OperationDefinitionNode:
    operations = [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]
    if len(operations) != 1 or operations[0].operation is not OperationType.QUERY:
        raise BulkQueryError("Bulk queries must contain exactly one query operation.")
    if operations[0].variable_definitions:
        raise BulkQueryError("Bulk queries cannot have variables.")
    return operations[0]


def _connections(
    walk: Walk, selection: SelectionSetNode, parent: GraphQLNamedType, *, depth: int, in_list: bool
) -> Iterator[str]:
    """Names of all connections below ``selection``, checked one by one."""
    for field, declared in walk.fields(selection, parent):
        if field.selection_set is None:
            continue
        kind = get_named_type(declared)
        if not kind.name.endswith("Connection"):
            listed = in_list or is_list_type(get_nullable_type(declared))
            yield from _connections(walk, field.selection_set, kind, depth=depth, in_list=listed)
            continue
        if in_list:
            raise BulkQueryError("Queries that contain a connection field within a list field are not supported.")
        if depth > MAX_DEPTH:
            raise BulkQueryError(f"Bulk queries cannot contain connections nested more than {MAX_DEPTH} levels deep.")
        yield field.name.value
        inner, named = walk.node_selection(field, kind)
        below = list(_connections(walk, inner, named, depth=depth + 1, in_list=False))
        if below and not any(f.name.value == "id" and f.alias is None for f, _ in walk.fields(inner, named)):
            raise BulkQueryError(
                "The parent 'node' field for a nested connection must select the 'id' field without an alias and must "
                f"be of 'ID' return type. Connection fields without 'id': {', '.join(below)}."
            )
        yield from below
