"""Jobs and their schedules: when each source is read."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import dagster as dg

from retreasure_assets.entities import Entity

SYNC_JOB = "sync_sources"
BUILD_JOB = "build_warehouse"
FILES_JOB = "sync_files"
FX_SOURCE = "fx"


def _keys(entities: Iterable[Entity]) -> list[dg.AssetKey]:
    return [dg.AssetKey(["bronze", entity.table]) for entity in entities]


def build_jobs(
    api: Collection[Entity], files: Collection[Entity], dbt: dg.AssetsDefinition
) -> tuple[list[dg.UnresolvedAssetJobDefinition], list[dg.ScheduleDefinition]]:
    """The jobs, and the schedules of those that run by the clock.

    Args:
        api: entities that APIs feed.
        files: entities that dropped files feed.
        dbt: the models.

    Returns:
        Jobs: all sources, channels alone, exchange rates alone, files alone, the build. Schedules: channels every
        hour, exchange rates daily after the ECB has published (about 16:00 in Frankfurt, TARGET working days).
    """
    channels = dg.define_asset_job(
        "sync_channels",
        dg.AssetSelection.assets(*_keys(entity for entity in api if entity.source != FX_SOURCE)),
        description="Read what is new on every sales channel.",
    )
    rates = dg.define_asset_job(
        "sync_exchange_rates",
        dg.AssetSelection.assets(*_keys(entity for entity in api if entity.source == FX_SOURCE)),
        description="Read the exchange rates published since the last time.",
    )
    dropped = dg.define_asset_job(
        FILES_JOB, dg.AssetSelection.assets(*_keys(files)), description="Read the files dropped since the last time."
    )
    sources = dg.define_asset_job(
        SYNC_JOB, dg.AssetSelection.assets(*_keys([*api, *files])), description="Read every source."
    )
    build = dg.define_asset_job(
        BUILD_JOB,
        dg.AssetSelection.assets(dbt),
        description="Build silver and gold from bronze, test and publish them.",
    )
    schedules = [
        dg.ScheduleDefinition(
            name="channels_hourly",
            job=channels,
            cron_schedule="0 * * * *",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        ),
        dg.ScheduleDefinition(
            name="exchange_rates_daily",
            job=rates,
            cron_schedule="30 16 * * *",
            execution_timezone="Europe/Berlin",
            default_status=dg.DefaultScheduleStatus.RUNNING,
        ),
    ]
    return [sources, channels, rates, dropped, build], schedules
