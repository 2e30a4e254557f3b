"""The advertising platforms' reports: a CSV for every platform and day on which it told something.

What belongs here: layout, names and writing them whole. What does not: the spend (``world_ads``).

A file appears when the day on which its lines were told is over, and never changes.
"""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path

from retreasure_assets.sandbox.till import write_whole
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ads import Spend, spends

COLUMNS = ("date", "platform", "campaign", "currency", "spend", "impressions", "clicks", "reported_at")


def write_ad_files(world: World, drop: Path) -> list[Path]:
    """Write all files of ``world`` below ``drop/ads/spend``; return those that were new or had changed."""
    files: dict[tuple[date, str], list[Spend]] = {}
    for spend in spends(world):
        files.setdefault((spend.told_at.date(), spend.campaign.platform), []).append(spend)
    written = []
    for (day, platform), lines in sorted(files.items(), key=lambda entry: entry[0]):
        path = drop / "ads" / "spend" / f"{platform}_{day.isoformat()}.csv"
        if day < world.clock.date() and write_whole(path, _csv(lines)):
            written.append(path)
    return written


def _csv(lines: list[Spend]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    for line in lines:
        campaign = line.campaign
        figures = (line.amount, line.impressions, line.clicks, line.told_at.strftime("%Y-%m-%dT%H:%M:%SZ"))
        writer.writerow((line.day.isoformat(), campaign.platform, campaign.name, campaign.currency, *figures))
    return text.getvalue().encode()
