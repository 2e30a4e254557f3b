"""How eBay writes things down: money, times, addresses, pages, errors.

What belongs here: what all of its APIs share. What does not: any one of them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec
from starlette.responses import Response

from retreasure_assets.sandbox.world_fx import rounded
from retreasure_assets.sandbox.world_types import Address

Json = dict[str, Any]

_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,3})?Z")
_RANGE = re.compile(rf"^\[({_TIME.pattern})\.\.({_TIME.pattern})?\]$")


class RefusalError(Exception):
    """A request that eBay does not take.

    Args:
        status: HTTP status.
        error_id: eBay's number of the error.
        message: what it says.
        domain: the API that says it.
    """

    def __init__(self, status: int, error_id: int, message: str, domain: str) -> None:
        super().__init__(message)
        self.status = status
        self.error_id = error_id
        self.message = message
        self.domain = domain

    def answer(self) -> Response:
        """As eBay sends it."""
        error = {
            "errorId": self.error_id,
            "domain": self.domain,
            "category": "REQUEST",
            "message": self.message,
            "longMessage": self.message,
        }
        return answer({"errors": [error]}, self.status)


def answer(payload: Json, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(msgspec.json.encode(payload), status_code=status, media_type="application/json")


def iso(at: datetime) -> str:
    """2026-01-05T10:00:00.000Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


def money(amount: Decimal, currency: str) -> Json:
    """An amount in the currency of the marketplace."""
    return {"value": f"{amount:.2f}", "currency": currency}


def settled(amount: Decimal, currency: str, rate: Decimal) -> Json:
    """An amount in EUR as settled; where the sale was in another currency, with that and eBay's rate."""
    if currency == "EUR":
        return money(amount, "EUR")
    return {
        **money(amount, "EUR"),
        "convertedFromValue": f"{rounded(amount / rate, currency):.2f}",
        "convertedFromCurrency": currency,
        "exchangeRate": f"{rate}",
    }


def contact(address: Address, email: str | None, *, named: bool) -> Json:
    """ExtendedContact: without names, street and telephone where eBay shows them no longer."""
    place: Json = {
        "city": address.city,
        "postalCode": address.zip,
        "countryCode": address.country_code,
    }
    if address.province:
        place["stateOrProvince"] = address.province_code or address.province
    found: Json = {"contactAddress": place}
    if named:
        place["addressLine1"] = address.address1
        if address.address2:
            place["addressLine2"] = address.address2
        found["fullName"] = address.name
        if address.company:
            found["companyName"] = address.company
        if address.phone:
            found["primaryPhone"] = {"phoneNumber": address.phone}
    if email is not None:
        found["email"] = email
    return found


def filters(text: str | None) -> dict[str, str]:
    """The terms of a ``filter`` parameter by name: ``name:[...]`` and ``name:{...}``, separated by commas."""
    return dict(re.findall(r"(\w+):(\[[^\]]*\]|\{[^}]*\})", text or ""))


def period(term: str) -> tuple[datetime, datetime | None] | None:
    """The ends of ``[a..b]`` or ``[a..]``; None where it is neither."""
    match = _RANGE.match(term)
    if match is None:
        return None
    ends = [datetime.fromisoformat(end) if end else None for end in match.groups()]
    return (ends[0], ends[1]) if ends[0] is not None else None


def whole(query: Mapping[str, str], name: str, default: int, low: int, high: int, refusal: RefusalError) -> int:
    """A whole number among the parameters.

    Raises:
        RefusalError: it is none, or out of bounds.
    """
    text = query.get(name)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or not low <= int(text) <= high:
        raise refusal
    return int(text)


def page(
    key: str, records: Sequence[bytes], total: int, path: str, limit: int, offset: int, following: int
) -> Response:
    """A page of records that are JSON already.

    Args:
        key: what they are called.
        records: of this page.
        total: how many there are in all.
        path: of the request, with its parameters but limit and offset.
        limit, offset: as asked for.
        following: offset of the next page, 0 where there is none.
    """
    joiner = "&" if "?" in path else "?"
    head: Json = {"href": f"{path}{joiner}limit={limit}&offset={offset}", "total": total, "limit": limit}
    if following:
        head["next"] = f"{path}{joiner}limit={limit}&offset={following}"
    body = msgspec.json.encode(head)[:-1] + b',"' + key.encode() + b'":[' + b",".join(records) + b"]"
    if key != "inventoryItems":
        body += b',"offset":' + str(offset).encode()
    return Response(body + b"}", media_type="application/json")
