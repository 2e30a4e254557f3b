"""eBay's REST APIs as a function: a path and parameters in, an answer's bytes out.

What belongs here: access tokens, the headers that each API asks for, eBay's errors. What does not: which page to ask
for when (scan.py, connector.py).

An access token lives two hours; it is renewed with the refresh token, which stays the same for 18 months
(https://developer.ebay.com/api-docs/static/oauth-refresh-token-request.html). One that eBay refuses in mid-run is
renewed, as often as the refused one was good for something before: it may run out in one thread between another
thread's getting and using it.
"""

from __future__ import annotations

import base64
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeVar
from urllib.parse import urlencode

import msgspec

from retreasure_assets.errors import PermanentSourceError, SourceError
from retreasure_assets.sources.ebay.signing import Signer
from retreasure_assets.sources.http import Answer, HttpClient
from retreasure_assets.sources.slicing import malformed

T = TypeVar("T")

#: Seconds before its end at which a token is not used any more.
_MARGIN = 60.0
#: What eBay answers that this module reads itself, beside success.
_READ = frozenset({200, 204, 400, 401, 403, 404})


class _Token(msgspec.Struct):
    access_token: str
    expires_in: float = 7200.0


class _Error(msgspec.Struct, rename="camel"):
    error_id: int = 0


class _Errors(msgspec.Struct):
    errors: list[_Error] = []


class _OAuthError(msgspec.Struct):
    error: str = ""


