"""An alert: what is told of one run or one look round, whatever the channel.

What belongs here: making one alert of many rows of the failure log, and keeping what is personal out of it. What does
not: how a channel shows it.
"""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

import msgspec

from retreasure_assets.lake.failures import Kind, Severity
from retreasure_assets.lake.register import Row

#: Things that one alert names; the failure log has them all.
MOST_ITEMS = 12
#: Subjects that one item names.
_SUBJECTS = 4
#: Characters of a cause or remedy.
_LONGEST = 600
#: What must not travel, should a sentence ever hold it: e-mail addresses, an address's query, long rows of digits.
_PERSONAL = (
    (re.compile(r"[^\s<>\"'@]+@[^\s<>\"'@]+\.[^\s<>\"'@]+"), "<e-mail>"),
    (re.compile(r"(https?://[^\s?#]+)[?#]\S*"), r"\1"),
    (re.compile(r"\+?\d[\d ()/.-]{7,}\d(?![\w:.-])"), "<number>"),
)
#: A moment in a sentence is no telephone number.
_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2})?)?")

#: What each kind is called in a heading.
TITLES = {
    Kind.RUN: "Run did not finish",
    Kind.SOURCE: "Source not read",
    Kind.STEP: "Step failed",
    Kind.CHECK: "Data check failed",
    Kind.STALE: "Stale asset",
    Kind.SILENT: "Source has gone silent",
    Kind.CIRCUIT: "Source does not answer: circuit open",
    Kind.SENSOR: "Sensor or schedule does not work",
}


class Item(msgspec.Struct, frozen=True):
    """Things of one kind that fail, or failed, for one reason.

    Args:
        kind: what sort of things.
        subjects: which; the first few of them.
        more: how many others.
        cause: why.
        remedy: what to do, "" when there is only the runbook.
        owner: who answers for them.
        severity: how much it matters.
        since: when the first of them was first seen.
        attempts: how often they were tried.
    """

    kind: Kind
    subjects: tuple[str, ...]
    more: int
    cause: str
    remedy: str
    owner: str
    severity: Severity
    since: datetime
    attempts: int

    @property
    def heading(self) -> str:
        """What failed, in one line."""
        others = f" and {self.more} more" if self.more else ""
        return f"{TITLES[self.kind]}: {', '.join(self.subjects)}{others}"


class Alert(msgspec.Struct, frozen=True):
    """One message.

    Args:
        alert_id: the same for the same failures of the same run, so that it is told once.
        recovered: whether it tells that things work again.
        severity: the worst of its items.
        items: what it is about, worst first.
        more: how many further ones there are.
        run_id: the run, "" where none is concerned.
        link: the run's page, "" when nobody said where the UI is.
        runbook: where the runbook is.
        at: when it was seen.
    """

    alert_id: str
    recovered: bool
    severity: Severity
    items: tuple[Item, ...]
    more: int
    run_id: str
    link: str
    runbook: str
    at: datetime

    @property
    def title(self) -> str:
        """The alert in one line."""
        first = self.items[0].heading
        others = len(self.items) + self.more - 1
        also = f" (and {others} more)" if others else ""
        return f"{'Works again' if self.recovered else self.severity.upper()}: {first}{also}"

    def chapter(self, item: Item) -> str:
        """The runbook's section on an item."""
        return f"{self.runbook}#{anchor(item.kind)}"


def anchor(kind: Kind) -> str:
    """The runbook's section on a kind, as GitHub makes anchors of headings."""
    return re.sub(r"[^a-z0-9 -]", "", TITLES[kind].lower()).replace(" ", "-")


def compose(
    rows: Sequence[Row], *, recovered: bool, by: str, run_id: str, dagster_url: str, runbook: str, at: datetime
) -> Alert:
    """One alert of some rows of the failure log.

    Args:
        rows: at least one.
        recovered: whether they tell that things work again.
        by: who saw it: with the rows themselves it makes the alert's id.
        run_id: the run concerned, "" for none.
        dagster_url: where the UI is, "" when nobody said.
        runbook: address of the runbook.
        at: when.
    """
    alike: dict[tuple[str, str, str], list[Row]] = defaultdict(list)
    for row in rows:
        alike[(row["kind"], row["cause"], row["owner"])].append(row)
    items = sorted((_item(group) for group in alike.values()), key=lambda item: -item.severity.rank)
    marks = sorted(str(row["failure_id"]) for row in rows)
    digest = hashlib.sha256("\n".join([by, str(recovered), *marks]).encode()).hexdigest()
    return Alert(
        alert_id=digest[:32],
        recovered=recovered,
        severity=Severity.INFO if recovered else items[0].severity,
        items=tuple(items[:MOST_ITEMS]),
        more=max(0, len(items) - MOST_ITEMS),
        run_id=run_id,
        link=f"{dagster_url.rstrip('/')}/runs/{run_id}" if dagster_url and run_id else "",
        runbook=runbook,
        at=at,
    )


def _item(group: Sequence[Row]) -> Item:
    first = group[0]
    subjects = sorted(str(row["subject"]) for row in group)
    return Item(
        kind=Kind(first["kind"]),
        subjects=tuple(impersonal(subject)[:200] for subject in subjects[:_SUBJECTS]),
        more=max(0, len(subjects) - _SUBJECTS),
        cause=impersonal(first["cause"])[:_LONGEST],
        remedy=impersonal(first["remedy"] or "")[:_LONGEST],
        owner=first["owner"],
        severity=max((Severity(row["severity"]) for row in group), key=lambda severity: severity.rank),
        since=min(row["first_seen_at"] for row in group),
        attempts=sum(row["attempts"] for row in group),
    )


def impersonal(text: str) -> str:
    """A sentence without what may be personal.

    Sentences of the platform never hold it; this is the second lock, where they leave the house.
    """
    moments = _MOMENT.findall(text)
    text = _MOMENT.sub("\x00", text)
    for pattern, instead in _PERSONAL:
        text = pattern.sub(instead, text)
    for moment in moments:
        text = text.replace("\x00", moment, 1)
    return text
