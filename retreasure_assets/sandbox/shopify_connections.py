"""Connections: sorted, filtered lists, a page at a time, behind opaque cursors.

What belongs here: paging, its refusals and its limit of 25,000 objects. What does not: what the objects look like.
"""

from __future__ import annotations

import base64
import binascii
import json
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any, TypeVar

from graphql import GraphQLError

from retreasure_assets.sandbox.shopify_format import Json
from retreasure_assets.sandbox.shopify_search import Search, UnsupportedSearchError, parse_search

T = TypeVar("T")

MAX_PAGE = 250
PAGINATION_CAP = 25_000

#: How a value sorts: (value, id).
SortKey = tuple[Any, int]


@dataclass(frozen=True, slots=True)
class Entry:
    """An object that can be found: its number, what it can be sorted and searched by, and how to build its node."""

    number: int
    values: Mapping[str, Any]
    build: Callable[[], Json]


@dataclass
class Collection:
    """All objects of one connection.

    Args:
        entries: the objects.
        search_fields: what ``query`` may filter by: name -> ``time`` or ``id``.
        sort_fields: sort key of the schema -> name of the value.
        default_sort: the sort key used for bulk operations.
    """

    entries: Sequence[Entry]
    search_fields: Mapping[str, str]
    sort_fields: Mapping[str, str]
    default_sort: str
    _selected: Callable[[str, str], tuple[list[SortKey], list[Entry], Search]] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._selected = lru_cache(maxsize=64)(self._select)

    def _select(self, query: str, sort: str) -> tuple[list[SortKey], list[Entry], Search]:
        search = parse_search(query, self.search_fields)
        name = self.sort_fields[sort]
        found = [((entry.values[name], entry.number), entry) for entry in self.entries if search.matches(entry.values)]
        found.sort(key=lambda pair: pair[0])
        return [key for key, _ in found], [entry for _, entry in found], search

    def select(self, query: str | None, sort: str | None) -> tuple[list[SortKey], list[Entry], Search]:
        """Sort keys and entries that match, in ascending order, and the search as understood."""
        try:
            return self._selected(query or "", sort or self.default_sort)
        except UnsupportedSearchError as unsupported:
            raise GraphQLError(str(unsupported)) from None


@dataclass(frozen=True, slots=True)
class Slice:
    """A page of a list: positions ``start`` to ``stop``, counted from the end where ``reverse``."""

    start: int
    stop: int
    length: int
    reverse: bool = False

    def of(self, items: Sequence[T]) -> list[T]:
        """The page's part of ``items``, which are in ascending order."""
        if not self.reverse:
            return list(items[self.start : self.stop])
        return [items[self.length - 1 - position] for position in range(self.start, self.stop)]


def check_page_arguments(arguments: Mapping[str, Any]) -> None:
    """Refuse what the platform refuses about ``first`` and ``last``.

    Raises:
        GraphQLError: neither, both, a negative number, or more than 250.
    """
    first, last = arguments.get("first"), arguments.get("last")
    if first is None and last is None:
        raise GraphQLError("you must provide one of first or last")
    if first is not None and last is not None:
        raise GraphQLError("providing both first and last is not supported")
    size = first if first is not None else last
    assert size is not None
    if size < 0:
        raise GraphQLError("first and last must not be negative")
    if size > MAX_PAGE:
        raise GraphQLError(f"first and last cannot exceed {MAX_PAGE}", extensions={"code": "BAD_REQUEST"})


def slice_of(keys: Sequence[SortKey], arguments: Mapping[str, Any], *, cap: int = PAGINATION_CAP) -> Slice:
    """The page that ``first``/``after`` or ``last``/``before`` and ``reverse`` ask for; ``keys`` are ascending.

    Raises:
        GraphQLError: the arguments are refused, a cursor is not one of ours, or the page lies beyond ``cap``.
    """
    check_page_arguments(arguments)
    reverse, length = bool(arguments.get("reverse")), len(keys)
    low, high = 0, length
    if arguments.get("after"):
        at = _position(arguments["after"], keys)
        low = length - bisect_left(keys, at) if reverse else bisect_right(keys, at)
    if arguments.get("before"):
        at = _position(arguments["before"], keys)
        high = length - bisect_right(keys, at) if reverse else bisect_left(keys, at)
    high = max(low, high)
    if arguments.get("first") is not None:
        start, stop = low, min(high, low + arguments["first"])
    else:
        start, stop = max(low, high - arguments["last"]), high
    if stop > cap:
        raise GraphQLError(f"Pagination is limited to {cap} objects of a query", extensions={"code": "BAD_REQUEST"})
    return Slice(start, stop, length, reverse)


def cursor_of(key: SortKey) -> str:
    """The opaque cursor of an object: where it stands in the sort order."""
    value, number = key
    written = value.isoformat() if isinstance(value, datetime) else value
    text = json.dumps({"last_id": number, "last_value": written}, separators=(",", ":"))
    return base64.b64encode(text.encode()).decode()


def _position(cursor: str, keys: Sequence[SortKey]) -> SortKey:
    try:
        decoded = json.loads(base64.b64decode(cursor, validate=True))
        value, number = decoded["last_value"], int(decoded["last_id"])
        if keys and isinstance(keys[0][0], datetime):
            value = datetime.fromisoformat(value)
        if keys and type(value) is not type(keys[0][0]):
            raise TypeError
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise GraphQLError("Invalid cursor for current pagination sort.") from None
    return value, number


class Page:
    """A connection's value; what is not selected is not computed.

    Args:
        keys: sort keys of the page's nodes.
        nodes: the page's nodes.
        piece: where the page lies; None for a list read whole, as bulk operations do.
    """

    __slots__ = ("_keys", "_piece", "nodes")

    def __init__(self, keys: Sequence[SortKey], nodes: Sequence[Json], piece: Slice | None) -> None:
        self._keys = keys
        self.nodes = nodes
        self._piece = piece

    def get(self, name: str, default: Any = None) -> Any:
        """A field's value, as a dictionary would give it."""
        return getattr(self, name, default)

    @property
    def edges(self) -> list[Json]:
        """Nodes with their cursors."""
        if self._piece is None:
            return [{"cursor": "", "node": node} for node in self.nodes]
        return [{"cursor": cursor_of(key), "node": node} for key, node in zip(self._keys, self.nodes, strict=True)]

    @property
    def pageInfo(self) -> Json:  # noqa: N802 (the field's name)
        """Whether there is more, and where."""
        keys, piece = self._keys, self._piece
        return {
            "hasNextPage": piece is not None and piece.stop < piece.length,
            "hasPreviousPage": piece is not None and piece.start > 0,
            "startCursor": cursor_of(keys[0]) if keys else None,
            "endCursor": cursor_of(keys[-1]) if keys else None,
        }


def nested_page(nodes: Sequence[Json], arguments: Mapping[str, Any]) -> Page:
    """A page of a list inside an object, in the list's own order."""
    keys: list[SortKey] = [(position, position) for position in range(1, len(nodes) + 1)]
    piece = slice_of(keys, arguments)
    return Page(piece.of(keys), piece.of(nodes), piece)


def everything(nodes: Sequence[Json]) -> Page:
    """A connection's value without pages, as bulk operations read it."""
    return Page((), nodes, None)
