"""An alert as plain text: e-mail, Teams, and what Slack shows where it shows no blocks."""

from __future__ import annotations

from retreasure_assets.alerts.message import Alert, Item


def plain_text(alert: Alert) -> str:
    """The whole alert, a paragraph for each item."""
    parts = [_paragraph(alert, item) for item in alert.items]
    if alert.more:
        parts.append(f"{alert.more} more: `retreasure status` lists them.")
    if alert.run_id:
        parts.append(f"Run {alert.link or alert.run_id}")
    return "\n\n".join(parts)


def _paragraph(alert: Alert, item: Item) -> str:
    lines = [item.heading]
    if not alert.recovered:
        lines.append(" ".join(part for part in (item.cause, item.remedy) if part))
    return "\n".join([*lines, details(alert, item), f"Runbook: {alert.chapter(item)}"])


def details(alert: Alert, item: Item) -> str:
    """Severity, owner, since when, how often tried."""
    since = f"since {item.since:%Y-%m-%d %H:%M} UTC"
    tried = f"{item.attempts} attempts" if item.attempts != 1 else "1 attempt"
    return " · ".join([item.severity.value, item.owner, since, tried])
