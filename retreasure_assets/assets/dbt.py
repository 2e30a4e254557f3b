"""Silver and gold assets: the dbt models, with their tests as asset checks.

What belongs here: how dbt nodes look in the asset graph, and one build of them. What does not: any SQL.
"""

import shutil
import sys
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import dagster as dg
import msgspec

from retreasure_assets.assets.gate_checks import gate_check
from retreasure_assets.automation.conditions import WHEN_UPSTREAM_CHANGES
from retreasure_assets.automation.freshness import GOLD
from retreasure_assets.automation.retries import as_dagster_failure
from retreasure_assets.entities import Entity
from retreasure_assets.errors import AlreadyRunningError, BuildError, RetreasureError
from retreasure_assets.lake.ingest import log_refusal
from retreasure_assets.lake.locking import run_lock
from retreasure_assets.lake.manifest import follow
from retreasure_assets.lake.news import news, outdated, remember, remember_models
from retreasure_assets.lake.person_links import record_links
from retreasure_assets.lake.publish import publish
from retreasure_assets.lake.storage import explained, maintain, refused_by_system
from retreasure_assets.lake.warehouse import merge_row_groups, prepare_warehouse, row_counts
from retreasure_assets.quality.result import GATE_CHECK, Status
from retreasure_assets.quality.silver_gate import check_silver
from retreasure_assets.quality.silver_rules import enter_silver
from retreasure_assets.quality.suite import shipped
from retreasure_assets.resources.dbt import Dbt, NodeResult, project_state
from retreasure_assets.resources.dbt_rows import row_state
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import Settings


@contextmanager
def _dbt_left_out() -> Iterator[None]:
    """While it lasts, dbt-core looks absent, where it is not imported already.

    dagster-dbt imports half of dbt for three enumerations (1.4 s, for every process that loads the definitions), and
    has its own where dbt-core is absent. Only a build needs dbt.
    """
    if _LEFT_OUT in sys.modules:
        yield
        return
    sys.modules[_LEFT_OUT] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[_LEFT_OUT]


_LEFT_OUT = "dbt.version"
with _dbt_left_out():
    from dagster_dbt import DagsterDbtTranslator

DEFAULT_OWNER = "team:data-platform"
_KEPT_ARTIFACTS = 5
#: What the ingestion log calls a build.
_BUILD = Entity(source="platform", name="build", natural_key=(), updated_at=None, description="A build as a whole.")
#: Dagster's pool, in which builds wait for each other, and the lock of the same name, which tells who lives.
_POOL = "warehouse"
#: After one of these the next build looks at everything.
_NOT_WELL = frozenset({"error", "runtime error", "fail", "skipped", "partial success"})


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
    parsed = msgspec.json.decode(manifest.read_bytes())
    translator = Translator()

    specs, checks = _specs(parsed, translator)

    # Not @dbt_assets: it selects models with dbt's own selectors, which takes importing dbt.
    @dg.multi_asset(name="dbt_models", specs=specs, check_specs=checks, can_subset=True, pool=_POOL)
    def dbt_models(
        context: dg.AssetExecutionContext, dbt: dg.ResourceParam[Dbt], platform: dg.ResourceParam[Platform]
    ) -> Iterator[Any]:
        try:
            with explained("The build folder"), run_lock(platform.settings, _POOL):
                yield from _build(context, dbt, platform, _selected(context, parsed, translator))
        except RetreasureError as error:
            log_refusal(platform.lake, _BUILD, error, run_id=context.run_id)
            raise as_dagster_failure(error) from None

    return dbt_models


