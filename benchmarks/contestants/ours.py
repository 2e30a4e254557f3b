"""The platform itself, from raw records to published gold: the same functions that the assets call, without Dagster.

What belongs here: calling them, and a stopwatch on each. What does not: any step that the platform lacks.

    python -m benchmarks.contestants.ours <raw folder> <home> [--select MODEL ...] [--days] [--tests]
"""

from __future__ import annotations

import argparse
import importlib
from collections.abc import Sequence
from datetime import UTC, datetime, time
from pathlib import Path

import duckdb

from benchmarks.contestants.phases import Phases
from benchmarks.contestants.source import JsonLines
from benchmarks.contestants.totals import totals
from retreasure_assets.assets.dbt import is_published
from retreasure_assets.collector import passing_over_what_is_there
from retreasure_assets.entities import RawBatch, Window
from retreasure_assets.errors import BuildError
from retreasure_assets.lake import bronze, ingest
from retreasure_assets.lake.delta_copy import DeltaCopy
from retreasure_assets.lake.helpers import Helper
from retreasure_assets.lake.ingestion_log import IngestionLog
from retreasure_assets.lake.known import KnownRecords
from retreasure_assets.lake.person_links import record_links
from retreasure_assets.lake.publish import publish
from retreasure_assets.lake.sealed import BatchSealer
from retreasure_assets.lake.warehouse import prepare_warehouse
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.resources.dbt import Dbt, import_dbt
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import load_settings

GOLD = ("fct_orders", "fct_order_lines", "agg_daily_sales")


def main() -> None:
    """Do it once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("raw", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("--select", nargs="*", default=[], help="models to build; all when none is named")
    parser.add_argument("--days", action="store_true", help="the raw folder has a folder per day, written on that day")
    parser.add_argument("--tests", action="store_true", help="run the data tests too, as the platform does")
    arguments = parser.parse_args()
    # The others' imports are not in their work either. Arrow imports pandas with its first array.
    import_dbt()
    importlib.import_module("pandas")
    phases = Phases()
    platform = Platform(load_settings().model_copy(update={"home": arguments.home.absolute()}))
    # While its sources are read, as a run of the platform does; the same with the collector.
    dbt = Dbt()
    dbt.make_ready(platform.settings)
    with phases.phase("bronze"), passing_over_what_is_there():
        platform.open()
        if arguments.days:
            _write_days(platform, arguments.raw)
        else:
            _ingest(platform, arguments.raw, phases)
    with phases.phase("prepare"):
        prepare_warehouse(platform.settings, platform.lake, platform.entities)
        record_links(platform.settings, platform.lake, platform.vault.links())
    with phases.phase("dbt"):
        built = build(platform, dbt, arguments.select, arguments.tests, phases)
    for write in ("replace", "replace_parts"):
        phases.watch(DeltaCopy, write, "publish: write Delta (beside one another)")
    with phases.phase("publish"):
        tables = [table for table in built if is_published(*table)]
        publish(platform.settings, platform.lake, tables)
    with duckdb.connect(str(platform.settings.warehouse_path), read_only=True) as engine:
        phases.report(lambda: totals(engine))


def _ingest(platform: Platform, raw: Path, phases: Phases) -> None:
    phases.watch(Helper, "_judge", "bronze: judge, mask, hash (other processes, beside one another)")
    phases.watch(KnownRecords, "find", "bronze: known records")
    phases.watch(Vault, "persons", "bronze: vault, persons")
    phases.watch(Vault, "keys_of", "bronze: vault, keys")
    phases.watch(BatchSealer, "seal", "bronze: seal (with keys)")
    phases.watch(bronze, "append", "bronze: delta (other thread)")
    phases.watch(IngestionLog, "written", "bronze: ingestion log")
    source = JsonLines(raw, platform.entities)
    read = source.batches
    source.batches = lambda *given: phases.each(read(*given), "bronze: read")  # type: ignore[method-assign]
    for entity in source.entities.values():
        ingest.ingest(
            source,
            entity,
            lake=platform.lake,
            vault=platform.vault,
            window=Window(),
            run_id="benchmark",
            helpers=platform.helpers,
        )


def _write_days(platform: Platform, raw: Path) -> None:
    """Write every day's records as if on that day: bronze then has a partition and a commit for each."""
    moment = datetime.now(UTC)
    writer = bronze.BronzeWriter(platform.lake, platform.vault, clock=lambda: moment)
    for folder in sorted(raw.iterdir()):
        moment = datetime.combine(datetime.fromisoformat(folder.name), time(23, 30), UTC)
        source = JsonLines(folder, platform.entities)
        for entity in source.entities.values():
            parts = list(source.batches(entity, None, Window()))
            records = [record for part in parts for record in part.records]
            origins = [origin for part in parts for origin in part.origins]
            writer.write(RawBatch(entity, records, origins), run_id="benchmark")


def build(platform: Platform, dbt: Dbt, select: Sequence[str], tests: bool, phases: Phases) -> list[tuple[str, str]]:
    """Build the models; those built, as (layer, table)."""
    chosen = [f"+{name}" for name in select] or None
    results = dbt.build(platform.settings, platform.settings.home / "build" / "dbt", select=chosen, tests=tests)
    built = []
    for result in results:
        if result.relation is None:
            phases.add("dbt: tests, operations", result.seconds)
            continue
        if result.status != "success":
            raise BuildError(f"{result.name} could not be built: {result.message}", remedy="See dbt's log.")
        phases.add(f"dbt: {result.name}", result.seconds)
        built.append(result.relation)
    return built


if __name__ == "__main__":
    main()
