"""What a way to people is, and those that apprise knows.

What belongs here: the interface, and e-mail, Teams and the others by their apprise addresses. What does not: Slack,
which goes through Dagster's own resource (resources/slack.py).
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from retreasure_assets.alerts.message import Alert
from retreasure_assets.alerts.plain import plain_text
from retreasure_assets.errors import ConfigurationError
from retreasure_assets.lake.failures import Severity

if TYPE_CHECKING:
    from apprise import Apprise


class ChannelError(Exception):
    """A channel did not take an alert; it stays in the outbox.

    Args:
        reason: why, in a word or two of the platform's own; never what the channel answered.
        retry_after: seconds that the channel asked to wait, None when it did not.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.retry_after = retry_after


class Channel(Protocol):
    """A way to tell people."""

    @property
    def name(self) -> str:
        """What the outbox calls it; stays the same from run to run."""
        ...

    def send(self, alert: Alert) -> None:
        """Tell it.

        Raises:
            ChannelError: it was not taken.
        """
        ...


@dataclass(frozen=True, slots=True)
class AppriseChannel:
    """E-mail, Teams and whatever else apprise knows, by one address (https://appriseit.com).

    Args:
        name: its name in the outbox.
        service: the service of that address.
    """

    name: str
    service: Apprise

    def send(self, alert: Alert) -> None:
        """See Channel."""
        from apprise import NotifyFormat, NotifyType

        kinds = {
            Severity.INFO: NotifyType.SUCCESS,
            Severity.WARNING: NotifyType.WARNING,
            Severity.ERROR: NotifyType.FAILURE,
            Severity.CRITICAL: NotifyType.FAILURE,
        }
        kind = kinds[alert.severity]
        try:
            taken = bool(
                self.service.notify(
                    title=alert.title, body=plain_text(alert), notify_type=kind, body_format=NotifyFormat.TEXT
                )
            )
        except TypeError:
            # What apprise raises when there is nothing to notify.
            taken = False
        if not taken:
            raise ChannelError("not accepted")


def apprise_channels(addresses: str) -> list[Channel]:
    """The channels of some apprise addresses.

    Args:
        addresses: separated by blanks, such as ``mailtos://user:password@example.com``.

    Raises:
        ConfigurationError: apprise does not know one; it is not repeated, as it may hold a password.
    """
    from apprise import Apprise

    # It logs what services answer.
    logging.getLogger("apprise").setLevel(logging.CRITICAL)
    taken: Counter[str] = Counter()
    channels: list[Channel] = []
    for number, address in enumerate(addresses.split(), start=1):
        service = Apprise()
        if not service.add(address):
            raise ConfigurationError(
                f"Address {number} of RETREASURE_ALERT_URLS is none that alerts can be sent to.",
                remedy="Write it as docs/operating/alerts.md shows.",
            )
        scheme = address.partition(":")[0]
        taken[scheme] += 1
        name = scheme if taken[scheme] == 1 else f"{scheme}-{taken[scheme]}"
        channels.append(AppriseChannel(name, service))
    return channels
