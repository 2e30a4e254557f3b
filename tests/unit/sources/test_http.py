"""The HTTP layer: what is tried again, what is not, and how it is said."""

from __future__ import annotations

import gzip
import json
import logging
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime

import httpx
import pytest

from retreasure_assets.errors import (
    ConfigurationError,
    MalformedInputError,
    PermanentSourceError,
    SourceError,
    TransientSourceError,
)
from retreasure_assets.sources.http import Answer, HttpClient
from retreasure_assets.sources.http_errors import Endpoint, public_url

SOURCE = Endpoint("Acme", "RETREASURE_ACME_URL", "RETREASURE_ACME_TOKEN")
URL = "https://user:secret@acme.example/v1/things?token=secret#x"
NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Script:
    """Answers with the given responses or exceptions in turn, the last one for ever."""

    def __init__(self, *steps: httpx.Response | Exception) -> None:
        self.steps = list(steps)
        self.requests: list[httpx.Request] = []
        self.slept: list[float] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        step = self.steps.pop(0) if len(self.steps) > 1 else self.steps[0]
        if isinstance(step, Exception):
            raise step
        return step

    def client(self, **changes: object) -> HttpClient:
        options = {
            "endpoint": SOURCE,
            "transport": httpx.MockTransport(self),
            "sleep": self.slept.append,
            "jitter": lambda: 0.0,
            "now": lambda: NOW,
            **changes,
        }
        return HttpClient(**options)  # type: ignore[arg-type]


def ok(body: bytes = b"{}") -> httpx.Response:
    return httpx.Response(200, content=body)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504, 599])
def test_transient_statuses_are_tried_three_times_more(status: int) -> None:
    script = Script(httpx.Response(status))
    with pytest.raises(TransientSourceError, match="Acme") as caught:
        script.client().request("GET", URL)
    assert len(script.requests) == 4
    assert script.slept == [0.5, 1.0, 2.0]
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "status", [201, 204, 301, 302, 308, 400, 401, 402, 403, 404, 405, 410, 418, 422, 423, 430, 451]
)
def test_other_statuses_are_never_tried_again(status: int) -> None:
    script = Script(httpx.Response(status, headers={"location": "https://elsewhere.example/login?secret"}))
    with pytest.raises(PermanentSourceError, match="Acme") as caught:
        script.client().request("GET", URL)
    assert len(script.requests) == 1
    assert "secret" not in str(caught.value)
    assert "RETREASURE_ACME" in caught.value.remedy


def test_remedies_name_the_setting() -> None:
    def remedy(status: int, endpoint: Endpoint = SOURCE) -> str:
        with pytest.raises(SourceError) as caught:
            Script(httpx.Response(status)).client(endpoint=endpoint).request("GET", URL)
        return caught.value.remedy

    assert "RETREASURE_ACME_TOKEN" in remedy(401)
    assert "RETREASURE_ACME_TOKEN" in remedy(403)
    assert "RETREASURE_ACME_URL" in remedy(404)
    assert "RETREASURE_ACME_URL" in remedy(301)
    public = Endpoint("Public", "RETREASURE_PUBLIC_URL")
    assert "RETREASURE_PUBLIC_URL" in remedy(401, public)
    assert "None" not in remedy(403, public)


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectTimeout("x"),
        httpx.ReadTimeout("x"),
        httpx.PoolTimeout("x"),
        httpx.ConnectError("Name or service not known"),
        httpx.ReadError("x"),
        httpx.WriteError("x"),
        httpx.RemoteProtocolError("x"),
    ],
)
def test_transport_failures_are_tried_again(error: Exception) -> None:
    script = Script(error, error, error, ok())
    assert script.client().request("GET", URL).body == b"{}"
    with pytest.raises(TransientSourceError) as caught:
        Script(error).client().request("GET", URL)
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("error", [httpx.UnsupportedProtocol("x"), httpx.LocalProtocolError("x")])
def test_an_unusable_address_is_permanent(error: Exception) -> None:
    script = Script(error)
    with pytest.raises(PermanentSourceError, match="URL"):
        script.client().request("GET", URL)
    assert len(script.requests) == 1


def test_an_untrusted_certificate_is_permanent() -> None:
    error = httpx.ConnectError("x")
    error.__cause__ = ssl.SSLCertVerificationError("self-signed")
    script = Script(error)
    with pytest.raises(PermanentSourceError, match="certificate"):
        script.client().request("GET", URL)
    assert len(script.requests) == 1


