"""What a query costs, and the bucket that its points come from.

What belongs here: the calculated cost and the throttle. What does not: executing queries.

The published rules: a scalar costs nothing, an object one point, a mutation ten, a connection two points and its
nodes', and a single query may not exceed 1,000. How nodes multiply is not published; a connection of 250 nodes that
cost 2 each was seen to be priced at 24, so it is far from linear: here ``first: n`` counts as ``2 ln n`` nodes, which
gives exactly that. Money and page information are taken for values and cost nothing. So the figures are of the real
size, not the real figures: a reader should go by what the answer says.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    SelectionSetNode,
    VariableNode,
    get_named_type,
    is_leaf_type,
)

from retreasure_assets.sandbox.shopify_format import Json

MAX_QUERY_COST = 1000
MUTATION_COST = 10

_FREE = frozenset({"MoneyBag", "MoneyV2", "PageInfo", "QueryRoot", "TaxLine", "DiscountAllocation", "RefundDuty"})

#: Points a second and the bucket's size, by plan.
PLANS: Mapping[str, tuple[int, int]] = {
    "standard": (100, 2_000),
    "advanced": (200, 4_000),
    "plus": (1_000, 20_000),
    "enterprise": (2_000, 40_000),
}


@dataclass(frozen=True, slots=True)
class CostTree:
    """What one selected field adds to a query's cost."""

    key: str
    own: int
    connection: bool
    first: int
    children: tuple[CostTree, ...] = ()


def weight(nodes: int) -> int:
    """How many nodes' worth a page of ``nodes`` is charged."""
    return max(1, int(2 * math.log(nodes))) if nodes > 0 else 0


class CostReader:
    """Reads the cost tree off a validated document."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def read(self, selection: SelectionSetNode, parent: GraphQLNamedType) -> tuple[CostTree, ...]:
        """One tree for every field of ``selection`` that costs something or has something in it that does."""
        return tuple(self._trees(selection, parent))

    def _trees(self, selection: SelectionSetNode, parent: GraphQLNamedType) -> Iterable[CostTree]:
        for node in selection.selections:
            if isinstance(node, FragmentSpreadNode):
                fragment = self._fragments[node.name.value]
                yield from self._trees(fragment.selection_set, self._named(fragment.type_condition.name.value))
            elif isinstance(node, InlineFragmentNode):
                inner = self._named(node.type_condition.name.value) if node.type_condition else parent
                yield from self._trees(node.selection_set, inner)
            elif isinstance(node, FieldNode) and node.selection_set is not None:
                yield self._tree(node, parent)

    def _tree(self, node: FieldNode, parent: GraphQLNamedType) -> CostTree:
        fields = getattr(parent, "fields", {})
        kind = get_named_type(fields[node.name.value].type)
        assert node.selection_set is not None
        connection = kind.name.endswith("Connection")
        # What a connection or an edge is made of is part of the connection's own two points.
        wrapper = connection or kind.name.endswith("Edge") or parent.name.endswith("Connection")
        own = 0 if kind.name in _FREE or is_leaf_type(kind) or (wrapper and not connection) else 1
        if connection:
            own = 2
        elif parent.name.endswith(("Edge", "Connection")) and kind.name not in _FREE:
            own = 0 if kind.name.endswith("Edge") else 1
        children = self.read(node.selection_set, kind) if isinstance(kind, GraphQLNamedType) else ()
        key = node.alias.value if node.alias else node.name.value
        return CostTree(key, own, connection, self._size(node), children)

    def _size(self, node: FieldNode) -> int:
        for argument in node.arguments:
            if argument.name.value in ("first", "last"):
                if isinstance(argument.value, IntValueNode):
                    return int(argument.value.value)
                if isinstance(argument.value, VariableNode):
                    size = self._variables.get(argument.value.name.value)
                    if isinstance(size, int):
                        return size
        return 0

    def _named(self, name: str) -> GraphQLNamedType:
        found = self._schema.get_type(name)
        return found if found is not None else GraphQLObjectType(name, {})


def requested_cost(trees: Iterable[CostTree]) -> int:
    """The cost before execution, from the sizes asked for."""
    total = 0
    for tree in trees:
        inner = requested_cost(tree.children)
        total += tree.own + (weight(tree.first) * inner if tree.connection else inner)
    return total


def actual_cost(trees: Iterable[CostTree], data: Any) -> float:
    """The cost after execution, from what was found."""
    if not isinstance(data, dict):
        return 0.0
    total = 0.0
    for tree in trees:
        value = data.get(tree.key)
        if value is None:
            continue
        total += tree.own
        if tree.connection:
            nodes = value.get("nodes") or value.get("edges") or []
            inner = sum(actual_cost(tree.children, {child.key: node for child in tree.children}) for node in nodes)
            total += weight(len(nodes)) * inner / len(nodes) if nodes else 0.0
        elif isinstance(value, list):
            total += max((actual_cost(tree.children, element) for element in value), default=0.0)
        else:
            total += actual_cost(tree.children, value)
    return total


@dataclass
class Bucket:
    """A leaky bucket: full at first, refilled continuously.

    Args:
        restore_rate: points a second.
        maximum: its size.
        clock: seconds, monotonic; replaceable in tests.
    """

    restore_rate: float
    maximum: float
    clock: Callable[[], float] = time.monotonic
    _available: float = field(init=False)
    _then: float = field(init=False)

    def __post_init__(self) -> None:
        self._available = self.maximum
        self._then = self.clock()

    def take(self, points: float) -> bool:
        """Take ``points`` out; False, and nothing taken, when there are not enough."""
        self._refill()
        if points > self._available:
            return False
        self._available -= points
        return True

    def give_back(self, points: float) -> None:
        """Return what a query did not need after all."""
        self._available = min(self.maximum, self._available + points)

    def status(self) -> Json:
        """``throttleStatus``."""
        self._refill()
        return {
            "maximumAvailable": float(self.maximum),
            "currentlyAvailable": int(self._available),
            "restoreRate": float(self.restore_rate),
        }

    def _refill(self) -> None:
        now = self.clock()
        self._available = min(self.maximum, self._available + (now - self._then) * self.restore_rate)
        self._then = now
