"""Alerts reach their channels over HTTP and SMTP, once, however often the channels are down."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from pydantic import HttpUrl, SecretStr

from retreasure_assets.alerts.channels import Channel, ChannelError
from retreasure_assets.alerts.message import Alert
from retreasure_assets.alerts.outbox import Outbox
from retreasure_assets.errors import ConfigurationError
from retreasure_assets.lake.failures import Kind, Symptom
from retreasure_assets.lake.storage import Lake
from retreasure_assets.resources.telling import Teller, channels
from retreasure_assets.sandbox import WorldSpec, generate_world
from retreasure_assets.sandbox.server import running_sandbox
from retreasure_assets.sandbox.slack import SLACK_CHANNEL, SLACK_TOKEN
from retreasure_assets.settings import Settings
from tests.end_to_end.conftest import served

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def sandbox() -> Iterator[str]:
    with running_sandbox(generate_world(WorldSpec(seed=1, days=1, scale=0.05))) as url:
        yield url


def slack_settings(tmp_path: Path, url: str, **more: object) -> Settings:
    given = {"slack_token": SecretStr(SLACK_TOKEN), "slack_channel": SLACK_CHANNEL} | more
    return Settings(home=tmp_path / "home", slack_url=HttpUrl(url), **given)  # type: ignore[arg-type]


def teller(settings: Settings) -> Teller:
    return Teller(settings, Lake(settings.lake_path))


def symptom(subject: str = "bronze.etsy_orders") -> Symptom:
    return Symptom(Kind.SOURCE, subject, "Etsy could not answer (HTTP 500).", "TransientSourceError")


def received(sandbox: str) -> list[str]:
    """The headers of what the stand-in for Slack took."""
    taken = httpx.get(f"{sandbox}/slack/messages").json()
    return [message["blocks"][0]["text"]["text"] for message in taken]


def deliveries(lake: Lake) -> list[dict[str, object]]:
    return lake.table("ops", "alerts").to_pyarrow_table().to_pylist()


def test_a_failure_and_its_end_reach_slack_once_each(tmp_path: Path, sandbox: str) -> None:
    telling = teller(slack_settings(tmp_path, f"{sandbox}/slack/api"))
    before = len(received(sandbox))
    for run in ("run-1", "run-1", "run-2"):
        telling.note([symptom("once")], by=run, run_id=run)
        telling.send()
    telling.note([], well=[(Kind.SOURCE, "once")], by="run-3", run_id="run-3")
    telling.send()
    telling.send()
    assert received(sandbox)[before:] == ["ERROR: Source not read: once", "Works again: Source not read: once"]
    assert {row["state"] for row in deliveries(telling.lake)} == {"sent"}


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((500, b"oops"), "HTTP 500"),
        ((200, b"<html>"), None),
        ((200, b'{"ok": false, "error": "invalid_auth"}'), "invalid_auth"),
    ],
)
def test_while_slack_is_down_nothing_is_lost_and_nothing_breaks(
    tmp_path: Path, sandbox: str, answer: tuple[int, bytes], reason: str | None
) -> None:
    with served({"/api/chat.postMessage": answer}) as down:
        telling = teller(slack_settings(tmp_path, f"{down}/api"))
        for number in range(3):
            telling.note([symptom(f"t{number}")], by=f"run-{number}", run_id=f"run-{number}")
        sent = telling.send()
    assert (sent.sent, sent.failed) == (0, 1)
    outbox = Outbox(telling.lake)
    # One was tried, the others would have fared alike.
    assert sorted(row["attempts"] for row in outbox.pending()) == [0, 0, 1]
    if reason is not None:
        assert reason in {row["last_error"] for row in outbox.pending()}
    before = len(received(sandbox))
    up = channels(slack_settings(tmp_path, f"{sandbox}/slack/api"))
    later = datetime.now(UTC) + timedelta(hours=1)
    assert outbox.deliver(up, later).sent == 3
    assert [title[-2:] for title in received(sandbox)[before:]] == ["t0", "t1", "t2"]
    assert outbox.pending() == []


def test_nobody_listening_costs_no_run(tmp_path: Path) -> None:
    telling = teller(slack_settings(tmp_path, "http://127.0.0.1:9/api"))
    telling.note([symptom()], by="run-1", run_id="run-1")
    assert telling.send().failed == 1
    assert len(Outbox(telling.lake).pending()) == 1


def test_a_lake_that_cannot_be_written_still_tells(tmp_path: Path, sandbox: str) -> None:
    settings = slack_settings(tmp_path, f"{sandbox}/slack/api")
    settings.lake_path.parent.mkdir(parents=True)
    settings.lake_path.write_bytes(b"not a folder")
    before = len(received(sandbox))
    teller(settings).note([symptom("full")], by="run-1", run_id="run-1")
    assert received(sandbox)[before:] == ["ERROR: Source not read: full"]


@dataclass
class Scripted:
    """A channel that takes or refuses as told."""

    name: str = "scripted"
    refusals: list[ChannelError] = field(default_factory=list)
    taken: list[Alert] = field(default_factory=list)

    def send(self, alert: Alert) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.taken.append(alert)


def put(lake: Lake, *ways: Channel, subject: str = "a") -> Outbox:
    settings = Settings(home=lake.root.parent)
    telling = Teller(settings, lake)
    telling.__dict__["_channels"] = list(ways)
    telling.note([symptom(subject)], by=f"run-{subject}", run_id="r")
    return Outbox(lake)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(tmp_path / "home" / "lake")


def test_a_channel_that_asks_for_patience_gets_it(lake: Lake) -> None:
    channel = Scripted(refusals=[ChannelError("ratelimited", 90)])
    outbox = put(lake, channel)
    now = datetime.now(UTC)
    assert outbox.deliver([channel], now).failed == 1
    assert (outbox.deliver([channel], now + timedelta(seconds=89)).sent, channel.taken) == (0, [])
    assert outbox.deliver([channel], now + timedelta(seconds=91)).sent == 1


def test_pauses_grow_and_a_clock_set_back_does_not_silence(lake: Lake) -> None:
    channel = Scripted(refusals=[ChannelError("down") for _ in range(9)])
    outbox, now, pauses = put(lake, channel), datetime.now(UTC), []
    for _ in range(8):
        outbox.deliver([channel], now)
        (row,) = outbox.pending()
        pauses.append((row["retry_at"] - now).total_seconds())
        now = row["retry_at"]
    assert pauses[:3] == [30, 60, 120]
    assert max(pauses) == 1800
    assert outbox.deliver([channel], now - timedelta(days=30)).failed == 1
    assert outbox.deliver([channel], now - timedelta(days=60)).sent == 1


def test_one_channel_that_is_down_keeps_no_other_waiting(lake: Lake) -> None:
    down, up = Scripted("down", [ChannelError("down")]), Scripted("up")
    outbox = put(lake, down, up)
    assert (outbox.deliver([down, up]).sent, len(up.taken)) == (1, 1)
    assert [row["channel"] for row in outbox.pending()] == ["down"]


def test_without_a_channel_alerts_are_kept_and_nobody_waits(lake: Lake) -> None:
    outbox = put(lake)
    assert outbox.pending() == []
    assert [row["state"] for row in deliveries(lake)] == ["kept"]


def test_two_senders_at_once_send_once(lake: Lake) -> None:
    entered, go_on = threading.Event(), threading.Event()

    class Slow(Scripted):
        def send(self, alert: Alert) -> None:
            entered.set()
            assert go_on.wait(20)
            super().send(alert)

    slow = Slow()
    outbox = put(lake, slow)
    thread = threading.Thread(target=outbox.deliver, args=([slow],))
    thread.start()
    assert entered.wait(20)
    assert Outbox(lake).deliver([slow]).sent == 0
    go_on.set()
    thread.join()
    assert len(slow.taken) == 1


class Mailbox(socketserver.ThreadingTCPServer):
    """As much of SMTP (RFC 5321) as taking a message needs."""

    allow_reuse_address = True
    daemon_threads = True

    def __init__(self) -> None:
        mailbox = self
        self.mails: list[str] = []

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                def say(line: str) -> None:
                    self.wfile.write(f"{line}\r\n".encode())

                say("220 here")
                while line := self.rfile.readline().decode().strip():
                    if line.upper() == "DATA":
                        say("354 go on")
                        lines = iter(lambda: self.rfile.readline().decode(), ".\r\n")
                        mailbox.mails.append("".join(lines))
                    if line.upper() == "QUIT":
                        say("221 bye")
                        return
                    say("250 OK")

        super().__init__(("127.0.0.1", 0), Handler)


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_mail_goes_the_same_way(tmp_path: Path) -> None:
    with mailbox() as server:
        port = server.server_address[1]
        address = f"mailto://127.0.0.1:{port}?mode=insecure&from=platform@shop.example&to=team@shop.example"
        telling = teller(Settings(home=tmp_path / "home", alert_urls=SecretStr(address)))
        telling.note([symptom()], by="run-1", run_id="run-1")
        assert telling.send().sent == 1
    (mail,) = server.mails
    assert "Subject: ERROR: Source not read: bronze.etsy_orders" in mail
    assert "team@shop.example" in mail
    assert [row["channel"] for row in deliveries(telling.lake)] == ["mailto"]


@pytest.mark.parametrize(
    "given",
    [
        {"slack_token": SecretStr("xoxb-1")},
        {"slack_channel": "#a"},
        {"alert_urls": SecretStr("pigeon://secret")},
    ],
)
def test_a_mistake_in_the_settings_is_named_without_the_secret(tmp_path: Path, given: dict[str, object]) -> None:
    with pytest.raises(ConfigurationError) as raised:
        channels(Settings(home=tmp_path, **given))  # type: ignore[arg-type]
    assert "secret" not in str(raised.value)
    assert "xoxb" not in str(raised.value)
    assert "RETREASURE_" in str(raised.value)


def test_teams_and_slack_and_mail_are_known(tmp_path: Path) -> None:
    addresses = "workflows://prod-1.westeurope.logic.azure.com:443/workflow1/signature1 mailtos://u:p@example.com"
    settings = slack_settings(tmp_path, "http://127.0.0.1:9/api", alert_urls=SecretStr(addresses))
    assert [channel.name for channel in channels(settings)] == ["slack", "workflows", "mailtos"]
