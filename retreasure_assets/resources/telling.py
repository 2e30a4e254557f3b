"""What tells people: the channels that are configured, and from a symptom to the alert.

What belongs here: noting symptoms and sending what that gives rise to. What does not: finding symptoms
(automation/observing.py, automation/watching.py).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property

from retreasure_assets.alerts.channels import Channel, ChannelError, apprise_channels
from retreasure_assets.alerts.message import Alert, compose
from retreasure_assets.alerts.outbox import Delivered, Outbox
from retreasure_assets.errors import ConfigurationError, LakeError
from retreasure_assets.lake.failures import Changes, FailureLog, Kind, Symptom, first_row
from retreasure_assets.lake.storage import Lake
from retreasure_assets.settings import Settings

log = logging.getLogger(__name__)


def channels(settings: Settings) -> Sequence[Channel]:
    """The channels that are configured.

    Raises:
        ConfigurationError: Slack is configured in part only, or an address cannot be used.
    """
    found: list[Channel] = []
    if (settings.slack_token is None) != (settings.slack_channel is None):
        raise ConfigurationError(
            "Alerts to Slack are configured in part only.",
            remedy="Set both RETREASURE_SLACK_TOKEN and RETREASURE_SLACK_CHANNEL.",
        )
    if settings.slack_token is not None and settings.slack_channel is not None:
        # Half a second to import, for those alone who use it.
        from retreasure_assets.resources.slack import Slack, SlackChannel

        where = {} if settings.slack_url is None else {"base_url": f"{str(settings.slack_url).rstrip('/')}/"}
        found.append(
            SlackChannel(Slack(token=settings.slack_token.get_secret_value(), **where), settings.slack_channel)
        )
    if settings.alert_urls is not None:
        found += apprise_channels(settings.alert_urls.get_secret_value())
    return found


@dataclass
class Teller:
    """Keeps the failure log and tells people of its changes."""

    settings: Settings
    lake: Lake

    @cached_property
    def _channels(self) -> Sequence[Channel]:
        try:
            return channels(self.settings)
        except ConfigurationError as mistake:
            # Nobody must miss a run for it; doctor names it too.
            log.warning("Alerts are not sent. %s", mistake)
            return []

    def note(
        self,
        failing: Sequence[Symptom],
        *,
        well: Collection[tuple[Kind, str]] = (),
        judged: Collection[Kind] = (),
        by: str,
        run_id: str = "",
        quiet: timedelta = timedelta(0),
    ) -> Changes:
        """Note what was seen, and put what people should know into the outbox; nothing is sent yet.

        A lake that cannot be written, on a full disk, keeps neither log nor outbox: then it is sent at once.

        Args:
            failing, well, judged, quiet: see ``FailureLog.observe``.
            by: who saw it; seen again by the same it is told once.
            run_id: the run concerned, "" for none.
        """
        at = datetime.now(UTC)
        told: list[Alert] = []

        def tell(changes: Changes) -> None:
            told[:] = self._alerts(changes, by, run_id, at)
            Outbox(self.lake).put(told, self._channels)

        try:
            return FailureLog(self.lake).observe(
                failing,
                well=well,
                judged=judged,
                by=by,
                at=at,
                repeat=timedelta(hours=self.settings.alert_repeat_hours),
                quiet=quiet,
                tell=tell,
            )
        except LakeError as error:
            log.warning("The failure log could not be written. %s", error)
            rows = [first_row(symptom, by, at) for symptom in failing]
            self._send_unkept(told or self._alerts(Changes(begun=rows), by, run_id, at))
            return Changes()

    def send(self) -> Delivered:
        """Send what is in the outbox; what a channel does not take stays there."""
        try:
            return Outbox(self.lake).deliver(self._channels)
        except LakeError as error:
            log.warning("The outbox of alerts cannot be read or written. %s", error)
            return Delivered(0, 0)

    def _send_unkept(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            for channel in self._channels:
                with suppress(ChannelError):
                    channel.send(alert)

    def _alerts(self, changes: Changes, by: str, run_id: str, at: datetime) -> list[Alert]:
        """One alert of what began, one of what ended."""
        return [
            compose(
                rows,
                recovered=recovered,
                by=by,
                run_id=run_id,
                dagster_url=str(self.settings.dagster_url or ""),
                runbook=self.settings.runbook_url,
                at=at,
            )
            for rows, recovered in ((changes.begun, False), (changes.ended, True))
            if rows
        ]