@dataclass(slots=True)
class EbayClient:
    """Asks eBay on behalf of one seller. For several threads at once.

    Args:
        http: the HTTP layer; it carries no credential of its own.
        url: root of most APIs, such as https://api.ebay.com.
        finances_url: root of the Finances API, such as https://apiz.ebay.com.
        client_id, client_secret: the app's keys.
        refresh_token: the seller's consent.
        marketplace: for X-EBAY-C-MARKETPLACE-ID.
        signer: signs calls of the Finances API, where the seller must.
        monotonic: replaceable in tests.
    """

    http: HttpClient
    url: str
    finances_url: str
    client_id: str = field(repr=False)
    client_secret: str = field(repr=False)
    refresh_token: str = field(repr=False)
    marketplace: str
    signer: Signer | None = None
    monotonic: Callable[[], float] = time.monotonic
    _token: str = field(default="", repr=False)
    #: Those that were accepted.
    _good: set[str] = field(default_factory=set, repr=False)
    _ends: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def get(
        self,
        path: str,
        parameters: Mapping[str, str],
        parse: Callable[[bytes], T],
        *,
        purpose: str,
        none: T | None = None,
        absent: frozenset[int] = frozenset(),
    ) -> T:
        """GET and return what ``parse`` makes of the body.

        Args:
            path: from the API's root on, such as ``/sell/fulfillment/v1/order``.
            parameters: of the query.
            parse: reads the body; a MalformedInputError from it is worth another attempt.
            purpose: what is read, for messages: ``orders``.
            none: what 204 (nothing found) means; without it 204 is an error.
            absent: eBay's error numbers that mean the same.

        Raises:
            SourceError: by type; see :meth:`HttpClient.read`.
        """
        money = path.startswith("/sell/finances/")
        url = f"{self.finances_url if money else self.url}{path}"
        asked = f"{url}?{urlencode(parameters)}" if parameters else url
        parsed: list[T] = []

        def reader(answer: Answer) -> tuple[int, list[int]]:
            if answer.status == 200:
                parsed[:] = [parse(answer.body)]
            return answer.status, _error_ids(answer)

        refused = ""
        while True:
            token = self._access(refused=refused)
            headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
            if money:
                headers["X-EBAY-C-MARKETPLACE-ID"] = self.marketplace
                if self.signer is not None:
                    headers |= self.signer.headers("GET", url)
            status, ids = self.http.read("GET", asked, reader, headers=headers, accept=_READ)
            if status == 200:
                self._good.add(token)
                return parsed[0]
            if none is not None and (status == 204 or absent.intersection(ids)):
                return none
            if status != 401 or (refused and token not in self._good):
                break
            refused = token
        raise self._refusal(status, ids, purpose, money=money)

    def _access(self, *, refused: str) -> str:
        """An access token that is good for now, and another one than eBay has just ``refused``."""
        with self._lock:
            if self._token in ("", refused) or self.monotonic() >= self._ends:
                found = self._renewed()
                self._token = found.access_token
                self._ends = self.monotonic() + found.expires_in - _MARGIN
            return self._token

    def _renewed(self) -> _Token:
        basic = base64.b64encode(f"{self.client_id}:{self.client_secret}".encode()).decode()
        # Without a scope eBay grants all that the seller consented to.
        body = urlencode({"grant_type": "refresh_token", "refresh_token": self.refresh_token}).encode()
        found: list[_Token] = []

        def reader(answer: Answer) -> tuple[int, str]:
            if answer.status != 200:
                return answer.status, _oauth_error(answer.body)
            try:
                found[:] = [msgspec.json.decode(answer.body, type=_Token)]
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise malformed("eBay") from None
            return 200, ""

        status, error = self.http.read(
            "POST",
            f"{self.url}/identity/v1/oauth2/token",
            reader,
            body=body,
            headers={"Authorization": f"Basic {basic}", "Content-Type": "application/x-www-form-urlencoded"},
            accept=frozenset({200, 400, 401}),
        )
        if status == 200:
            return found[0]
        if status == 401 or error == "invalid_client":
            raise PermanentSourceError(
                "eBay does not accept the app's keys.",
                remedy="Check RETREASURE_EBAY_CLIENT_ID and RETREASURE_EBAY_CLIENT_SECRET, and that both are of the "
                "same environment as RETREASURE_EBAY_URL.",
            )
        raise PermanentSourceError(
            "eBay does not accept the refresh token: it has ended, was withdrawn, or belongs to another app.",
            remedy="Let the seller consent again, and set the new RETREASURE_EBAY_REFRESH_TOKEN.",
        )

    def _refusal(self, status: int, ids: list[int], purpose: str, *, money: bool) -> SourceError:
        """What a refused request means; eBay's own text is left out, it may quote values."""
        numbers = f", error {', '.join(str(number) for number in ids)}" if ids else ""
        said = f"(HTTP {status}{numbers})"
        if status == 401:
            return PermanentSourceError(
                f"eBay does not accept the access token for {purpose} {said}.",
                remedy="Let the seller consent again, and set the new RETREASURE_EBAY_REFRESH_TOKEN.",
            )
        if any(215_000 <= number < 216_000 for number in ids):
            remedy = (
                "Check that RETREASURE_EBAY_SIGNING_KEY and RETREASURE_EBAY_SIGNING_JWE are of one key, which has not "
                "expired, and that the machine's clock is right."
                if self.signer is not None
                else "Create a signing key with eBay's Key Management API, and set RETREASURE_EBAY_SIGNING_KEY and "
                "RETREASURE_EBAY_SIGNING_JWE."
            )
            return PermanentSourceError(f"eBay asks for a valid digital signature for {purpose} {said}.", remedy=remedy)
        if status == 403:
            return ScopeError(
                f"eBay denies access to {purpose} {said}: the seller's consent lacks a scope.",
                remedy=f"Let the seller consent to {_scope(purpose)}, and set the new RETREASURE_EBAY_REFRESH_TOKEN.",
            )
        if status == 404:
            setting = "RETREASURE_EBAY_FINANCES_URL" if money else "RETREASURE_EBAY_URL"
            return PermanentSourceError(f"eBay has no {purpose} at its address {said}.", remedy=f"Check {setting}.")
        if status == 204:
            return PermanentSourceError(
                f"eBay answers nothing for {purpose} {said}.", remedy="Check RETREASURE_EBAY_URL."
            )
        return PermanentSourceError(
            f"eBay refuses the request for {purpose} {said}.",
            remedy="Check RETREASURE_EBAY_MARKETPLACE and the account's state."
            if money
            else "Check RETREASURE_EBAY_URL and the account's state.",
        )


class ScopeError(PermanentSourceError):
    """The token may not read this."""


def _scope(purpose: str) -> str:
    if purpose in ("orders", "fulfillments"):
        return "sell.fulfillment.readonly"
    return "sell.finances" if purpose in ("transactions", "payouts") else "sell.inventory.readonly"


def _error_ids(answer: Answer) -> list[int]:
    if answer.status in (200, 204):
        return []
    try:
        return [error.error_id for error in msgspec.json.decode(answer.body, type=_Errors).errors]
    except (msgspec.DecodeError, UnicodeDecodeError):
        return []  # A gateway's own page: the status has to do.


def _oauth_error(body: bytes) -> str:
    try:
        return msgspec.json.decode(body, type=_OAuthError).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return ""
