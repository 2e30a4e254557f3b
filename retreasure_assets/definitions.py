"""Everything is wired here, and only here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import dagster as dg

from retreasure_assets.assets.bronze import build_bronze_asset
from retreasure_assets.assets.dbt import build_dbt_assets
from retreasure_assets.automation.alert_sensors import build_alert_sensors
from retreasure_assets.automation.freshness import of_bronze
from retreasure_assets.automation.jobs import build_jobs
from retreasure_assets.automation.sensors import build_automation_sensor, build_dropped_files_sensor
from retreasure_assets.collector import without_collector
from retreasure_assets.resources.dbt import Dbt, manifest_path
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import active_settings


@without_collector()
def build_definitions(
    platform: Platform | None = None, resource_overrides: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Fresh definitions for one set of settings.

    Args:
        platform: lake, vault and connectors; by default those that the environment describes.
        resource_overrides: resources to replace, by key.
    """
    platform = platform or Platform(active_settings())
    dbt_models = build_dbt_assets(manifest_path(platform.settings))
    jobs, schedules = build_jobs(platform.api_entities.values(), platform.file_entities.values(), dbt_models)
    bronze = [build_bronze_asset(entity, of_bronze(platform, entity)) for entity in platform.entities.values()]
    return dg.Definitions(
        assets=[*bronze, dbt_models],
        jobs=jobs,
        schedules=schedules,
        sensors=[build_dropped_files_sensor(), build_automation_sensor(), *build_alert_sensors()],
        resources={"platform": platform, "dbt": Dbt(), **(resource_overrides or {})},
        executor=dg.in_process_executor,
    )


@dg.definitions
def defs() -> dg.Definitions:
    """What Dagster loads: the definitions of this environment, built when asked for."""
    return build_definitions()
