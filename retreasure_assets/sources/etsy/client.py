"""Etsy's Open API v3 as a function: a path and its query in, an answer's bytes out.

What belongs here: the address, the two credentials of every request, refusals. What does not: which page to ask for
next (receipts.py, ledger.py, listings.py).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from urllib.parse import urlencode

from retreasure_assets.errors import PermanentSourceError
from retreasure_assets.sources.etsy.limits import RequestRate
from retreasure_assets.sources.etsy.tokens import Tokens
from retreasure_assets.sources.http import Answer, HttpClient
from retreasure_assets.sources.slicing import slice_records

T = TypeVar("T")

BASE_URL = "https://openapi.etsy.com"
#: Records that one page may hold.
MAX_PAGE = 100

_SCOPE = re.compile(rb"\b[a-z]+_[rwd]\b")


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list: each record's own bytes, and the address it came from, without the query's values."""

    records: list[bytes]
    origin: str


@dataclass(slots=True)
class EtsyClient:
    """Asks one shop.

    Args:
        http: carries ``x-api-key``; its limiter is ``rate``.
        tokens: gives the bearer token.
        rate: told what every answer says of the limit.
        base_url: the server.
        shop_id: the shop.
    """

    http: HttpClient
    tokens: Tokens
    rate: RequestRate
    base_url: str
    shop_id: int

    def page(self, path: str, query: Mapping[str, str | int], *, scope: str, purpose: str) -> Page:
        """A page of a list that belongs to the shop.

        Args:
            path: below the shop, such as ``receipts``.
            query: its parameters.
            scope: what the token must allow for it.
            purpose: what is read, for messages.

        Raises:
            SourceError: see :meth:`get`.
        """
        whole = f"shops/{self.shop_id}/{path}"
        records = self.get(
            whole,
            query,
            lambda body: slice_records(body, ("results",), source="Etsy"),
            scope=scope,
            purpose=purpose,
        )
        return Page(records, f"{self.base_url}/v3/application/{whole}")

    def get(
        self,
        path: str,
        query: Mapping[str, str | int],
        parse: Callable[[bytes], T],
        *,
        scope: str | None,
        purpose: str,
    ) -> T:
        """GET a path below ``/v3/application``; see :meth:`page`.

        Args:
            parse: reads the body; a MalformedInputError from it is worth another attempt.

        Raises:
            PermanentSourceError: the key, the token or its scopes do not open this.
            SourceError: see :meth:`HttpClient.read`.
        """
        url = f"{self.base_url}/v3/application/{path}"
        if query:
            # A comma separates the values of a list: Etsy's own way to write them.
            url += "?" + urlencode(query, safe=",")
        return self.send("GET", url, parse, scope=scope, purpose=purpose)

    def send(
        self,
        method: str,
        url: str,
        parse: Callable[[bytes], T],
        *,
        scope: str | None,
        purpose: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> T:
        """Send a request with both credentials; an access token that ended meanwhile is renewed, once."""
        parsed: list[T] = []

        def read(answer: Answer) -> Answer:
            self.rate.observe(answer.headers)
            if answer.status == 200:
                parsed[:] = [parse(answer.body)]
            return answer

        refused: str | None = None
        while True:
            token = self.tokens.access(refused)
            answer = self.http.read(
                method,
                url,
                read,
                body=body,
                headers={**(headers or {}), "Authorization": f"Bearer {token}"},
                accept=frozenset({200, 401, 403}),
            )
            if answer.status == 200:
                return parsed[0]
            if answer.status == 403:
                raise _forbidden(answer, scope, purpose)
            if refused is not None:
                raise PermanentSourceError(
                    "Etsy accepts neither the app's key nor a new access token (HTTP 401).",
                    remedy="Check RETREASURE_ETSY_KEYSTRING and RETREASURE_ETSY_SHARED_SECRET against the app on Etsy.",
                )
            refused = token


def _forbidden(answer: Answer, scope: str | None, purpose: str) -> PermanentSourceError:
    """Etsy's own text is left out but for the scopes that it names."""
    named = sorted({found.decode() for found in _SCOPE.findall(answer.body)})
    scopes = named or ([scope] if scope else [])
    if scopes:
        return PermanentSourceError(
            f"Etsy denies access to {purpose}: the token lacks the scope {' or '.join(scopes)} (HTTP 403).",
            remedy=f"Connect the app again with {' and '.join(scopes)}, and update RETREASURE_ETSY_REFRESH_TOKEN.",
        )
    return PermanentSourceError(
        f"Etsy denies access to {purpose} (HTTP 403).",
        remedy="Check that RETREASURE_ETSY_SHOP_ID is the shop that the app is connected to.",
    )
