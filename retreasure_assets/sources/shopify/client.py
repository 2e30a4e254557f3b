"""Shopify's Admin GraphQL API as a function: a document in, an answer's bytes out.

What belongs here: the endpoint, GraphQL errors, cost-based rate limits, page sizes. What does not: which document
to send when; scan.py, bulk.py and nested.py decide that.

Shopify charges every query against a bucket of points that fills at 100 to 2,000 points a second by plan
(https://shopify.dev/docs/api/usage/limits); a single query may not cost more than 1,000.
"""

from __future__ import annotations

import logging
import math
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar, cast

import msgspec

from retreasure_assets.errors import PermanentSourceError, SourceError, TransientSourceError
from retreasure_assets.sources.http import Answer, HttpClient
from retreasure_assets.sources.slicing import Page, malformed, page_at, page_decoder

T = TypeVar("T")

log = logging.getLogger(__name__)

API_VERSION = "2026-10"
#: Points that one query may cost, whatever the plan.
MAX_QUERY_COST = 1000.0
#: Objects that one page may hold.
MAX_PAGE = 250
#: How often a throttled query is sent again. Each wait is as long as the bucket needs, so more than a few mean
#: that somebody else uses up the points as fast as they come.
MAX_THROTTLES = 20


class CostTooHighError(PermanentSourceError):
    """The query costs more than Shopify allows for one: ask for fewer objects."""


class GraphqlRefusalError(PermanentSourceError):
    """Shopify refuses the document itself: a field, an argument or a scope."""


class _ErrorExtensions(msgspec.Struct, rename="camel"):
    code: str | None = None
    required_access: str | None = None


class _Error(msgspec.Struct):
    message: str = ""
    extensions: _ErrorExtensions | None = None


class _ThrottleStatus(msgspec.Struct, rename="camel"):
    maximum_available: float = 0.0
    currently_available: float = 0.0
    restore_rate: float = 0.0


class _Cost(msgspec.Struct, rename="camel"):
    requested_query_cost: float | None = None
    throttle_status: _ThrottleStatus | None = None


class _Search(msgspec.Struct):
    warnings: list[msgspec.Raw] = []


class _Extensions(msgspec.Struct):
    cost: _Cost | None = None
    search: list[_Search] | None = None


class _Envelope(msgspec.Struct):
    errors: msgspec.Raw = msgspec.Raw(b"null")
    extensions: _Extensions | None = None


_ENVELOPE = msgspec.json.Decoder(_Envelope)
_ERRORS = msgspec.json.Decoder(list[_Error] | None)


@dataclass(slots=True)
class CostBudget:
    """The bucket as last seen, and how long until it holds what the next query needs (a RateLimiter)."""

    monotonic: Callable[[], float] = time.monotonic
    #: Points that the next query is expected to need.
    needed: float = 0.0
    maximum: float = 0.0
    _available: float = 0.0
    _restore_rate: float = 0.0
    _seen_at: float = 0.0

    def observe(self, status: _ThrottleStatus) -> None:
        """Take over what an answer says about the bucket."""
        self.maximum = status.maximum_available
        self._available = status.currently_available
        self._restore_rate = status.restore_rate
        self._seen_at = self.monotonic()

    def delay(self) -> float:
        """Seconds until the bucket holds what is needed; 0 while nothing is known."""
        if self._restore_rate <= 0:
            return 0.0
        available = self._available + (self.monotonic() - self._seen_at) * self._restore_rate
        missing = min(self.needed, self.maximum) - available
        # Rounded up to the millisecond, so that rounding never leaves it a fraction of a point short.
        return math.ceil(1000 * missing / self._restore_rate) / 1000 if missing > 0 else 0.0


