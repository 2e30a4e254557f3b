"""The HTTP layer over real sockets: answers that are cut, late or never come, as no mock transport shows them."""

from __future__ import annotations

import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from retreasure_assets.errors import (
    SourceError,
    TransientSourceError,
)
from retreasure_assets.sources.http import HttpClient
from retreasure_assets.sources.http_errors import Endpoint

SOURCE = Endpoint("Acme", "RETREASURE_ACME_URL", "RETREASURE_ACME_TOKEN")


@contextmanager
def server(*answers: Callable[[socket.socket], None]) -> Iterator[str]:
    """A server on this machine that handles each connection in turn with the given functions, the last for ever."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)
    stop = threading.Event()

    def serve() -> None:
        left = list(answers)
        while not stop.is_set():
            try:
                connection, _ = listener.accept()
            except TimeoutError:
                continue
            with connection:
                connection.recv(65536)
                (left.pop(0) if len(left) > 1 else left[0])(connection)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
    finally:
        stop.set()
        thread.join(timeout=5)
        listener.close()


def send(data: bytes) -> Callable[[socket.socket], None]:
    return lambda connection: connection.sendall(data)


GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}"
CUT = b'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\nConnection: close\r\n\r\n{"data":'
CUT_CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{}   \r\n"


def local(**changes: object) -> HttpClient:
    options = {"endpoint": SOURCE, "sleep": lambda seconds: None, "read_timeout": 0.3, **changes}
    return HttpClient(**options)  # type: ignore[arg-type]


@pytest.mark.parametrize("broken", [CUT, CUT_CHUNKED, b"", b"garbage\r\n\r\n", b"HTTP/1.1 200"])
def test_a_cut_answer_is_tried_again(broken: bytes) -> None:
    with server(send(broken), send(GOOD)) as url:
        client = local()
        assert client.request("GET", url).body == b"{}"
        assert client.counters.retries == 1
    with server(send(broken)) as url, pytest.raises(TransientSourceError, match="before its answer was complete"):
        local().request("GET", url)


def test_a_silent_server_times_out() -> None:
    with server(lambda connection: time.sleep(0.8), send(GOOD)) as url:
        client = local(read_timeout=0.2)
        assert client.request("GET", url).body == b"{}"
        assert client.counters.retries >= 1


def test_a_server_that_stops_in_the_middle_times_out() -> None:
    def stall(connection: socket.socket) -> None:
        connection.sendall(CUT)
        time.sleep(0.8)

    with server(stall) as url, pytest.raises(TransientSourceError, match="did not answer within"):
        local(read_timeout=0.1, retries=0).request("GET", url)


def test_a_refused_connection_names_the_address_and_the_setting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(TransientSourceError, match=f"http://127.0.0.1:{port}/x") as caught:
        local().request("GET", f"http://127.0.0.1:{port}/x?secret")
    assert "RETREASURE_ACME_URL" in caught.value.remedy


def test_an_unknown_host_names_the_setting() -> None:
    with pytest.raises(TransientSourceError) as caught:
        local().request("GET", "http://no-such-host.invalid/")
    assert "RETREASURE_ACME_URL" in caught.value.remedy


def test_plain_http_on_a_tls_address_is_transient_not_a_traceback() -> None:
    with server(send(GOOD)) as url, pytest.raises(SourceError):
        local(retries=0).request("GET", url.replace("http://", "https://"))


def test_a_broken_stream_raises_where_it_breaks() -> None:
    got: list[bytes] = []

    def drain(url: str) -> None:
        with local().stream(url) as (_, chunks):
            got.extend(chunks)

    with server(send(CUT)) as url, pytest.raises(TransientSourceError):
        drain(url)
    assert got == [b'{"data":']


def test_logs_of_real_requests_hold_no_secrets(caplog: pytest.LogCaptureFixture) -> None:
    with server(send(GOOD)) as url, caplog.at_level(logging.DEBUG):
        local(headers={"X-Token": "secret"}).request("GET", f"{url}path?key=secret")
    assert "path" in caplog.text
    assert "secret" not in caplog.text


def test_close_is_repeatable() -> None:
    client = local()
    client.close()
    with server(send(GOOD)) as url:
        client.request("GET", url)
    client.close()
    client.close()
