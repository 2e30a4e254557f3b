"""What the connector has to know of a record to read on: its time, its SKU, whether somebody wants it cancelled.

What belongs here: single fields of single records. What does not: judging a record; bronze does that once, at ingest,
so whatever cannot be read here travels on as it is.
"""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from retreasure_assets.sources.cursors import parse_time
from retreasure_assets.sources.ebay.scan import iso
from retreasure_assets.sources.slicing import malformed

#: The state of an order that nobody wants to cancel.
_NO_REQUEST = "NONE_REQUESTED"


class _CancelStatus(msgspec.Struct, rename="camel"):
    cancel_state: str | None = None


class _OrderHead(msgspec.Struct, rename="camel"):
    order_id: str = ""
    cancel_status: _CancelStatus | None = None


class _Sku(msgspec.Struct):
    sku: str = ""


def contested(record: bytes) -> str | None:
    """The id of an order that somebody wants, or wanted, to cancel; None of any other."""
    try:
        head = msgspec.json.decode(record, type=_OrderHead)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    state = head.cancel_status.cancel_state if head.cancel_status else None
    return None if state in (None, _NO_REQUEST) else head.order_id or None


def document(body: bytes) -> bytes:
    """A body that is one record: JSON, or worth another attempt."""
    try:
        msgspec.json.decode(body, type=_OrderHead)
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
    head = msgspec.defstruct("Timed", [("at", str)], rename={"at": key})
    decoder = msgspec.json.Decoder(head)

    def times(records: list[bytes]) -> list[str]:
        found = []
        for record in records:
            try:
                moment = parse_time(decoder.decode(record).at)  # type: ignore[attr-defined]
            except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                continue
            if moment is not None:
                found.append(iso(moment))
        return found

    return times
