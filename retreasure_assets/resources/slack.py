"""Slack through Dagster's own resource.

What belongs here: posting one alert. What does not: how it looks (alerts/slack.py), and when it is tried again
(alerts/outbox.py).
"""

import logging
from dataclasses import dataclass

from dagster_slack import SlackResource
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from retreasure_assets.alerts.channels import ChannelError
from retreasure_assets.alerts.message import Alert
from retreasure_assets.alerts.slack import message

#: Seconds for one post: a run waits for it at its end.
_PATIENCE = 10


class Slack(SlackResource):
    """Dagster's Slack resource, which may point at another server.

    Args:
        token: of the bot, ``xoxb-...``.
        base_url: the Web API's address, ending in a slash.
    """

    base_url: str = WebClient.BASE_URL

    def get_client(self) -> WebClient:
        """A client that tries once: the outbox tries again."""
        return WebClient(self.token, base_url=self.base_url, timeout=_PATIENCE, retry_handlers=[])


@dataclass(frozen=True, slots=True)
class SlackChannel:
    """Posts alerts to one Slack channel.

    Args:
        slack: the resource.
        channel: the channel's id or name.
    """

    slack: Slack
    channel: str
    name: str = "slack"

    def send(self, alert: Alert) -> None:
        """See Channel."""
        # It logs what Slack answers, and every request where debugging is on.
        logging.getLogger("slack_sdk").setLevel(logging.CRITICAL)
        try:
            self.slack.get_client().chat_postMessage(channel=self.channel, **message(alert))
        except SlackApiError as error:
            after = str(error.response.headers.get("Retry-After", ""))
            raise ChannelError(_reason(error), float(after) if after.isdigit() else None) from None
        except (SlackClientError, OSError, ValueError) as error:
            # urllib's errors are OSErrors; a body that is no JSON is a ValueError.
            raise ChannelError(type(error).__name__) from None


def _reason(error: SlackApiError) -> str:
    """Slack's own code for what is wrong: ``invalid_auth``, ``channel_not_found``."""
    try:
        code = str(error.response.get("error") or "")
    except ValueError:
        code = ""
    status = f"HTTP {error.response.status_code}"
    return code if code.replace("_", "").isalnum() and len(code) < 64 else status