@pytest.mark.parametrize(
    ("header", "slept"),
    [
        ("7", [7.0]),
        ("0", [0.0]),
        (" 12 ", [12.0]),
        ("Thu, 01 Jan 2026 00:00:30 GMT", [30.0]),
        ("Thu, 01 Jan 2026 00:00:30", [30.0]),
        ("Thu, 01 Jan 2020 00:00:00 GMT", [0.0]),
        ("soon", [0.5]),
        ("-5", [0.5]),
        ("nan", [0.5]),
        ("", [0.5]),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_retry_after(header: str, slept: list[float], status: int) -> None:
    script = Script(httpx.Response(status, headers={"retry-after": header}), ok())
    script.client().request("GET", URL)
    assert script.slept == slept


@pytest.mark.parametrize("header", ["3600", "9" * 400])
def test_too_long_a_wait_is_left_to_the_next_run(header: str) -> None:
    script = Script(httpx.Response(429, headers={"retry-after": header}))
    with pytest.raises(TransientSourceError) as caught:
        script.client().request("GET", URL)
    assert len(script.requests) == 1
    assert caught.value.retry_after == float(header)


def test_waits_are_jittered() -> None:
    script = Script(httpx.Response(500))
    with pytest.raises(TransientSourceError):
        script.client(jitter=lambda: 0.5).request("GET", URL)
    assert script.slept == [0.75, 1.5, 3.0]


def test_the_reader_runs_within_the_retries() -> None:
    bodies = iter([b"{", b"{", b"{}"])

    def respond(request: httpx.Request) -> httpx.Response:
        return ok(next(bodies))

    def reader(answer: Answer) -> object:
        try:
            return json.loads(answer.body)
        except ValueError:
            raise MalformedInputError("Acme's page is cut.", remedy="Try again.") from None

    client = HttpClient(SOURCE, transport=httpx.MockTransport(respond), sleep=lambda seconds: None)
    assert client.read("GET", URL, reader) == {}
    assert client.counters.retries == 2
    script = Script(ok(b"{"))
    with pytest.raises(MalformedInputError):
        script.client().read("GET", URL, reader)
    assert len(script.requests) == 4


def test_credentials_are_sent_and_not_to_streams() -> None:
    script = Script(ok())
    client = script.client(headers={"X-Token": "abc"})
    client.request("POST", URL, body=b"{}", headers={"Content-Type": "application/json"})
    assert script.requests[0].headers["x-token"] == "abc"
    with client.stream("https://files.example/f") as (status, chunks):
        assert (status, b"".join(chunks)) == (200, b"{}")
    assert "x-token" not in script.requests[1].headers
    assert "abc" not in repr(client)


@pytest.mark.parametrize("token", ["abc\n", "abc\r\nX-Evil: 1", "tökén", "a\x00b"])
def test_a_credential_that_no_header_carries_is_named(token: str) -> None:
    with pytest.raises(ConfigurationError, match="RETREASURE_ACME_TOKEN") as caught:
        HttpClient(SOURCE, headers={"X-Token": token})
    assert token not in str(caught.value)


def test_redirects_are_not_followed() -> None:
    script = Script(httpx.Response(302, headers={"location": "https://evil.example/"}))
    with pytest.raises(PermanentSourceError, match=r"evil\.example"):
        script.client(headers={"X-Token": "abc"}).request("GET", URL)
    assert len(script.requests) == 1


def test_too_large_an_answer_is_refused() -> None:
    script = Script(ok(b"x" * 2_000_001))
    with pytest.raises(PermanentSourceError, match="more than 1 MB"):
        script.client(max_bytes=1024 * 1024).request("GET", URL)
    assert len(script.requests) == 1


def test_a_decompression_bomb_is_refused() -> None:
    bomb = httpx.Response(200, content=gzip.compress(bytes(50_000_000)), headers={"content-encoding": "gzip"})
    with pytest.raises(PermanentSourceError, match="more than 1 MB"):
        Script(bomb).client(max_bytes=1024 * 1024).request("GET", URL)


def test_a_body_that_cannot_be_decompressed_is_transient() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, stream=httpx.ByteStream(b"no gzip"), headers={"content-encoding": "gzip"})

    client = HttpClient(SOURCE, transport=httpx.MockTransport(respond), sleep=lambda seconds: None)
    with pytest.raises(TransientSourceError, match="decompressed"):
        client.request("GET", URL)


def test_the_limiter_is_asked_before_every_attempt() -> None:
    class Limiter:
        waits: Iterator[float] = iter([1.5, 0.0, 2.5])

        def delay(self) -> float:
            return next(self.waits)

    script = Script(httpx.Response(500), httpx.Response(500), ok())
    script.client(limiter=Limiter()).request("GET", URL)
    assert script.slept == [1.5, 0.5, 1.0, 2.5]


def test_logs_hold_no_secrets(caplog: pytest.LogCaptureFixture) -> None:
    script = Script(httpx.Response(500), ok(b'{"name":"Jane"}'))
    with caplog.at_level(logging.DEBUG):
        script.client(headers={"X-Token": "secret"}).request("GET", URL)
    assert "acme.example/v1/things" in caplog.text
    assert "secret" not in caplog.text
    assert "Jane" not in caplog.text


@pytest.mark.parametrize(
    ("url", "public"),
    [
        (URL, "https://acme.example/v1/things"),
        ("http://127.0.0.1:8080/a?b=c", "http://127.0.0.1:8080/a"),
        ("http://[::1]:8080/a", "http://[::1]:8080/a"),
    ],
)
def test_public_url(url: str, public: str) -> None:
    assert public_url(url) == public


def test_a_date_to_wait_for_is_read_by_the_servers_own_clock() -> None:
    headers = {"retry-after": "Thu, 01 Jan 2026 05:00:07 GMT", "date": "Thu, 01 Jan 2026 05:00:00 GMT"}
    script = Script(httpx.Response(429, headers=headers), ok())
    client = script.client()
    client.request("GET", URL)
    assert script.slept == [7.0]
    assert client.counters.clock_ahead == 5 * 3600


def test_an_answer_without_a_readable_date_tells_nothing_of_the_clock() -> None:
    client = Script(httpx.Response(200, headers={"date": "yesterday"})).client()
    client.request("GET", URL)
    assert client.counters.clock_ahead is None