@dataclass(slots=True)
class PageSize:
    """How many objects to ask for at a time: doubled until it is too costly, then halved.

    What twice as many will cost is not published; a page of 250 was seen to cost not even twice one of 25. So it is
    tried, once: a query that is refused costs nothing. Afterwards a page grows only where it would be cheap anyhow.
    """

    size: int
    limit: int = MAX_PAGE
    refused: bool = False

    def shrink(self) -> bool:
        """Halve; False when there is nothing left to halve."""
        if self.size <= 1:
            return False
        self.refused = True
        self.limit = self.size - 1
        self.size //= 2
        return True

    def learn(self, requested_cost: float | None, bucket: float) -> None:
        """Grow, unless that was too costly before and twice the page would not cost well under what a query may."""
        allowed = min(MAX_QUERY_COST, bucket or MAX_QUERY_COST)
        if requested_cost is not None and (not self.refused or requested_cost * 2.2 <= allowed):
            self.size = min(self.size * 2, self.limit)


@dataclass(frozen=True, slots=True)
class _Reply:
    cost: float | None
    throttled: bool


@dataclass(slots=True)
class GraphqlClient:
    """Sends documents to one shop.

    Args:
        http: carries the access token; its limiter is this client's budget.
        url: the GraphQL endpoint.
        budget: the bucket of points.
        sleep: replaceable in tests.
    """

    http: HttpClient
    url: str
    budget: CostBudget
    sleep: Callable[[float], None] = time.sleep
    _costs: dict[str, float] = field(default_factory=dict)
    _version_noted: bool = False

    def run(
        self,
        document: str,
        variables: Mapping[str, Any],
        parse: Callable[[bytes], T],
        *,
        purpose: str,
        pages: PageSize | None = None,
    ) -> T:
        """Send a document and return what ``parse`` makes of the answer's bytes.

        Args:
            document, variables: the query.
            parse: reads the body; a MalformedInputError from it is worth another attempt.
            purpose: the entity, for messages: ``orders``.
            pages: told what the query was said to cost, and its size scales the cost expected of the next.

        Raises:
            CostTooHighError: ask for less.
            GraphqlRefusalError: Shopify will not run this document.
            SourceError: see :meth:`HttpClient.read`.
        """

        def read(answer: Answer) -> tuple[_Reply, T | None]:
            reply = self._judge(answer, purpose)
            return reply, None if reply.throttled else parse(answer.body)

        # What was read is None for a throttled answer only, unless ``parse`` says None itself.
        return cast("T", self._exchange(document, variables, read, purpose, pages))

    def page(
        self,
        document: str,
        variables: Mapping[str, Any],
        path: tuple[str, ...],
        *,
        purpose: str,
        pages: PageSize | None = None,
    ) -> Page | None:
        """Send a document and return the page of the connection at ``path``; None where the shop has none such.

        The answer's envelope and the page are read in one pass. Errors are those of :meth:`run`.
        """
        decoder = page_decoder(path, _Envelope)

        def read(answer: Answer) -> tuple[_Reply, Page | None]:
            try:
                envelope = decoder.decode(answer.body)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                # An answer that reports errors may hold no data.
                if not (reply := self._judge(answer, purpose)).throttled:
                    raise malformed("Shopify") from None
                return reply, None
            reply = self._judge(answer, purpose, envelope)
            return reply, None if reply.throttled else page_at(envelope, path, source="Shopify")

        return self._exchange(document, variables, read, purpose, pages)

    def _exchange(
        self,
        document: str,
        variables: Mapping[str, Any],
        read: Callable[[Answer], tuple[_Reply, T | None]],
        purpose: str,
        pages: PageSize | None,
    ) -> T | None:
        """Send a document, again for as long as Shopify throttles it."""
        body = msgspec.json.encode({"query": document, "variables": variables})
        size = pages.size if pages else 1
        for _ in range(MAX_THROTTLES):
            # A document's cost is proportional to the objects it asks for, at most.
            self.budget.needed = self._costs.get(document, 0.0) * size
            headers = {"Content-Type": "application/json"}
            reply, found = self.http.read("POST", self.url, read, body=body, headers=headers)
            if reply.cost is not None:
                if self.budget.maximum and reply.cost > self.budget.maximum:
                    raise _too_costly(purpose)
                self._costs[document] = reply.cost / size
            if not reply.throttled:
                if pages is not None:
                    pages.learn(reply.cost, self.budget.maximum)
                return found
            self.budget.needed = reply.cost or MAX_QUERY_COST
            # A second when there is no word on the bucket, or it is full and Shopify throttles all the same.
            wait = self.budget.delay() or 1.0
            log.debug("Shopify throttles %s: waiting %.2f s", purpose, wait)
            self.sleep(wait)
        raise TransientSourceError(
            f"Shopify kept throttling {purpose}; something else uses up the shop's rate limit.",
            remedy="Try again later, or stop the other program that uses this token.",
        )

    def _judge(self, answer: Answer, purpose: str, envelope: _Envelope | None = None) -> _Reply:
        """Read the envelope, unless that is done, and raise the error that it carries."""
        self._note_version(answer)
        if envelope is None:
            try:
                envelope = _ENVELOPE.decode(answer.body)
            except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
                raise malformed("Shopify") from None
        cost: float | None = None
        if envelope.extensions and envelope.extensions.cost:
            cost = envelope.extensions.cost.requested_query_cost
            if envelope.extensions.cost.throttle_status:
                self.budget.observe(envelope.extensions.cost.throttle_status)
        try:
            errors = _ERRORS.decode(envelope.errors) or []
        except msgspec.DecodeError:
            errors = [_Error()]
        codes = {error.extensions.code for error in errors if error.extensions and error.extensions.code}
        throttled = "THROTTLED" in codes or any(error.message.strip().lower() == "throttled" for error in errors)
        if errors and not throttled:
            raise _refusal(errors, codes, purpose)
        if envelope.extensions and any(found.warnings for found in envelope.extensions.search or []):
            # Shopify ignores a search term that it does not know, and answers with everything.
            raise GraphqlRefusalError(
                f"Shopify does not understand the search for {purpose}, and would ignore it.",
                remedy=f"Check that the shop serves Admin API version {API_VERSION} at RETREASURE_SHOPIFY_URL.",
            )
        return _Reply(cost, throttled)

    def _note_version(self, answer: Answer) -> None:
        """Shopify serves the oldest supported version in place of an expired one, and says so in a header."""
        served = answer.headers.get("x-shopify-api-version")
        if served and served != API_VERSION and not self._version_noted:
            self._version_noted = True
            log.warning("Shopify answers with API version %s in place of %s", served, API_VERSION)


