"""The lines of a bulk file put together again: a node and the elements of its connections.

What belongs here: lines in, nodes in the shape of the paged query out. What does not: where the lines come from
(bulk.py).

Each line is read once. Values keep their bytes; what only bulk files have (``__parentId``, ``__typename``) is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import msgspec

from retreasure_assets.errors import PermanentSourceError
from retreasure_assets.sources.shopify import documents
from retreasure_assets.sources.shopify.nested import join_object


class BulkRefusedError(PermanentSourceError):
    """Shopify will not do it in bulk, or what it left cannot be used: page instead."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"Shopify's bulk operation cannot be used: {reason}.", remedy="Its pages are read instead.")
        self.reason = reason


class _Line(msgspec.Struct):
    parent: str | None = msgspec.field(name="__parentId", default=None)
    kind: str | None = msgspec.field(name="__typename", default=None)


_LINE = msgspec.json.Decoder(_Line)
_TEXT = msgspec.json.Decoder(str)
_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS = msgspec.json.Decoder(list[msgspec.Raw] | None)

#: A child as the query asks for it: its type first, and its parent last. In a line that is a JSON object the end can be
#: nothing else: between the last quotation marks there is no other, and none of those before them is escaped.
_CHILD = re.compile(rb'\{"__typename":"\w+",(.*),"__parentId":"(?:[^"\\]|\\/)*"\}', re.DOTALL)
_ABSENT = msgspec.Raw(b"")


@dataclass(slots=True)
class Group:
    """A node's lines, and what was read of them.

    Args:
        lines: as received, parent first.
        id: the node's.
        fields: its own fields' JSON, by their place in the selection; empty where there is none.
        children: connection -> its elements' JSON.
        end: the file's offset behind the lines.
    """

    lines: list[bytes]
    id: str
    fields: list[bytes | msgspec.Raw]
    children: dict[str, list[bytes]] = field(default_factory=dict)
    end: int = 0


@dataclass(frozen=True, slots=True)
class _List:
    """A list of the node of which no more is known than how many were asked for."""

    place: int
    size: int
    deep: bool


@dataclass(frozen=True, slots=True)
class _Layout:
    """How a node is put together.

    Args:
        decoder: reads a node's line.
        keys: the node's keys with comma and colon, in the selection's order.
        connections: place, key and what follows the elements, of each connection.
        lists: the plain lists.
        short: connections that do not say whether they go on -> the elements asked for.
    """

    decoder: msgspec.json.Decoder[Any]
    keys: list[bytes]
    connections: list[tuple[int, str, bytes]]
    lists: list[_List]
    short: dict[str, int]


@lru_cache
def _layout(entity: str) -> _Layout:
    fields = f"{entity.removesuffix('s')}_fields"
    keys = documents.response_keys(fields)
    sizes = {path: nested.size for path, nested in documents.nested_lists(fields).items()}
    deep = {path[0] for path in sizes if len(path) > 1}
    own = [(f"f_{key}", msgspec.Raw, _ABSENT) for key in keys]
    kind = msgspec.defstruct(
        "Node",
        [*own, ("parent", str | None, None)],
        rename={**{f"f_{key}": key for key in keys}, "parent": "__parentId"},
    )
    connections, lists, short = [], [], {}
    for place, (key, told) in enumerate(keys.items()):
        size = sizes.get((key,))
        if told.connection:
            # A bulk operation gives connections whole.
            tail = b'],"pageInfo":{"hasNextPage":false,"endCursor":null}}' if told.page_info else b"]}"
            connections.append((place, key, tail))
            if not told.page_info and size is not None:
                short[key] = size
        elif size is not None:
            lists.append(_List(place, size, key in deep))
    texts = [b"," + msgspec.json.encode(key) + b":" for key in keys]
    return _Layout(msgspec.json.Decoder(kind), texts, connections, lists, short)


def groups(entity: str, lines: Iterable[tuple[bytes, int]]) -> Iterator[Group]:
    """Gather a file's lines, each with the offset behind it, to nodes.

    Raises:
        BulkRefusedError: a line is no object, of a type that the query does not ask for, or not with its parent.
    """
    decoder = _layout(entity).decoder
    group: Group | None = None
    for line, after in lines:
        # Most children are told from their parents by a search; a parent whose text holds the word is read twice.
        head = _read(_LINE, line) if b'"__parentId"' in line else None
        if head is not None and head.parent is not None:
            if group is None or head.parent != group.id:
                raise BulkRefusedError("its file does not keep children with their parents")
            _add(group, line, head.kind)
        else:
            node = _read(decoder, line)
            if group is not None:
                yield group
            *own, _ = msgspec.structs.astuple(node)
            group = Group([line], _read(_TEXT, node.f_id), own)
        group.end = after
    if group is not None:
        yield group


def assemble(entity: str, group: Group) -> bytes:
    """A node's payload: the shape, and the order of keys, of the paged query's node."""
    layout = _layout(entity)
    values = group.fields.copy()
    for place, key, tail in layout.connections:
        values[place] = b'{"nodes":[' + b",".join(group.children.get(key, ())) + tail
    if _ABSENT in values:
        pairs = [part for pair in zip(layout.keys, values, strict=True) if len(pair[1]) for part in pair]
    else:
        pairs = [b""] * (2 * len(values))
        pairs[::2] = layout.keys
        pairs[1::2] = values
    return b"{" + b"".join(pairs)[1:] + b"}"


def is_partial(entity: str, group: Group) -> bool:
    """Whether the node may have more than its lines hold: a plain list as long as was asked for, or one whose elements
    have lists of their own, which a bulk operation cannot give."""
    layout = _layout(entity)
    for of in layout.lists:
        count = _count(group.fields[of.place])
        if count >= of.size or (of.deep and count):
            return True
    return any(len(group.children.get(key, ())) >= size for key, size in layout.short.items())


def _add(group: Group, line: bytes, kind: str | None) -> None:
    """Add an element's line to its node."""
    connection = documents.BULK_CONNECTIONS.get(kind) if kind is not None else None
    if connection is None:
        raise BulkRefusedError("its file has a line of an unknown type")
    if found := _CHILD.fullmatch(line):
        element = b"{" + found[1] + b"}"
    else:
        element = join_object({key: raw for key, raw in _read(_OBJECT, line).items() if key[:2] != "__"})
    group.lines.append(line)
    group.children.setdefault(connection, []).append(element)


def _count(elements: bytes | msgspec.Raw) -> int:
    """A list's length; 0 for what is none, which bronze judges."""
    try:
        return len(_ELEMENTS.decode(elements) or ())
    except (msgspec.DecodeError, UnicodeDecodeError):
        return 0


def _read(decoder: msgspec.json.Decoder[Any], line: bytes | msgspec.Raw) -> Any:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BulkRefusedError("its file has a line that is no JSON object") from None
