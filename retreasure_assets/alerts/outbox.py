"""The outbox ``ops.alerts``: every alert is written before it is sent, so that none is lost.

What belongs here: the table, and sending what is in it. What does not: how a channel sends.

A row for each alert and channel. An alert is put in once, whoever puts it in again; it stays until the channel has
taken it. A process killed between sending and noting it sends it once more: better twice than never.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec
import pyarrow as pa
from filelock import FileLock, Timeout

from retreasure_assets.alerts.channels import Channel, ChannelError
from retreasure_assets.alerts.message import Alert
from retreasure_assets.lake.columns import TIMESTAMP
from retreasure_assets.lake.register import Register, Row
from retreasure_assets.lake.storage import Lake, explained

SCHEMA = pa.schema(
    [
        ("delivery_id", pa.string()),
        ("alert_id", pa.string()),
        ("channel", pa.string()),
        ("severity", pa.string()),
        ("recovered", pa.bool_()),
        ("title", pa.string()),
        ("content", pa.string()),
        ("run_id", pa.string()),
        ("created_at", TIMESTAMP),
        ("state", pa.string()),
        ("attempts", pa.int64()),
        ("retry_at", TIMESTAMP),
        ("last_error", pa.string()),
        ("sent_at", TIMESTAMP),
    ]
)
#: The channel of alerts while none is configured: they are kept, and nobody waits for them.
NOBODY = "none"
#: Messages that one channel gets at a time: after an outage they come in portions.
_AT_A_TIME = 20
_FIRST_PAUSE, _LONGEST_PAUSE = timedelta(seconds=30), timedelta(minutes=30)
#: How far back an alert is looked for that may have been put in already.
_REMEMBERED = timedelta(days=2)


@dataclass(frozen=True, slots=True)
class Outbox:
    """The outbox of one lake."""

    lake: Lake

    @property
    def _register(self) -> Register:
        return Register(self.lake, "alerts", SCHEMA, key="delivery_id", state="state", living=("pending",))

    def pending(self) -> list[Row]:
        """What is still to be sent, oldest first.

        Raises:
            LakeError: it cannot be read.
        """
        return sorted(self._register.live(), key=lambda row: row["created_at"])

    def put(self, alerts: Sequence[Alert], channels: Sequence[Channel]) -> None:
        """Put alerts in, for every channel; one that was put in before is left as it is.

        Raises:
            LakeError: it cannot be written.
        """
        names = [channel.name for channel in channels] or [NOBODY]
        wanted = {f"{alert.alert_id}-{name}": (alert, name) for alert in alerts for name in names}

        def decide(rows: Sequence[Row]) -> list[Row]:
            known = {row["delivery_id"] for row in rows} | self._ended(alerts)
            return [_row(mark, *pair) for mark, pair in wanted.items() if mark not in known]

        self._register.change(decide)

    def _ended(self, alerts: Sequence[Alert]) -> set[str]:
        """Deliveries of the last days that have ended."""
        table = self.lake.find("ops", "alerts")
        if table is None:
            return set()
        since = min(alert.at for alert in alerts) - _REMEMBERED
        rows = table.to_pyarrow_table(
            columns=["delivery_id"], filters=[("state", "not in", ["pending"]), ("created_at", ">=", since)]
        )
        return set(rows["delivery_id"].to_pylist())

    def deliver(self, channels: Sequence[Channel], now: datetime | None = None) -> Delivered:
        """Send what is due; what a channel does not take stays for the next time.

        Only one process sends at a time; another leaves it to that one.

        Raises:
            LakeError: the outbox cannot be read or written.
        """
        moment = now or datetime.now(UTC)
        by_name = {channel.name: channel for channel in channels}
        sent = failed = 0
        with explained("The alerts' lock"):
            self.lake.state.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self.lake.state / "alerts.lock")
            try:
                lock.acquire(timeout=0)
            except Timeout:
                return Delivered(0, 0)
        try:
            due: dict[str, list[Row]] = {name: [] for name in by_name}
            for row in self.pending():
                if row["channel"] in due and (row["retry_at"] is None or _has_come(row["retry_at"], moment)):
                    due[row["channel"]].append(row)
            for name, rows in due.items():
                for row in rows[:_AT_A_TIME]:
                    after = _tried(row, by_name[name], moment)
                    self._note(after)
                    if after["state"] == "pending":
                        # It is down or wants a pause: the others would fare alike.
                        failed += 1
                        break
                    sent += 1
        finally:
            lock.release()
        return Delivered(sent, failed)

    def _note(self, after: Row) -> None:
        self._register.change(
            lambda rows: [after] if any(row["delivery_id"] == after["delivery_id"] for row in rows) else []
        )


@dataclass(frozen=True, slots=True)
class Delivered:
    """How many alerts were sent, and how many channels did not take theirs."""

    sent: int
    failed: int


def _has_come(at: datetime, now: datetime) -> bool:
    """Whether a time to try again has come, also for a clock that was set back."""
    return now >= at or at - now > _LONGEST_PAUSE


def _row(mark: str, alert: Alert, channel: str) -> Row:
    return {
        "delivery_id": mark,
        "alert_id": alert.alert_id,
        "channel": channel,
        "severity": alert.severity.value,
        "recovered": alert.recovered,
        "title": alert.title,
        "content": msgspec.json.encode(alert).decode(),
        "run_id": alert.run_id,
        "created_at": alert.at,
        "state": "kept" if channel == NOBODY else "pending",
        "attempts": 0,
        "retry_at": None,
        "last_error": None,
        "sent_at": None,
    }


def _tried(row: Mapping[str, object], channel: Channel, now: datetime) -> Row:
    """A row after its alert was offered to its channel."""
    alert = msgspec.json.decode(str(row["content"]), type=Alert)
    attempts = int(str(row["attempts"])) + 1
    try:
        channel.send(alert)
    except ChannelError as error:
        pause = min(_FIRST_PAUSE * 2 ** min(attempts - 1, 10), _LONGEST_PAUSE)
        if error.retry_after is not None:
            pause = min(max(timedelta(seconds=error.retry_after), timedelta(seconds=1)), _LONGEST_PAUSE)
        return {**row, "attempts": attempts, "retry_at": now + pause, "last_error": error.reason}
    return {**row, "attempts": attempts, "state": "sent", "retry_at": None, "last_error": None, "sent_at": now}
