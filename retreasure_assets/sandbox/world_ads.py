"""What the shop's advertising costs: campaigns and their spend, day by day, derived from a world's seed and clock.

What belongs here: the spend, and when a platform tells of it. What does not: the files it is told in (``ads``), and
whom it brings (``world_clicks``, whose visits carry the campaigns' names).

A platform tells of a day on the next, and corrects some days three days later (clicks that it found to be nobody's are
given back). Each day is drawn from a stream of its own and cut at the world's clock, so that the world of N days shows
the first part of what a longer one shows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from retreasure_assets.sandbox.world import WORLD_START, World
from retreasure_assets.sandbox.world_random import cents, chance, stream


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign: ``name`` as the platform writes it; its links say the same in lower case."""

    platform: str
    name: str
    currency: str


CAMPAIGNS = (
    Campaign("google", "Brand-Search", "EUR"),
    Campaign("facebook", "retargeting", "USD"),
    Campaign("instagram", "spring-finds", "EUR"),
)


@dataclass(frozen=True, slots=True)
class Spend:
    """What a campaign cost on a day, as told at ``told_at``; ``amount`` in the campaign's currency."""

    day: date
    campaign: Campaign
    amount: Decimal
    impressions: int
    clicks: int
    told_at: datetime


def spends(world: World) -> Iterator[Spend]:
    """Everything that was told before the world's clock; what is told of a campaign's day comes in order of time."""
    day = WORLD_START
    while day < world.clock.date():
        for campaign in CAMPAIGNS:
            for spend in _told(world.seed, campaign, day):
                if spend.told_at < world.clock:
                    yield spend
        day += timedelta(days=1)


def _told(seed: int, campaign: Campaign, day: date) -> Iterator[Spend]:
    rng = stream(seed, "ads", campaign.platform, campaign.name, day.isoformat())
    amount, clicks, views = cents(rng, 4, 40), 5 + int(rng.random() * 60), 400 + int(rng.random() * 6000)
    corrected, back = chance(rng, 0.2), 1 + int(rng.random() * 4)
    after = datetime(day.year, day.month, day.day, 6, tzinfo=UTC)
    yield Spend(day, campaign, amount, views, clicks, after + timedelta(days=1))
    if corrected:
        given_back = (amount * back / clicks).quantize(Decimal("0.01"))
        yield Spend(day, campaign, amount - given_back, views, clicks - back, after + timedelta(days=4))
