"""Nodes whose inner lists are longer than one page shows: an order of 60 lines, a refund of 51.

What belongs here: finding cut lists and fetching the rest. What does not: paging the nodes themselves (scan.py).

No line is lost, in three steps. (1) A list is taken for cut when it says that it goes on, or, where a list cannot
say so, when it is as long as was asked for. (2) That node alone is fetched again with up to 250 elements in each
cut list. (3) A connection directly on the node (an order's lines, a product's variants) that is longer still is
continued page by page; the record's bytes are then the node and the continuations, one a line, as received, and
its payload is the node with all elements in place. Any other list beyond 250 (250 refunds of one order) cannot
be paged through the node: the record goes to quarantine with that reason, bytes and all, and the sync goes on.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from retreasure_assets.errors import TransientSourceError
from retreasure_assets.sources.shopify import documents
from retreasure_assets.sources.shopify.client import MAX_PAGE, CostTooHighError, GraphqlClient, PageSize
from retreasure_assets.sources.shopify.documents import ListPath
from retreasure_assets.sources.slicing import malformed, slice_records

#: How often a node that changes between two of its pages is read again.
_ATTEMPTS = 3

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])


@dataclass(frozen=True, slots=True)
class Record:
    """One node for bronze.

    Args:
        raw: the bytes as received; several parts are separated by a line feed.
        payload: the node as JSON where ``raw`` is not that itself.
        problem: why it cannot be read in full.
    """

    raw: bytes
    payload: bytes | None = None
    problem: str | None = None


@dataclass(frozen=True, slots=True)
class Completer:
    """Makes nodes of one entity whole.

    Args:
        client: the shop.
        entity: ``orders`` or ``products``.
    """

    client: GraphqlClient
    entity: str

    @property
    def fields(self) -> str:
        """The file with the node's fragment."""
        return f"{self.entity.removesuffix('s')}_fields"

    def head(self, time_key: str) -> msgspec.json.Decoder[Any]:
        """Reads of a node all that :meth:`complete` has to know, and its change time as ``at``."""
        return _shape(self.fields, time_key).decoder

    def complete(self, node: bytes, head: Any | None = None) -> Record:
        """Return the node with whatever its first page left out. Sends nothing when nothing is missing.

        Args:
            node: its bytes.
            head: what :meth:`head` read of it, if that is done.
        """
        sizes = _sizes(self.fields)
        if not (cut := self._cut(node, sizes, head)):
            return Record(node)
        for _ in range(_ATTEMPTS):
            found = self._whole(node, sizes, cut)
            if found is not None:
                return found
        raise TransientSourceError(
            f"One of Shopify's {self.entity} kept changing while its pages were read.", remedy="Run again in a minute."
        )

    def fetch(self, ids: list[str], pages: PageSize) -> list[bytes]:
        """Fetch nodes by id, fewer at a time when that is too costly; ids that are gone are left out."""
        found: list[bytes] = []
        while ids:
            batch = ids[: pages.size]
            try:
                found += self._nodes(documents.by_id(self.entity, {}), {"ids": batch}, pages)
            except CostTooHighError:
                if not pages.shrink():
                    raise
                continue
            ids = ids[len(batch) :]
        return found

    def _whole(self, node: bytes, sizes: Mapping[ListPath, int], cut: set[ListPath]) -> Record | None:
        """One attempt at the whole node; None if it changed meanwhile."""
        node_id = _text(node, "id")
        nested = documents.nested_lists(self.fields)
        wide = dict.fromkeys(cut, MAX_PAGE)
        while True:
            try:
                fetched = self._nodes(documents.by_id(self.entity, wide), {"ids": [node_id]}, None)
                break
            except CostTooHighError:
                # Smaller lists cost less; what they still leave out is continued or reported below.
                smaller = {path: max(size // 2, sizes[path]) for path, size in wide.items()}
                if smaller == wide:
                    raise
                wide = smaller
        if not fetched:
            # Deleted since the page was read: the page's version is the last there is.
            return Record(node)
        whole = fetched[0]
        remaining = self._cut(whole, {**sizes, **wide})
        stuck = sorted(".".join(path) for path in remaining if not nested[path].pageable)
        if stuck:
            return Record(whole, problem=f"more elements in {', '.join(stuck)} than Shopify returns at once")
        parts = [whole]
        payload: bytes | None = None
        for (connection,) in sorted(remaining):
            rest = self._rest(payload or whole, node_id, connection)
            if rest is None:
                return None
            more, payload = rest
            parts += more
        return Record(b"\n".join(parts), payload)

    def _rest(self, node: bytes, node_id: str, connection: str) -> tuple[list[bytes], bytes] | None:
        """The pages after a connection's first: their bytes, and the node with everything in place."""
        document = documents.continuation(self.fields, connection)
        owner = _object(node)
        head = _object(owner[connection])
        elements = msgspec.json.decode(head["nodes"], type=list[msgspec.Raw])
        info = bytes(head["pageInfo"])
        parts: list[bytes] = []
        pages = PageSize(MAX_PAGE)
        while (after := _next(info)) is not None:
            try:
                found = self._nodes(document, {"id": node_id, "first": pages.size, "after": after}, pages)
            except CostTooHighError:
                if not pages.shrink():
                    raise
                continue
            if not found or _text(found[0], "updatedAt") != _text(node, "updatedAt"):
                return None
            page = _object(_object(found[0])[connection])
            elements += msgspec.json.decode(page["nodes"], type=list[msgspec.Raw])
            info = bytes(page["pageInfo"])
            parts.append(found[0])
        nodes = b"[" + b",".join(bytes(element) for element in elements) + b"]"
        whole = join_object({**_bytes(head), "nodes": nodes, "pageInfo": info})
        return parts, join_object({**_bytes(owner), connection: whole})

    def _nodes(self, document: str, variables: Mapping[str, Any], pages: PageSize | None) -> list[bytes]:
        def parse(body: bytes) -> list[bytes]:
            return [node for node in slice_records(body, ("data", "nodes"), source="Shopify") if node != b"null"]

        return self.client.run(document, variables, parse, purpose=self.entity, pages=pages)

    def _cut(self, node: bytes, sizes: Mapping[ListPath, int], head: Any | None = None) -> set[ListPath]:
        shape = _shape(self.fields)
        if head is None:
            try:
                head = shape.decoder.decode(node)
            except (msgspec.DecodeError, UnicodeDecodeError):
                # Malformed records are judged once, in bronze.
                return set()
        found: set[ListPath] = set()
        _find_cut(head, shape.paths, sizes, found)
        return found


class _Info(msgspec.Struct):
    more: bool | None = msgspec.field(name="hasNextPage", default=None)


#: A key -> the path that it ends, and what may be cut below it.
_Paths = Mapping[str, tuple[ListPath, Any]]


@dataclass(frozen=True, slots=True)
class _Shape:
    """The lists of a node that may be cut, and what reads them and nothing else: a tenth of a whole decoding."""

    decoder: msgspec.json.Decoder[Any]
    paths: _Paths


@lru_cache
def _sizes(fields: str) -> Mapping[ListPath, int]:
    return {path: nested.size for path, nested in documents.nested_lists(fields).items()}


@lru_cache
def _shape(fields: str, time_key: str | None = None) -> _Shape:
    tree: dict[str, tuple[ListPath, Any]] = {}
    for path in sorted(documents.nested_lists(fields)):
        below = tree
        for length, key in enumerate(path, start=1):
            below = below.setdefault(key, (path[:length], {}))[1]
    kind = _kind(tree)
    if time_key is not None:
        kind = msgspec.defstruct("Head", [("at", str | None, None)], bases=(kind,), rename={"at": time_key})
    return _Shape(msgspec.json.Decoder(kind), tree)


def _kind(paths: _Paths) -> type[msgspec.Struct]:
    """A struct of the lists alone; each is a plain list or a connection."""
    found: list[tuple[str, Any, Any]] = []
    for key, (_, below) in paths.items():
        element: Any = _kind(below) if below else msgspec.Raw
        parts: list[tuple[str, Any, Any]] = [("nodes", list[element] | None, None), ("pageInfo", _Info | None, None)]
        connection = msgspec.defstruct("Connection", parts)
        found.append((key, list[element] | connection | None, None))
    return msgspec.defstruct("Lists", found)


def _find_cut(lists: Any, paths: _Paths, sizes: Mapping[ListPath, int], found: set[ListPath]) -> None:
    for key, (path, below) in paths.items():
        value = getattr(lists, key)
        if value is None:
            continue
        more: bool | None = None
        if type(value) is not list:
            more = value.pageInfo.more or False if value.pageInfo else None
            value = value.nodes or ()
        if more if more is not None else len(value) >= sizes[path]:
            found.add(path)
        if below:
            for element in value:
                _find_cut(element, below, sizes, found)


def _next(info: bytes) -> str | None:
    decoded = msgspec.json.decode(info)
    return decoded["endCursor"] if decoded["hasNextPage"] else None


def _object(raw: bytes | msgspec.Raw) -> dict[str, msgspec.Raw]:
    try:
        return _OBJECT.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise malformed("Shopify") from None


def _bytes(fields: Mapping[str, msgspec.Raw]) -> dict[str, bytes]:
    return {key: bytes(value) for key, value in fields.items()}


def _text(node: bytes, key: str) -> str:
    value = msgspec.json.decode(_object(node)[key])
    return str(value)


def join_object(fields: Mapping[str, bytes | msgspec.Raw]) -> bytes:
    """A JSON object from keys and values that are JSON already; values keep their bytes."""
    parts: list[Any] = []
    for key, value in fields.items():
        parts += (_key(key), value)
    return b"{" + b"".join(parts)[1:] + b"}"


@lru_cache(maxsize=1024)
def _key(name: str) -> bytes:
    """A comma, an object's key and its colon; there are few, and millions of objects."""
    return b"," + msgspec.json.encode(name) + b":"
