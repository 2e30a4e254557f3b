"""Silver and gold assets: the dbt models, with their tests as asset checks.

What belongs here: how dbt nodes look in the asset graph, and one build of them. What does not: any SQL.
"""

import json
import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliInvocation, dbt_assets

from retreasure_assets.automation.conditions import WHEN_UPSTREAM_CHANGES
from retreasure_assets.automation.retries import as_dagster_failure
from retreasure_assets.entities import Entity
from retreasure_assets.errors import BuildError, RetreasureError
from retreasure_assets.lake.ingest import log_refusal
from retreasure_assets.lake.locking import run_lock
from retreasure_assets.lake.publish import publish
from retreasure_assets.lake.storage import explained, maintain, refused_by_system
from retreasure_assets.lake.warehouse import prepare_warehouse, row_counts
from retreasure_assets.resources.dbt import DbtCli, dbt_environment
from retreasure_assets.resources.platform import Platform

DEFAULT_OWNER = "team:data-platform"
_KEPT_ARTIFACTS = 5
#: What the ingestion log calls a build.
_BUILD = Entity(source="platform", name="build", natural_key=(), updated_at=None, description="A build as a whole.")
#: Dagster's pool, in which builds wait for each other, and the lock of the same name, which tells who lives.
_POOL = "warehouse"


class Translator(DagsterDbtTranslator):
    """dbt nodes as ``[layer, table]`` assets, grouped by source or mart."""

    def get_asset_key(self, dbt_resource_props: Mapping[str, Any]) -> dg.AssetKey:
        """``[bronze, shopify_orders]`` for a source, ``[silver|gold|quarantine, table]`` for a model."""
        return dg.AssetKey([dbt_resource_props["schema"], dbt_resource_props["name"]])

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The folder under its layer: the source of a staging model, the mart of a gold one."""
        if dbt_resource_props["resource_type"] == "source":
            return None
        layer, *folders = dbt_resource_props["fqn"][1:-1]
        return "_".join([layer, *folders])

    def get_owners(self, dbt_resource_props: Mapping[str, Any]) -> Sequence[str]:
        """``meta.owner``, else the platform's team."""
        meta = dbt_resource_props.get("config", {}).get("meta") or dbt_resource_props.get("meta") or {}
        return [meta.get("owner", DEFAULT_OWNER)]

    def get_tags(self, dbt_resource_props: Mapping[str, Any]) -> Mapping[str, str]:
        """dbt's tags and the layer."""
        return {**super().get_tags(dbt_resource_props), "layer": dbt_resource_props["schema"]}

    def get_automation_condition(self, dbt_resource_props: Mapping[str, Any]) -> dg.AutomationCondition | None:  # type: ignore[type-arg]
        """Every model follows what it is built from."""
        return WHEN_UPSTREAM_CHANGES if dbt_resource_props["resource_type"] == "model" else None


def build_dbt_assets(manifest: Path) -> dg.AssetsDefinition:
    """All models as one op: dbt orders them, and DuckDB has one writer."""

    @dbt_assets(
        manifest=manifest,
        dagster_dbt_translator=Translator(),
        name="dbt_models",
        pool=_POOL,
    )
    def dbt_models(
        context: dg.AssetExecutionContext, dbt: DbtCli, platform: dg.ResourceParam[Platform]
    ) -> Iterator[Any]:
        try:
            with explained("The build folder"), run_lock(platform.settings, _POOL):
                yield from _build(context, dbt, platform)
        except RetreasureError as error:
            log_refusal(platform.lake, _BUILD, error, run_id=context.run_id)
            raise as_dagster_failure(error) from None

    return dbt_models


def _build(context: dg.AssetExecutionContext, dbt: DbtCli, platform: Platform) -> Iterator[Any]:
    settings = platform.settings
    prepare_warehouse(settings, platform.lake, platform.entities)
    with dbt_environment(settings):
        invocation = dbt.cli(
            ["build", "--exclude-resource-type", "unit_test"],
            context=context,
            raise_on_error=False,
            target_path=_artifacts(settings.home.absolute() / "build" / "dbt", context.run_id),
        )
        # Materializations wait for the end: while dbt runs, DuckDB lets nobody else count rows.
        built: list[dg.Output[Any]] = []
        for event in invocation.stream():
            if isinstance(event, dg.Output):
                built.append(event)
                platform.reporter.built(*_table(context, event))
            else:
                yield event
    failed, messages = _failed_models(invocation)
    tables = [_table(context, output) for output in built]
    published = publish(settings, platform.lake, [table for table in tables if is_published(*table)])
    maintain(platform.lake)
    counts = row_counts(settings, tables)
    for output, table in zip(built, tables, strict=True):
        yield dg.Output(
            None, output_name=output.output_name, metadata={**output.metadata, "dagster/row_count": counts[table]}
        )
    context.log.info(f"{sum(bool(table.parts) for table in published)} of {len(published)} tables changed in the lake.")
    if failed:
        raise refused_by_system("The warehouse", messages) or BuildError(
            f"{len(failed)} models could not be built: {', '.join(failed[:5])}.",
            remedy="Their messages are in the run's log; everything that does not depend on them was built.",
        )


def _artifacts(folder: Path, run_id: str) -> Path:
    """Where this run's dbt artifacts and log go; only those of the last few runs are kept."""
    earlier = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime)
    for old in earlier[:-_KEPT_ARTIFACTS]:
        shutil.rmtree(old, ignore_errors=True)
    return folder / run_id


def is_published(layer: str, table: str) -> bool:
    """Whether people and models read a table from the lake: all but staging."""
    return not table.startswith("stg_")


def _table(context: dg.AssetExecutionContext, output: dg.Output[Any]) -> tuple[str, str]:
    layer, table = context.asset_key_for_output(output.output_name).path
    return layer, table


def _failed_models(invocation: DbtCliInvocation) -> tuple[list[str], str]:
    """Names of the models that could not be built, and what dbt says of them, which may quote values."""
    results = Path(invocation.target_path) / "run_results.json"
    if not results.exists():
        raise BuildError("dbt stopped before it built anything.", remedy="Its messages are in the run's log.")
    errors = [result for result in json.loads(results.read_bytes())["results"] if result["status"] == "error"]
    return [error["unique_id"].split(".")[2] for error in errors], "\n".join(str(error["message"]) for error in errors)
