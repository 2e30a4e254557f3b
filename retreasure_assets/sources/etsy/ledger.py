"""The payment account: ledger entries in windows of at most 31 days, and the payments that they tell of.

What belongs here: windows and pages. What does not: what an entry means; silver reads that.

Both ends of a window are fixed before its first page, so that entries booked meanwhile shift nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from retreasure_assets.sources.etsy.client import MAX_PAGE, EtsyClient, Page
from retreasure_assets.sources.etsy.entities import SCOPES
from retreasure_assets.sources.etsy.state import Scan, Step

#: Seconds that a window may span (Etsy refuses a longer one).
SPAN = 2_678_400

_LEDGER = "payment-account/ledger-entries"


class _Adjustment(msgspec.Struct):
    payment_id: int | None = None


class _Entry(msgspec.Struct):
    entry_id: int = 0
    created_timestamp: int = 0
    ledger_type: str = ""
    payment_adjustments: list[_Adjustment] | None = None


_entry = msgspec.json.Decoder(_Entry).decode


def read_entries(client: EtsyClient, scan: Scan) -> Iterator[Step]:
    """The ledger's pages from ``scan.at`` up to ``scan.until``."""
    state = scan
    while True:
        page = _page(client, state)
        seen = max([state.seen, *(entry.created_timestamp for entry in map(_read, page.records))])
        after = _after(state, len(page.records), seen)
        yield Step(page.records, _origin(page, state), after, seen)
        if after is None:
            return
        state = after


def read_payments(client: EtsyClient, scan: Scan) -> Iterator[Step]:
    """The payments that ledger entries tell of: those paid, and those of which something came back.

    They are asked for a hundred at a time, gathered from as many pages of a window as it takes.
    """
    state = scan
    paid: dict[int, None] = {}
    given_back: dict[int, None] = {}
    while True:
        page = _page(client, state)
        entries = [_read(record) for record in page.records]
        paid |= dict.fromkeys(
            entry.entry_id
            for entry in entries
            if entry.entry_id and entry.ledger_type.upper() in ("PAYMENT", "PAYMENT_GROSS")
        )
        given_back |= dict.fromkeys(
            adjustment.payment_id
            for entry in entries
            for adjustment in entry.payment_adjustments or ()
            if adjustment.payment_id
        )
        seen = max([state.seen, *(entry.created_timestamp for entry in entries)])
        after = _after(state, len(page.records), seen)
        if after is None or after.at != state.at or max(len(paid), len(given_back)) >= MAX_PAGE:
            records = [
                *_asked(client, f"{_LEDGER}/payments", "ledger_entry_ids", list(paid)),
                *_asked(client, "payments", "payment_ids", list(given_back)),
            ]
            yield Step(records, f"{page.origin}/payments#{state.at}+{state.offset}", after, seen)
            paid, given_back = {}, {}
        if after is None:
            return
        state = after


def _asked(client: EtsyClient, path: str, name: str, numbers: Sequence[int]) -> Iterator[bytes]:
    for start in range(0, len(numbers), MAX_PAGE):
        query: dict[str, str | int] = {name: ",".join(map(str, numbers[start : start + MAX_PAGE]))}
        yield from client.page(path, query, scope=SCOPES["payments"], purpose="payments").records


def _page(client: EtsyClient, state: Scan) -> Page:
    query: dict[str, str | int] = {
        "min_created": state.at,
        "max_created": _end(state),
        "limit": MAX_PAGE,
        "offset": state.offset,
    }
    return client.page(_LEDGER, query, scope=SCOPES["ledger_entries"], purpose="the payment account's ledger")


def _end(state: Scan) -> int:
    return min(state.at + SPAN, state.until)


def _after(state: Scan, found: int, seen: int) -> Scan | None:
    """Where the page after one of ``found`` entries begins; None when it was the last one."""
    if found >= MAX_PAGE:
        return msgspec.structs.replace(state, offset=state.offset + MAX_PAGE, seen=seen)
    end = _end(state)
    if end >= state.until:
        return None
    # The second that two windows share is read twice rather than never.
    return msgspec.structs.replace(state, at=end, offset=0, seen=seen)


def _origin(page: Page, state: Scan) -> str:
    return f"{page.origin}#{state.at}+{state.offset}"


def _read(record: bytes) -> _Entry:
    try:
        return _entry(record)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Entry()
