"""A full rebuild: every model of the dbt project, from the bronze of a state folder that has no warehouse.

What belongs here: calling the platform's own build with a stopwatch. What does not: making bronze (bulk_bronze.py).

    python -m benchmarks.contestants.rebuild <home>
"""

from __future__ import annotations

import argparse
from pathlib import Path

import duckdb

from benchmarks.contestants.ours import build
from benchmarks.contestants.phases import Phases
from benchmarks.contestants.totals import rows
from retreasure_assets.lake.person_links import record_links
from retreasure_assets.lake.warehouse import prepare_warehouse
from retreasure_assets.resources.dbt import Dbt, import_dbt
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import load_settings


def main() -> None:
    """Do it once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--tests", action="store_true", help="run the data tests too")
    arguments = parser.parse_args()
    platform = Platform(load_settings().model_copy(update={"home": arguments.home.absolute()}))
    phases = Phases()
    with phases.phase("prepare"):
        import_dbt()
        prepare_warehouse(platform.settings, platform.lake, platform.entities)
        record_links(platform.settings, platform.lake, platform.vault.links())
    with phases.phase("dbt"):
        build(platform, Dbt(), (), arguments.tests, phases)
    with duckdb.connect(str(platform.settings.warehouse_path), read_only=True) as engine:
        [(clicks,)] = engine.execute("SELECT count(*) FROM silver.events").fetchall()
        phases.report(lambda: rows(engine) | {"clicks": str(clicks)})


if __name__ == "__main__":
    main()