def _specs(
    manifest: Mapping[str, Any], translator: Translator
) -> tuple[Sequence[dg.AssetSpec], Sequence[dg.AssetCheckSpec]]:
    """The models as assets, their tests as checks."""
    assets = {
        unique_id: _fresh(translator.get_asset_spec(manifest, unique_id, None))
        for unique_id, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    checks: dict[dg.AssetCheckKey, dg.AssetCheckSpec] = {}
    for unique_id, asset in assets.items():
        for child in manifest["child_map"][unique_id]:
            if child.startswith("test."):
                check = translator.get_asset_check_spec(asset, manifest, child, None)
                if check is not None:
                    checks[check.key] = check
    suites = set(shipped("silver"))
    for asset in assets.values():
        if asset.key.path[0] == "silver" and asset.key.path[-1] in suites:
            told = "What the last build made keeps the dataset's suite (quality/suites/silver)."
            spec = dg.AssetCheckSpec(GATE_CHECK, asset=asset.key, description=told)
            checks[spec.key] = spec
    return list(assets.values()), list(checks.values())


def _fresh(spec: dg.AssetSpec) -> dg.AssetSpec:
    """Gold must not grow old; what it is built from need not change."""
    return spec.replace_attributes(freshness_policy=GOLD) if spec.key.path[0] == "gold" else spec


def _selected(
    context: dg.AssetExecutionContext, manifest: Mapping[str, Any], translator: Translator
) -> list[str] | None:
    """What a run asks for in dbt's words, None for all of it: models and tests by their full names."""
    if not context.is_subset:
        return None
    checks = {key.name for key in context.selected_asset_check_keys}
    return [
        "fqn:" + ".".join(node["fqn"])
        for node in manifest["nodes"].values()
        if (node["resource_type"] == "model" and translator.get_asset_key(node) in context.selected_asset_keys)
        or (node["resource_type"] == "test" and node["name"] in checks)
    ]


def _build(context: dg.AssetExecutionContext, dbt: Dbt, platform: Platform, select: list[str] | None) -> Iterator[Any]:
    settings, lake = platform.settings, platform.lake
    _ask_gates(context, platform)
    versions = prepare_warehouse(settings, lake, platform.entities, platform.gates.admissions(platform.entities))
    # Any staging model may hold records of somebody who turned out to be somebody else.
    project = f"{project_state(settings)} {record_links(settings, lake, platform.vault.links())}"
    folder = _artifacts(settings.home.absolute() / "build" / "dbt", context.run_id)
    rows = row_state(settings)
    old = outdated(settings, rows.incremental, rows.state)
    if old:
        results = _everything_anew(context, dbt, platform, folder, old, all_of_them=len(old) == len(rows.incremental))
    elif select is not None:
        results = dbt.build(settings, folder, select=select, exactly=True, told=platform.reporter.built)
    else:
        results = _whatever_is_new(context, dbt, platform, folder, news(settings, versions, project))
    remember_models(settings, [one.relation for one in results if one.relation and one.status == "success"], rows.state)
    built = {result.relation: result for result in results if result.relation and result.status == "success"}
    # What is not built anew is still as it was published, unless somebody removed it.
    touched = {result.relation for result in results}
    gone = [key for key in _tables(context) if key not in touched and select is None and not lake.exists(*key)]
    # Publishing is the engine's and Delta's work, telling of hundreds of checks is Dagster's: beside each other.
    with ThreadPoolExecutor(1, "publishing") as aside:
        publishing = aside.submit(publish, settings, lake, [table for table in [*built, *gone] if is_published(*table)])
        yield from _checks(context, settings, results, built)
        published = publishing.result()
    if select is None:
        enter_silver(lake, context.run_id)
        platform.workplace.forget(settings.quarantine_retention_days)
    follow(lake, maintain(lake))
    if built:
        merge_row_groups(settings)
    if (old or select is None) and not any(result.status in _NOT_WELL for result in results):
        remember(settings, versions, project)
    # A build that began anew built more than it was asked for.
    wanted = set(_tables(context))
    asked = {table: result for table, result in built.items() if table in wanted}
    counts = {(table.layer, table.table): table.rows for table in published}
    counts |= row_counts(settings, [table for table in asked if table not in counts])
    for table, result in asked.items():
        yield dg.Output(
            None,
            output_name=dg.AssetKey(table).to_python_identifier(),
            metadata={**_metadata(result), "dagster/row_count": counts[table]},
        )
    context.log.info(f"{sum(bool(table.parts) for table in published)} of {len(published)} tables changed in the lake.")
    errors = [result for result in results if result.status == "error"]
    if errors:
        failed, messages = [error.name for error in errors], "\n".join(error.message for error in errors)
        raise refused_by_system("The warehouse", messages) or BuildError(
            f"{len(failed)} models could not be built: {', '.join(failed[:5])}.",
            remedy=f"dbt's messages are in {folder / 'dbt.log'}; everything that does not depend on them was built.",
        )


def _checks(
    context: dg.AssetExecutionContext,
    settings: Settings,
    results: Iterable[NodeResult],
    built: Iterable[tuple[str, str]],
) -> Iterator[dg.AssetCheckResult]:
    """What the tests of a build found, and what silver's suites say of it."""
    checks = {key.name: key for key in context.selected_asset_check_keys}
    for test in results:
        if test.name in checks and test.status != "skipped":
            yield _check_result(test, checks[test.name])
    for found in check_silver(settings, _with_suites(context, built), context.run_id):
        yield gate_check(settings, found.dataset, found.status, found.metadata())


def _ask_gates(context: dg.AssetExecutionContext, platform: Platform) -> None:
    """Have gates look at what came to bronze without one, and say in the run what is built without its newest rows.

    Rows come without their gate before a kill, or by another way than a sync.
    """
    for entity in platform.entities.values():
        if platform.gates.is_waiting(entity):
            # A sync that is at this table asks its gate itself.
            with suppress(AlreadyRunningError), run_lock(platform.settings, f"bronze_{entity.table}"):
                result = platform.gates.check(entity, run_id=context.run_id)
                if result is not None and result.status is Status.WARNED:
                    context.log.warning(result.sentence)
        if (sentence := platform.gates.withheld(entity)) is not None:
            context.log.warning(sentence)


def _whatever_is_new(
    context: dg.AssetExecutionContext, dbt: Dbt, platform: Platform, folder: Path, new: frozenset[str] | None
) -> list[NodeResult]:
    """Build what reads a bronze table that changed, and nothing where none did: the same rows would come out."""
    if new is not None and not new:
        context.log.info("Bronze has nothing new: every model is as the last build left it.")
        return []
    select = None if new is None else [f"source:bronze.{table}+" for table in sorted(new)]
    return dbt.build(platform.settings, folder, select=select, told=platform.reporter.built)


def _everything_anew(
    context: dg.AssetExecutionContext,
    dbt: Dbt,
    platform: Platform,
    folder: Path,
    old: Collection[tuple[str, str]],
    *,
    all_of_them: bool,
) -> list[NodeResult]:
    """Build everything, and from nothing what another state of the project made, whatever was asked for.

    An incremental model keeps the rows of its earlier SQL, and whoever reads them; the warehouse holds nothing of its
    own, so what is outdated, and all that depends on it, is made again from bronze.
    """
    tables = "1 table is" if len(old) == 1 else f"{len(old)} tables are"
    sentence = f"The models have changed since the last build: {tables} built anew from bronze."
    context.log.info(sentence)
    platform.reporter.noted(sentence)
    told = platform.reporter.built
    if all_of_them:
        return dbt.build(platform.settings, folder, anew=True, told=told)
    # What an earlier build, broken off, left outdated; what that depends on is as it should be.
    chosen = [f"{table}+" for _, table in old]
    return [
        *dbt.build(platform.settings, folder, exclude=chosen, told=told),
        *dbt.build(platform.settings, folder, select=chosen, anew=True, told=told),
    ]


def _tables(context: dg.AssetExecutionContext) -> list[tuple[str, str]]:
    return [(key.path[0], key.path[1]) for key in sorted(context.selected_asset_keys)]


def _metadata(result: NodeResult) -> dict[str, Any]:
    return {"Execution Duration": result.seconds, "unique_id": result.unique_id, "status": result.status}


def _with_suites(context: dg.AssetExecutionContext, built: Iterable[tuple[str, str]]) -> list[str]:
    """The tables of silver that were built, have a suite, and whose check this run asks for."""
    asked = {key.asset_key.path[-1] for key in context.selected_asset_check_keys if key.name == GATE_CHECK}
    return [table for layer, table in built if layer == "silver" and table in asked]


def _check_result(test: NodeResult, key: dg.AssetCheckKey) -> dg.AssetCheckResult:
    told = "; ".join(f"{rule}: {'1 row' if rows == 1 else f'{rows} rows'}" for rule, rows in test.broken.items())
    return dg.AssetCheckResult(
        asset_key=key.asset_key,
        check_name=key.name,
        passed=test.status == "pass",
        severity=dg.AssetCheckSeverity.WARN if test.status == "warn" else dg.AssetCheckSeverity.ERROR,
        description=told or None,
        metadata={
            **_metadata(test),
            "dagster_dbt/failed_row_count": test.failures or 0,
            **({"summary": told} if told else {}),
        },
    )


def _artifacts(folder: Path, run_id: str) -> Path:
    """Where this run's dbt artifacts and log go; only those of the last few runs are kept."""
    earlier = sorted(folder.glob("*"), key=lambda path: path.stat().st_mtime)
    for old in earlier[:-_KEPT_ARTIFACTS]:
        shutil.rmtree(old, ignore_errors=True)
    return folder / run_id


def is_published(layer: str, table: str) -> bool:
    """Whether people and models read a table from the lake: all but staging and what only models read (int_).

    Writing the intermediate ones, most of them views, was two fifths of a publication's CPU.
    """
    return not table.startswith(("stg_", "int_"))
