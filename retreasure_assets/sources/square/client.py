"""Square's REST conventions: one page asked for and cut into records, and errors by their codes.

What belongs here: what every endpoint shares. What does not: which endpoints there are (requests.py) and the order of
pages (connector.py).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NoReturn
from urllib.parse import urlencode

import msgspec

from retreasure_assets.errors import PermanentSourceError, TransientSourceError
from retreasure_assets.sources.http import Answer, HttpClient
from retreasure_assets.sources.http_errors import public_url
from retreasure_assets.sources.slicing import malformed

#: The version of the API that the contract is of: header ``Square-Version``.
API_VERSION = "2025-08-20"

#: Statuses whose body says more than the status: Square's error codes.
_EXPLAINED = frozenset({200, 400, 401, 403, 404})
#: An error's code; anything else in its place is not repeated.
_CODE = re.compile(r"[A-Z][A-Z0-9_]{2,60}")
_CURSOR_CODES = frozenset({"INVALID_CURSOR", "EXPIRED_CURSOR"})


class StaleCursorError(PermanentSourceError):
    """Square no longer knows the page cursor: it is old, or of another version of the API."""


class _Error(msgspec.Struct):
    code: str = ""
    field: str | None = None


class _Errors(msgspec.Struct):
    errors: list[_Error] | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """A request, without its page cursor.

    Args:
        method: GET or POST.
        path: below the server's address.
        parameters: of the query string (GET) or of the JSON body (POST).
        records: the answer's field that holds the records.
        paged: whether the endpoint takes a cursor.
    """

    method: str
    path: str
    parameters: Mapping[str, Any]
    records: str
    paged: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its records' own bytes, and the cursor of the next one (None at the end)."""

    records: list[bytes]
    next_cursor: str | None


class SquareClient:
    """Asks one seller's account.

    Args:
        http: carries the token and the version.
        base_url: the server, without a slash at its end.
    """

    def __init__(self, http: HttpClient, base_url: str) -> None:
        self._http = http
        self._base_url = base_url

    def page(self, call: Call, cursor: str | None = None) -> Page:
        """One page of a list.

        Raises:
            StaleCursorError: the cursor is none of Square's any more.
            SourceError: by type.
        """
        url, body = self._encoded(call, cursor)
        decoder = _decoder(call.records)

        def read(answer: Answer) -> Page:
            _judge(answer, call.path)
            try:
                found = decoder.decode(answer.body)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                raise malformed("Square") from None
            if found.errors:
                _refuse(found.errors, call.path, answer.status)
            return Page([bytes(record) for record in found.records or ()], found.cursor or None)

        return self._http.read(call.method, url, read, body=body, headers=_headers(body), accept=_EXPLAINED)

    def scopes(self) -> frozenset[str] | None:
        """What the token may do; None where Square does not say (a personal token may do everything).

        Raises:
            SourceError: by type.
        """

        def read(answer: Answer) -> frozenset[str] | None:
            _judge(answer, "/oauth2/token/status")
            try:
                found = msgspec.json.decode(answer.body, type=_TokenStatus)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise malformed("Square") from None
            return None if found.scopes is None else frozenset(found.scopes)

        return self._http.read("POST", f"{self._base_url}/oauth2/token/status", read, accept=_EXPLAINED)

    def origin(self, call: Call, cursor: str | None) -> str:
        """Where a page's records came from: the address, and the page's cursor."""
        return f"{public_url(self._base_url + call.path)}[{cursor or 'first'}]"

    def _encoded(self, call: Call, cursor: str | None) -> tuple[str, bytes | None]:
        # The very same query with every cursor: Square refuses a cursor that comes with another.
        parameters = {**call.parameters, **({"cursor": cursor} if cursor else {})}
        url = self._base_url + call.path
        if call.method == "POST":
            return url, msgspec.json.encode(parameters)
        return (f"{url}?{urlencode(parameters)}" if parameters else url), None


class _TokenStatus(msgspec.Struct):
    scopes: list[str] | None = None


def _headers(body: bytes | None) -> Mapping[str, str]:
    return {} if body is None else {"Content-Type": "application/json"}


@lru_cache
def _decoder(records: str) -> msgspec.json.Decoder[Any]:
    # A list without any records is left out of the answer altogether.
    fields: list[tuple[str, Any, Any]] = [
        ("records", list[msgspec.Raw] | None, None),
        ("cursor", str | None, None),
        ("errors", list[_Error] | None, None),
    ]
    return msgspec.json.Decoder(msgspec.defstruct("Listing", fields, rename={"records": records}))


def _judge(answer: Answer, path: str) -> None:
    """Raise the error that a status other than 200 stands for, by the codes in its body."""
    if answer.status == 200:
        return
    try:
        errors = msgspec.json.decode(answer.body, type=_Errors).errors or []
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        errors = []
    _refuse(errors, path, answer.status)


def _refuse(errors: list[_Error], path: str, status: int) -> NoReturn:
    """The error for Square's codes; details are not repeated, they may quote what was sent."""
    codes = [error.code for error in errors if _CODE.fullmatch(error.code)]
    said = f"HTTP {status}{', ' if codes else ''}{', '.join(codes)}"
    if _CURSOR_CODES.intersection(codes) or any("cursor" in (error.field or "") for error in errors):
        raise StaleCursorError(f"Square does not accept the page cursor ({said}).", remedy="Run again.")
    if "RATE_LIMITED" in codes:
        raise TransientSourceError(f"Square limits the rate of requests ({said}).", remedy="Try again later.")
    if "ACCESS_TOKEN_EXPIRED" in codes or "ACCESS_TOKEN_REVOKED" in codes:
        raise PermanentSourceError(
            f"The access token of Square is no longer valid ({said}).",
            remedy="Renew it in Square's Developer Console and set RETREASURE_SQUARE_TOKEN.",
        )
    if "INSUFFICIENT_SCOPES" in codes or status == 403:
        raise PermanentSourceError(
            f"Square refuses access to {path} ({said}).",
            remedy="Grant the access token of RETREASURE_SQUARE_TOKEN the scope; docs/connecting/square.md lists them.",
        )
    if status == 401:
        raise PermanentSourceError(
            f"Square does not accept the credential ({said}).", remedy="Check RETREASURE_SQUARE_TOKEN."
        )
    if status == 404:
        raise PermanentSourceError(
            f"Square has nothing at {path} ({said}).", remedy="Check RETREASURE_SQUARE_URL and the account."
        )
    raise PermanentSourceError(
        f"Square refuses the request to {path} ({said}).",
        remedy="Check RETREASURE_SQUARE_URL and the account's state.",
    )
