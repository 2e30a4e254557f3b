"""The one way to speak HTTP with a source: authentication, time-outs, retries, limits and clear errors.

What belongs here: everything that holds for any API, whatever it returns. What does not: any API's paging,
payloads or error bodies; each source module reads those through :meth:`HttpClient.read`.

Bodies, headers and query strings never reach a log or a message: they may hold personal data or credentials.
"""

from __future__ import annotations

import logging
import random
import ssl
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from typing import Protocol, TypeVar

import httpx
import tenacity

from retreasure_assets.errors import (
    ConfigurationError,
    MalformedInputError,
    PermanentSourceError,
    RetreasureError,
    TransientSourceError,
)
from retreasure_assets.sources.http_errors import Endpoint, judge, moment_of, public_url, translated

T = TypeVar("T")

log = logging.getLogger(__name__)

# httpx logs every address with its query string, and httpcore every header it receives: keys and signatures.
for _chatty in ("httpx", "httpcore"):
    logging.getLogger(_chatty).setLevel(logging.WARNING)

#: Longest wait, in seconds, that a source may ask for within one run; beyond it the run gives up and comes back.
LONGEST_WAIT = 120.0
#: Largest answer that is read into memory, in bytes.
MAX_BYTES = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """One successful answer: status, headers and the body's bytes after content decoding."""

    status: int
    headers: httpx.Headers
    body: bytes
    url: str


@dataclass(slots=True)
class Counters:
    """What a client has done so far: requests sent (retries included), retries, body bytes received.

    ``clock_ahead`` is how many seconds the server's clock was ahead of ours at the last answer, None before it.
    """

    requests: int = 0
    retries: int = 0
    bytes: int = 0
    clock_ahead: float | None = None


class RateLimiter(Protocol):
    """Says how long to wait before the next request, so that a limit is not run into."""

    def delay(self) -> float:
        """Seconds to wait now; 0 to go on."""
        ...


