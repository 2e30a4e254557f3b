"""Records of an answer, moved about and spoiled.

What belongs here: finding the records in an answer's bytes and changing them; a record that is not changed keeps its
bytes. What does not: when that happens (``faults``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from random import Random
from typing import Any

import msgspec

from retreasure_assets.sandbox.face import Records
from retreasure_assets.sandbox.world_random import pick

#: What a spoiled total is off by, in units; in minor units where it is a whole number.
_OFF_BY = 7
_NEW_FIELD = "x_sandbox_field_of_tomorrow"
_NEW_VALUE = "SANDBOX_VALUE_OF_TOMORROW"

_OBJECT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_LIST = msgspec.json.Decoder(list[msgspec.Raw])

Change = Callable[[list[bytes]], list[bytes]]


@dataclass(frozen=True, slots=True)
class Spoiled:
    """A record with a planted defect or novelty: of which face, in which list, its id, what was done to it, where."""

    face: str
    records: str
    id: str
    kind: str
    field: str


def edit(body: bytes, path: str, change: Change) -> bytes | None:
    """The answer with another list of records at ``path``; None where there is no such list."""
    return _edit(body, path.split(".") if path else [], change)


def _edit(value: bytes | msgspec.Raw, keys: Sequence[str], change: Change) -> bytes | None:
    try:
        if not keys:
            return b"[" + b",".join(change([bytes(record) for record in _LIST.decode(value)])) + b"]"
        fields = _OBJECT.decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if keys[0] not in fields:
        return None
    inner = _edit(fields[keys[0]], keys[1:], change)
    if inner is None:
        return None
    parts = (inner if key == keys[0] else bytes(raw) for key, raw in fields.items())
    return (
        b"{" + b",".join(msgspec.json.encode(key) + b":" + part for key, part in zip(fields, parts, strict=True)) + b"}"
    )


def records_in(body: bytes, path: str) -> list[bytes] | None:
    """The records at ``path``; None where there is no such list."""
    found: list[list[bytes]] = []

    def keep(records: list[bytes]) -> list[bytes]:
        found.append(records)
        return records

    edit(body, path, keep)
    return found[0] if found else None


def value_at(value: Any, path: str) -> Any:
    """What is at a dotted path, None where nothing is."""
    for key in path.split("."):
        value = value.get(key) if isinstance(value, dict) else None
    return value


def follows(body: bytes, records: Records) -> bool:
    """Whether the answer says that another page follows."""
    return records.more is not None and bool(value_at(msgspec.json.decode(body), records.more))


def spoil(record: bytes, kind: str, declared: Records, rng: Random) -> tuple[bytes, str] | None:
    """The record with a defect or novelty of ``kind`` and the field concerned; None where it cannot have it."""
    value = msgspec.json.decode(record)
    if not isinstance(value, dict):
        return None
    if kind == "malformed":
        return msgspec.json.encode(record[: len(record) // 2].decode("utf-8", "ignore")), ""
    if kind == "unknown":
        return msgspec.json.encode({**value, _NEW_FIELD: {"of": [1, None, "x"]}}), _NEW_FIELD
    if kind == "enum":
        return _put(value, pick(rng, declared.enums), lambda _: _NEW_VALUE) if declared.enums else None
    if kind == "totals":
        return _put(value, declared.total, _off) if declared.total else None
    path = pick(rng, (declared.id, *declared.required))
    return _put(value, path, (lambda _: None) if kind == "null" else None)


def _put(value: dict[str, Any], path: str, new: Callable[[Any], Any] | None) -> tuple[bytes, str] | None:
    """With another value at ``path``, or (for None) without it."""
    *way, last = path.split(".")
    parent = value_at(value, ".".join(way)) if way else value
    if not isinstance(parent, dict) or parent.get(last) is None:
        return None
    if new is None:
        del parent[last]
    else:
        parent[last] = new(parent[last])
    return msgspec.json.encode(value), path


def _off(amount: Any) -> Any:
    if isinstance(amount, str):
        try:
            return str(Decimal(amount) + _OFF_BY)
        except InvalidOperation:
            return amount
    return amount + 100 * _OFF_BY if isinstance(amount, int) else amount + _OFF_BY