def _too_costly(purpose: str) -> CostTooHighError:
    return CostTooHighError(
        f"Shopify finds even the smallest page of {purpose} too costly.",
        remedy="Ask for fewer fields in the source's GraphQL documents.",
    )


def _refusal(errors: list[_Error], codes: set[str], purpose: str) -> SourceError:
    """One error for all that the answer reports; Shopify's own text is left out, it may quote values."""
    if "MAX_COST_EXCEEDED" in codes:
        return _too_costly(purpose)
    if "ACCESS_DENIED" in codes:
        said = " ".join(
            f"{error.message} {(error.extensions or _ErrorExtensions()).required_access}" for error in errors
        )
        scopes = sorted(set(re.findall(r"\b(?:read|write)_[a-z_]+\b", said)))
        missing = f"lacks the scope {' or '.join(scopes)}" if scopes else "may not read all of it"
        grant = (
            f"Grant {' or '.join(scopes)}" if scopes else "Grant the scope, or ask for protected customer data access,"
        )
        return GraphqlRefusalError(
            f"Shopify denies access to {purpose}: the access token {missing}.",
            remedy=f"{grant} to the app in Shopify's admin, install it again and update RETREASURE_SHOPIFY_TOKEN.",
        )
    if codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT"}:
        return TransientSourceError(f"Shopify failed while it read {purpose}.", remedy="Try again later.")
    if "SHOP_INACTIVE" in codes:
        return PermanentSourceError(
            "The Shopify shop is inactive.", remedy="Reactivate it, or unset RETREASURE_SHOPIFY_TOKEN to leave it out."
        )
    told = f" ({', '.join(sorted(code for code in codes if re.fullmatch(r'[A-Za-z_]{1,40}', code)))})" if codes else ""
    return GraphqlRefusalError(
        f"Shopify refuses the query for {purpose}{told}.",
        remedy=f"Check that the shop serves Admin API version {API_VERSION} at RETREASURE_SHOPIFY_URL.",
    )
