"""Records cut out of a JSON page, byte for byte.

What belongs here: finding where a record begins and ends. What does not: judging a record; bronze does that once,
at ingest, so a record with invalid UTF-8 is sliced like any other and does not take its neighbours with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import msgspec

from retreasure_assets.errors import MalformedInputError

#: Float texts such as "nan" and "inf" are no JSON; msgspec refuses them, as it should.
_REMEDY = "Try again; if it stays so, check that the address is the API's and not a log-in or error page."


class PageInfo(msgspec.Struct, rename="camel"):
    """Whether a GraphQL connection goes on, and where."""

    has_next_page: bool = False
    end_cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a connection: its records' bytes, and where the next page begins (None at the end)."""

    records: list[bytes]
    next_cursor: str | None


def slice_records(body: bytes, path: tuple[str, ...], *, source: str = "The source") -> list[bytes]:
    """Cut the elements of the array at ``path`` out of a JSON document.

    One pass of msgspec over the body; nothing is re-serialised, so every slice equals the bytes received.

    Args:
        body: the document.
        path: keys from the root to the array, such as ``("data", "orders", "nodes")``; empty when the document
            is the array.
        source: who sent it, for the message.

    Raises:
        MalformedInputError: no JSON, or no array there.
    """
    try:
        found = _decoder(path, False).decode(body)
        for key in path:
            found = getattr(found, _attribute(key))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise malformed(source) from None
    return [bytes(raw) for raw in found]


def slice_page(body: bytes, path: tuple[str, ...], *, source: str = "The source") -> Page | None:
    """Cut a GraphQL connection's ``nodes`` out of an answer.

    Args:
        body: the answer.
        path: keys from the root to the connection, such as ``("data", "orders")``.
        source: who sent it, for the message.

    Returns:
        The page, or None where an object on the way is null: the shop has no such thing.

    Raises:
        MalformedInputError: no JSON, or another shape.
    """
    try:
        found = page_decoder(path).decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise malformed(source) from None
    return page_at(found, path, source=source)


def page_decoder(path: tuple[str, ...], beside: type[msgspec.Struct] = msgspec.Struct) -> msgspec.json.Decoder[Any]:
    """What reads an answer with a connection at ``path``, and the fields of ``beside`` at its root, in one pass."""
    return _decoder(path, True, beside)


def page_at(found: Any, path: tuple[str, ...], *, source: str) -> Page | None:
    """The page of an answer that :func:`page_decoder` has read; see :func:`slice_page`."""
    for key in path:
        found = getattr(found, _attribute(key))
        if found is None:
            return None
    info: PageInfo = found.pageInfo
    if info.has_next_page and not info.end_cursor:
        raise malformed(source)
    return Page([bytes(raw) for raw in found.nodes], info.end_cursor if info.has_next_page else None)


def malformed(source: str) -> MalformedInputError:
    """The error for an answer that is no JSON or has another shape."""
    return MalformedInputError(f"{source} sent a page that cannot be read as the API documents it.", remedy=_REMEDY)


def _attribute(key: str) -> str:
    # Keys need not be identifiers; the struct's field is a harmless name, renamed to the key.
    return f"f_{key.encode().hex()}"


@lru_cache
def _decoder(
    path: tuple[str, ...], connection: bool, beside: type[msgspec.Struct] = msgspec.Struct
) -> msgspec.json.Decoder[Any]:
    leaf: Any = list[msgspec.Raw]
    if connection:
        leaf = msgspec.defstruct("Connection", [("nodes", list[msgspec.Raw]), ("pageInfo", PageInfo)])
    for depth, key in reversed(list(enumerate(path))):
        name = _attribute(key)
        bases = (msgspec.Struct,) if depth else (beside,)
        fields = [(name, leaf | None if connection else leaf)]
        leaf = msgspec.defstruct("Level", fields, bases=bases, rename={name: key}, kw_only=True)
    return msgspec.json.Decoder(leaf)
