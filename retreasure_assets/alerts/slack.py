"""An alert as Slack shows it.

Limits: 50 blocks a message, 150 characters in a header, 3,000 in a section, 2,000 in a context element
(https://docs.slack.dev/reference/block-kit/blocks); text is cut off after 40,000 and should be 4,000 at the most
(https://docs.slack.dev/reference/methods/chat.postMessage).
"""

from __future__ import annotations

from typing import Any

from retreasure_assets.alerts.message import Alert, Item
from retreasure_assets.alerts.plain import details, plain_text
from retreasure_assets.lake.failures import Severity

HEADER, SECTION, CONTEXT, TEXT, BLOCKS = 150, 3_000, 2_000, 4_000, 50
_SIGNS = {
    Severity.INFO: ":large_green_circle:",
    Severity.WARNING: ":large_yellow_circle:",
    Severity.ERROR: ":red_circle:",
    Severity.CRITICAL: ":rotating_light:",
}


def message(alert: Alert) -> dict[str, Any]:
    """The arguments of chat.postMessage, without the channel."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": cut(alert.title, HEADER)}}
    ]
    for item in alert.items:
        blocks.append({"type": "section", "text": {"type": "mrkdwn", "text": cut(_section(alert, item), SECTION)}})
        facts = f"{escaped(details(alert, item))} · {_link(alert.chapter(item), 'runbook')}"
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": cut(facts, CONTEXT)}]})
    last = f"{alert.more} more: `retreasure status` lists them. " if alert.more else ""
    if alert.run_id:
        last += f"Run {_link(alert.link, alert.run_id)}"
    if last:
        blocks.append({"type": "context", "elements": [{"type": "mrkdwn", "text": cut(last, CONTEXT)}]})
    return {
        "text": cut(escaped(f"{alert.title}\n\n{plain_text(alert)}"), TEXT),
        "blocks": blocks[:BLOCKS],
        "unfurl_links": False,
        "unfurl_media": False,
    }


def escaped(text: str) -> str:
    """Text in which nothing is taken for Slack's markup (https://docs.slack.dev/messaging/formatting-message-text)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def cut(text: str, longest: int) -> str:
    """At most so many characters, without half an escape at the end."""
    if len(text) <= longest:
        return text
    kept = text[: longest - 1]
    start = kept.rfind("&")
    if start >= 0 and ";" not in kept[start:] and len(kept) - start < 5:
        kept = kept[:start]
    return f"{kept}…"


def _section(alert: Alert, item: Item) -> str:
    sign = _SIGNS[Severity.INFO if alert.recovered else item.severity]
    lines = [f"{sign} *{escaped(item.heading)}*"]
    if not alert.recovered:
        lines.append(escaped(" ".join(part for part in (item.cause, item.remedy) if part)))
    return "\n".join(lines)


def _link(address: str, words: str) -> str:
    return f"<{address}|{escaped(words)}>" if address.startswith("http") else escaped(address or words)
