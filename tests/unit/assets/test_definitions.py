"""Conventions of the asset graph: it loads quickly, and every asset says what it is and whose."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import dagster as dg
import pytest

from retreasure_assets.assets.bronze import build_bronze_asset
from retreasure_assets.definitions import build_definitions
from retreasure_assets.lake.query import query
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import Settings


@pytest.fixture(scope="module")
def specs() -> dict[dg.AssetKey, dg.AssetSpec]:
    graph = build_definitions().resolve_asset_graph()
    return {key: graph.get(key).to_asset_spec() for key in graph.materializable_asset_keys}


def test_every_layer_has_assets(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    layers = {key.path[0] for key in specs}
    assert {"bronze", "silver", "gold", "quarantine"} <= layers


def test_every_asset_says_what_it_is_and_whose(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    for key, spec in specs.items():
        assert len(key.path) == 2, key
        assert spec.group_name not in (None, "default"), key
        assert spec.owners, key
        assert spec.description, key
        assert spec.kinds, key


def test_every_column_is_described(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    for key, spec in specs.items():
        schema = spec.metadata.get("dagster/column_schema")
        assert isinstance(schema, dg.TableSchema), key
        assert schema.columns, key
        assert [column.name for column in schema.columns if not column.description] == [], key


def test_every_silver_and_gold_asset_comes_from_bronze(specs: dict[dg.AssetKey, dg.AssetSpec]) -> None:
    def roots(key: dg.AssetKey) -> set[str]:
        parents = [dep.asset_key for dep in specs[key].deps]
        return {key.path[0]} if not parents else set().union(*(roots(parent) for parent in parents))

    # Lists that the project itself keeps.
    lists = [("gold", "dim_account"), ("gold", "dim_date"), ("gold", "dim_channel"), ("silver", "tracking_statuses")]
    lists += [("silver", "countries"), ("silver", "regions")]
    generated = {dg.AssetKey(key) for key in lists}
    for key in specs:
        if key not in generated:
            assert "bronze" in roots(key), key


def test_a_mistake_in_a_mapping_stops_dropped_files_alone(tmp_path: Path) -> None:
    platform = Platform(Settings(home=tmp_path))
    (tmp_path / "mappings").mkdir()
    (tmp_path / "mappings" / "till.yaml").write_text("extends: pos_transactions\npatern: x\n")
    graph = build_definitions(platform).resolve_asset_graph()
    assert {key.path[-1] for key in graph.materializable_asset_keys} >= {"pos_transactions", "shopify_orders"}
    assert platform.mapping_mistake is not None
    assert platform.mapping_mistake.message.startswith("The file mapping till.yaml: the key patern is unknown")
    assert platform.mappings == Platform(Settings(home=tmp_path / "other")).mappings
    for table, stopped in (("pos_transactions", True), ("shopify_orders", False)):
        entity = platform.entities[table]
        result = dg.materialize(
            [build_bronze_asset(entity)],
            resources={"platform": platform},
            raise_on_error=False,
            run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
        )
        assert result.success != stopped
    [(source, entity_name, error)] = query(
        platform.lake, "select source, entity, error_class from ops.ingestion_log"
    ).rows
    assert (source, entity_name, error) == ("pos", "transactions", "ConfigurationError")


def test_dbt_tests_are_asset_checks() -> None:
    graph = build_definitions().resolve_asset_graph()
    checked = {check.asset_key.path[0] for check in graph.asset_check_keys}
    assert {"bronze", "silver", "gold"} <= checked


def test_schedules_and_sensors_run_by_default() -> None:
    definitions = build_definitions()
    assert {schedule.name for schedule in definitions.schedules or ()} == {"channels_hourly", "exchange_rates_daily"}
    for schedule in definitions.schedules or ():
        assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    for sensor in definitions.sensors or ():
        assert sensor.default_status is dg.DefaultSensorStatus.RUNNING


@pytest.mark.slow
def test_importing_the_definitions_is_quick() -> None:
    build_definitions()  # leaves a fresh manifest behind
    loaded = "from retreasure_assets.definitions import build_definitions; build_definitions()"
    # Processor seconds, as other tests run beside this one. Where the libraries that cannot be done without take longer
    # by themselves, ours are held against theirs. Great Expectations alone would double them.
    ours, libraries = (
        min(
            float(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout)
            for code in [f"import time; {statement}; print(time.process_time())"] * 3
        )
        for statement in (loaded, "import dagster, dagster_dbt")
    )
    assert ours < max(3.0, 1.2 * libraries), (ours, libraries)


def test_workspace_and_cloud_files_name_the_definitions() -> None:
    import yaml

    from tests.conftest import REPOSITORY

    workspace = yaml.safe_load((REPOSITORY / "workspace.yaml").read_text())
    cloud = yaml.safe_load((REPOSITORY / "dagster_cloud.yaml").read_text())
    assert workspace["load_from"][0]["python_module"]["module_name"] == "retreasure_assets.definitions"
    assert cloud["locations"][0]["code_source"]["module_name"] == "retreasure_assets.definitions"
    started = time.monotonic()
    outcome = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", "workspace.yaml"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr[-2000:]
    assert time.monotonic() - started < 120


@pytest.mark.parametrize(
    "what", ["retreasure_assets.definitions", "retreasure_assets.lake.judging"], ids=["definitions", "helper"]
)
def test_pandas_is_imported_when_it_is_needed(what: str) -> None:
    code = f"import sys, {what}; sys.exit('pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