@dataclass(slots=True)
class HttpClient:
    """Sends requests to one source. Connections open on first use, so that building one costs nothing.

    Args:
        endpoint: names for error messages.
        headers: sent with every request of this client unless it is anonymous; credentials go here.
        connect_timeout, read_timeout: seconds.
        retries: how often a transient failure is tried again.
        max_bytes: the largest body that is read.
        limiter: asked before every attempt.
        transport, sleep, jitter, now: the outside world, replaceable in tests; ``jitter`` gives 0 to 1.
    """

    endpoint: Endpoint
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    connect_timeout: float = 10.0
    read_timeout: float = 60.0
    retries: int = 3
    max_bytes: int = MAX_BYTES
    limiter: RateLimiter | None = None
    transport: httpx.BaseTransport | None = None
    sleep: Callable[[float], None] = time.sleep
    jitter: Callable[[], float] = random.random
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    counters: Counters = field(default_factory=Counters)
    _client: httpx.Client | None = None

    def __post_init__(self) -> None:
        for value in self.headers.values():
            if not (value.isascii() and value.isprintable()):
                setting = self.endpoint.credential_setting or self.endpoint.address_setting
                raise ConfigurationError(
                    f"The credential for {self.endpoint.source} has a character that no HTTP header can carry.",
                    remedy=f"Copy it into {setting} again, without line breaks.",
                )

    def read(
        self,
        method: str,
        url: str,
        reader: Callable[[Answer], T],
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: frozenset[int] = frozenset({200}),
    ) -> T:
        """Send a request and return what ``reader`` makes of the answer.

        The reader runs inside the retry loop: a :class:`MalformedInputError` from it, which a cut or garbled
        body causes, is worth another attempt, and is raised when the last attempt gives the same.

        Raises:
            TransientSourceError: after the last retry, or when the source asks for a wait beyond LONGEST_WAIT.
            PermanentSourceError: at once.
            MalformedInputError: the answer stays unreadable.
        """

        def attempt() -> T:
            return reader(self._send(method, url, body, headers or {}, accept))

        started = time.monotonic()
        try:
            # Nearly always that is all there is to do.
            return attempt()
        except RetreasureError as error:
            failed = [error]

        def again() -> T:
            if failed:
                raise failed.pop()
            return attempt()

        retrying = self._retrying()
        try:
            return retrying(again)
        except RetreasureError as error:
            error.attempts, error.seconds = retrying.statistics["attempt_number"], time.monotonic() - started
            raise

    def request(
        self,
        method: str,
        url: str,
        *,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        accept: frozenset[int] = frozenset({200}),
    ) -> Answer:
        """Send a request and return the answer; see :meth:`read` for the errors."""
        return self.read(method, url, lambda answer: answer, body=body, headers=headers, accept=accept)

    @contextmanager
    def stream(
        self, url: str, *, headers: Mapping[str, str] | None = None, accept: frozenset[int] = frozenset({200})
    ) -> Iterator[tuple[int, Iterator[bytes]]]:
        """GET a large public file as ``(status, chunks of bytes)``, one attempt, without the credentials.

        The caller resumes a broken stream. Chunks and opening raise as :meth:`read` does. The limiter is not asked:
        files lie on storage services, outside an API's limits.
        """
        self.counters.requests += 1
        with self._translating(url), self._connection().stream("GET", url, headers=dict(headers or {})) as response:
            judge(self.endpoint, response, url, accept, self.now())

            def chunks() -> Iterator[bytes]:
                with self._translating(url):
                    for chunk in response.iter_bytes():
                        self.counters.bytes += len(chunk)
                        yield chunk

            yield response.status_code, chunks()

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _connection(self) -> httpx.Client:
        if self._client is None:
            timeout = httpx.Timeout(self.read_timeout, connect=self.connect_timeout)
            # Redirects are not followed: credentials must not travel to an address that nobody configured.
            self._client = httpx.Client(
                timeout=timeout, transport=self.transport, follow_redirects=False, verify=_certificates()
            )
        return self._client

    def _translating(self, url: str) -> AbstractContextManager[None]:
        return translated(self.endpoint, url, connect_timeout=self.connect_timeout, read_timeout=self.read_timeout)

    def _pause(self) -> None:
        if self.limiter is not None and (wait := self.limiter.delay()) > 0:
            self.sleep(wait)

    def _send(
        self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], accept: frozenset[int]
    ) -> Answer:
        self._pause()
        self.counters.requests += 1
        started = time.monotonic()
        with (
            self._translating(url),
            self._connection().stream(method, url, content=body, headers={**self.headers, **headers}) as response,
        ):
            if (server := moment_of(response.headers.get("date", ""))) is not None:
                self.counters.clock_ahead = (server - self.now()).total_seconds()
            judge(self.endpoint, response, url, accept, self.now())
            received = bytearray()
            for chunk in response.iter_bytes():
                received += chunk
                if len(received) > self.max_bytes:
                    raise PermanentSourceError(
                        f"{self.endpoint.source} answered with more than {self.max_bytes // 1024 // 1024} MB.",
                        remedy=f"Check that {self.endpoint.address_setting} points at the API itself.",
                    )
        self.counters.bytes += len(received)
        status = response.status_code
        if log.isEnabledFor(logging.DEBUG):
            elapsed = (time.monotonic() - started) * 1000
            log.debug("%s %s: HTTP %d, %d bytes, %.0f ms", method, public_url(url), status, len(received), elapsed)
        return Answer(status, response.headers, bytes(received), url)

    def _retrying(self) -> tenacity.Retrying:
        return tenacity.Retrying(
            stop=tenacity.stop_after_attempt(self.retries + 1),
            retry=tenacity.retry_if_exception(_worth_retrying),
            wait=self._wait,
            sleep=self.sleep,
            before_sleep=self._note_retry,
            reraise=True,
        )

    def _wait(self, state: tenacity.RetryCallState) -> float:
        """0.5, 1, 2, ... seconds plus up to as much again, or what the source asked for plus a little."""
        error = state.outcome.exception() if state.outcome else None
        backoff = 0.5 * 2.0 ** (state.attempt_number - 1)
        if isinstance(error, TransientSourceError) and error.retry_after is not None:
            # Never earlier than asked, and not all clients in the same instant.
            return error.retry_after + 0.25 * self.jitter()
        return backoff * (1 + self.jitter())

    def _note_retry(self, state: tenacity.RetryCallState) -> None:
        self.counters.retries += 1
        error = state.outcome.exception() if state.outcome else None
        wait = state.next_action.sleep if state.next_action else 0.0
        log.info("%s: retry %d in %.1f s: %s", self.endpoint.source, state.attempt_number, wait, type(error).__name__)


@lru_cache
def _certificates() -> ssl.SSLContext:
    """Who is trusted; reading it takes a tenth of a second, so it is read once for all sources."""
    return httpx.create_ssl_context()


def _worth_retrying(error: BaseException) -> bool:
    if isinstance(error, TransientSourceError):
        return error.retry_after is None or error.retry_after <= LONGEST_WAIT
    return isinstance(error, MalformedInputError)
