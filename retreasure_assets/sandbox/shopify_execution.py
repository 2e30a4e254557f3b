"""Speed: GraphQL execution that takes the short way through plain data.

What belongs here: one subclass of graphql-core's execution. What does not: any knowledge of the shop.

Most of an answer is scalars that lie ready in dictionaries, and most of graphql-core's time goes into preparing calls
of resolvers that would only look them up (an order has about 300 fields). Fields without a resolver are read straight
from the dictionary here; everything else, and everything that goes wrong, takes the library's own way.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from functools import lru_cache
from typing import Any

from graphql import (
    ExecutionContext,
    FieldNode,
    GraphQLNonNull,
    GraphQLObjectType,
    is_leaf_type,
    is_list_type,
)
from graphql.pyutils import Path


class _Way(Enum):
    LEAF = 1
    OBJECT = 2
    OBJECTS = 3
    LIBRARY = 4


_MISSING = object()

#: Answer's key, field, the nodes that select it, how to read it, whether it may not be null, its objects' type.
_Step = tuple[str, str, list[FieldNode], _Way, bool, Any]


@lru_cache(maxsize=4096)
def _way(parent: GraphQLObjectType, name: str) -> tuple[_Way, bool, Any]:
    """How to read a field, whether it may not be null, and its objects' type."""
    definition = parent.fields.get(name)
    if definition is None or definition.resolve is not None:
        return _Way.LIBRARY, False, None
    kind, required = _bare(definition.type)
    if is_leaf_type(kind):
        return _Way.LEAF, required, None
    if isinstance(kind, GraphQLObjectType):
        return _Way.OBJECT, required, kind
    if is_list_type(kind):
        inner, _ = _bare(kind.of_type)
        if is_leaf_type(inner):
            return _Way.LEAF, required, None
        if isinstance(inner, GraphQLObjectType):
            return _Way.OBJECTS, required, inner
    return _Way.LIBRARY, False, None


class PlainExecution(ExecutionContext):
    """Executes as its base class does, for data of dictionaries and lists that hold JSON values."""

    #: (type, id of the selecting nodes) -> what to read; the nodes live as long as the request does.
    _plans: dict[tuple[GraphQLObjectType, int], list[_Step]]
    #: id of the fields selected -> what to read.
    _field_plans: dict[int, list[_Step]]

    def execute_fields(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, fields: dict[str, list[FieldNode]]
    ) -> dict[str, Any]:
        """The selected fields of one object."""
        plans = self.__dict__.setdefault("_field_plans", {})
        # The library keeps these dictionaries as long as this execution lasts, so no two have one id.
        steps: list[_Step] | None = plans.get(id(fields))
        if steps is None:
            steps = plans[id(fields)] = _steps(parent_type, fields)
        return self._read(parent_type, source_value, path, steps)

    def _read(self, parent: GraphQLObjectType, source: Any, path: Path | None, steps: list[_Step]) -> dict[str, Any]:
        results: dict[str, Any] = {}
        for key, name, nodes, way, required, kind in steps:
            if way is not _Way.LIBRARY:
                value = source.get(name, _MISSING)
                if value is _MISSING:
                    value = self._look_up(source).get(name)
                if value is None and not required:
                    results[key] = None
                    continue
                if value is not None:
                    if way is _Way.LEAF:
                        results[key] = value
                    elif way is _Way.OBJECT:
                        results[key] = self._read(kind, value, Path(path, key, parent.name), self._plan(kind, nodes))
                    else:
                        below, plan = Path(path, key, parent.name), self._plan(kind, nodes)
                        results[key] = [
                            self._read(kind, element, Path(below, index, None), plan)
                            for index, element in enumerate(value)
                        ]
                    continue
            results[key] = self.execute_field(parent, source, nodes, Path(path, key, parent.name))
        return results

    def _plan(self, kind: GraphQLObjectType, nodes: list[FieldNode]) -> list[_Step]:
        """What to read of the objects that ``nodes`` select."""
        plans = self.__dict__.setdefault("_plans", {})
        plan: list[_Step] | None = plans.get((kind, id(nodes)))
        if plan is None:
            plan = plans[kind, id(nodes)] = _steps(kind, self.collect_subfields(kind, nodes))
        return plan

    def _look_up(self, source: Mapping[str, Any]) -> Mapping[str, Any]:
        """The whole object behind a reference; nothing when there is none."""
        found: Mapping[str, Any] | None = self.context_value.shop.node(source.get("id", ""))
        return found or {}


def _steps(parent: GraphQLObjectType, fields: dict[str, list[FieldNode]]) -> list[_Step]:
    return [(key, nodes[0].name.value, nodes, *_way(parent, nodes[0].name.value)) for key, nodes in fields.items()]


def _bare(kind: Any) -> tuple[Any, bool]:
    """A type without its non-null wrapper, and whether it had one."""
    return (kind.of_type, True) if isinstance(kind, GraphQLNonNull) else (kind, False)
