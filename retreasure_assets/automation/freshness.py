"""How old an asset may be before people are told.

What belongs here: freshness policies. What does not: the schedules that keep assets fresh (jobs.py).
"""

from __future__ import annotations

from datetime import timedelta

import dagster as dg

from retreasure_assets.automation.jobs import FX_SOURCE
from retreasure_assets.entities import Entity
from retreasure_assets.resources.platform import Platform
from retreasure_assets.sources.registry import missing_settings

#: Read every hour: three were missed, or half a day.
_HOURLY = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=3), fail_window=timedelta(hours=12))
#: Read every day, at a quarter of an hour that a machine may sleep through.
_DAILY = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=30), fail_window=timedelta(hours=54))
#: Built only when there is something new, which a quiet weekend may not bring.
GOLD = dg.FreshnessPolicy.time_window(warn_window=timedelta(hours=72), fail_window=timedelta(hours=144))


def of_bronze(platform: Platform, entity: Entity) -> dg.FreshnessPolicy | None:
    """The policy of what an API feeds and is switched on; dropped files come when they come."""
    if entity.table not in platform.api_entities or entity.source in missing_settings(platform.settings):
        return None
    return _DAILY if entity.source == FX_SOURCE else _HOURLY
