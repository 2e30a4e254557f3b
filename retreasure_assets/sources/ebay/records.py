"""What the connector has to know of a record to read on: its time, its SKU, whether somebody wants it cancelled.

What belongs here: single fields of single records. What does not: judging a record; bronze does that once, at ingest,
so whatever cannot be read here travels on as it is.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import msgspec

from retreasure_assets.sources.slicing import malformed

#: The state of an order that nobody wants to cancel.
_NO_REQUEST = "NONE_REQUESTED"


class _CancelStatus(msgspec.Struct, rename="camel"):
    cancel_state: str | None = None


class Head(msgspec.Struct, rename="camel"):
    """A record's change time, and of an order its id, its time and whether somebody wants it cancelled."""

    at: str | None = None
    order_id: str | None = None
    creation_date: str | None = None
    cancel_status: _CancelStatus | None = None


_HEAD = msgspec.json.Decoder(Head)


class _Sku(msgspec.Struct):
    sku: str = ""


def contested(head: Head | None) -> str | None:
    """The id of an order that somebody wants, or wanted, to cancel; None of any other."""
    if head is None or head.cancel_status is None or head.cancel_status.cancel_state in (None, _NO_REQUEST):
        return None
    return head.order_id or None


def of_order(head: Head, fulfillment: bytes) -> bytes:
    """A fulfilment, which does not say of which order it is, with the order's id and time."""
    order = msgspec.json.encode({"orderId": head.order_id, "creationDate": head.creation_date})
    return b'{"order":%s,"fulfillment":%s}' % (order, fulfillment)


def document(body: bytes) -> bytes:
    """A body that is one record: JSON, or worth another attempt."""
    try:
        _HEAD.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise malformed("eBay") from None
    return body


def sku_of(item: bytes) -> str:
    """An inventory item's SKU; empty where it has none."""
    try:
        return msgspec.json.decode(item, type=_Sku).sku
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""  # Bronze judges the item; without a SKU there is no offer to ask for.


@lru_cache
def head_decoder(time_key: str) -> msgspec.json.Decoder[Any]:
    """Reads a record's :class:`Head`, with ``time_key`` as its change time."""
    return msgspec.json.Decoder(
        msgspec.defstruct("Timed", [("at", str | None, None)], bases=(Head,), rename={"at": time_key})
    )
