"""What the connector has to know of a record to read on: its time, its SKU, whether somebody wants it cancelled.

What belongs here: single fields of single records. What does not: judging a record; bronze does that once, at ingest,
so whatever cannot be read here travels on as it is.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from retreasure_assets.sources.cursors import time_writer
from retreasure_assets.sources.ebay.scan import iso
from retreasure_assets.sources.slicing import malformed

#: The state of an order that nobody wants to cancel.
_NO_REQUEST = "NONE_REQUESTED"

_written = time_writer(iso, r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class _CancelStatus(msgspec.Struct, rename="camel"):
    cancel_state: str | None = None


class _OrderHead(msgspec.Struct, rename="camel"):
    order_id: str = ""
    cancel_status: _CancelStatus | None = None


_ORDER = msgspec.json.Decoder(_OrderHead)


class _Sku(msgspec.Struct):
    sku: str = ""


def contested(record: bytes) -> str | None:
    """The id of an order that somebody wants, or wanted, to cancel; None of any other."""
    try:
        head = _ORDER.decode(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    state = head.cancel_status.cancel_state if head.cancel_status else None
    return None if state in (None, _NO_REQUEST) else head.order_id or None


def document(body: bytes) -> bytes:
    """A body that is one record: JSON, or worth another attempt."""
    try:
        _ORDER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed("eBay") from None
    return body


def sku_of(item: bytes) -> str:
    """An inventory item's SKU; empty where it has none."""
    try:
        return msgspec.json.decode(item, type=_Sku).sku
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""  # Bronze judges the item; without a SKU there is no offer to ask for.


def time_reader(key: str) -> Callable[[list[bytes]], list[str]]:
    """Reads the records' change times; a record without a readable one is skipped, bronze judges it."""
    head: Any = msgspec.defstruct("Timed", [("at", str)], rename={"at": key})
    decoder: msgspec.json.Decoder[Any] = msgspec.json.Decoder(head)

    def times(records: list[bytes]) -> list[str]:
        found = []
        for record in records:
            try:
                moment = _written(decoder.decode(record).at)
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            if moment:
                found.append(moment)
        return found

    return times
