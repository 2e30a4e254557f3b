"""Square's lists: records by their time, in order, page by page.

What belongs here: choosing, sorting and cursors, whatever the records are. What does not: which records there are, and
what may be asked of them (``square``).
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime

import msgspec

from retreasure_assets.sandbox.square_format import Json
from retreasure_assets.sandbox.square_requests import Range, RefusalError, moment

#: A record and the time by which it is found and sorted.
Timed = tuple[datetime, Json]


def between(records: Sequence[Json], key: str, period: Range) -> list[Timed]:
    """The records whose time lies in the period, both ends included, each with its time."""
    start, end = moment(period.start_at, key), moment(period.end_at, key)
    if start is not None and end is not None and start > end:
        raise RefusalError("INVALID_TIME_RANGE", "The time range begins after its end.", key)
    timed = [(datetime.fromisoformat(record[key]), record) for record in records]
    return [each for each in timed if (start is None or each[0] >= start) and (end is None or each[0] <= end)]


def in_order(records: list[Timed], descending: bool) -> list[Timed]:
    """By time, and by id where times are the same."""

    def place(each: Timed) -> tuple[datetime, str]:
        return each[0], str(each[1].get("id") or each[1].get("catalog_object_id"))

    return sorted(records, key=place, reverse=descending)


def signature_of(name: str, query: object) -> str:
    """What tells one query from another, in a cursor."""
    return hashlib.sha256(name.encode() + msgspec.json.encode(query)).hexdigest()[:16]


def page_of(name: str, records: list[Timed], cursor: str | None, limit: int, signature: str) -> Json:
    """One page; its cursor holds the query's signature and the place reached, and fits no other query."""
    start = 0
    if cursor is not None:
        try:
            owner, _, place = base64.urlsafe_b64decode(cursor.encode("ascii", "replace")).decode("ascii").partition(":")
            start = int(place)
        except ValueError:
            owner = ""
        if owner != signature:
            raise RefusalError("INVALID_CURSOR", "The cursor does not belong to this query.", "cursor")
    chosen = [record for _, record in records[start : start + limit]]
    answer: Json = {name: chosen} if chosen else {}
    if start + limit < len(records):
        answer["cursor"] = base64.urlsafe_b64encode(f"{signature}:{start + limit}".encode()).decode()
    return answer
