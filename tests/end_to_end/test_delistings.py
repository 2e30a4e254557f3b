"""A shop seen at two moments: how long sold pieces stayed on offer elsewhere is, to the minute, what one could know."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from retreasure_assets.automation.run import run_platform
from retreasure_assets.lake import ingest
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.query import query
from retreasure_assets.lake.storage import Lake
from retreasure_assets.resources.platform import Platform
from retreasure_assets.sandbox import WorldSpec, generate_world
from retreasure_assets.sandbox.server import environment, running_sandbox
from retreasure_assets.sandbox.till import write_till_files
from retreasure_assets.sandbox.truth_delistings import Look, delist_latencies, delistings, oversell_risks
from retreasure_assets.settings import load_settings
from tests.end_to_end.against_truth import assert_true

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

SPEC = WorldSpec(seed=11, days=10, scale=0.15)
#: Between two syncs: long enough for sales, and for some of what is sold to be archived.
BETWEEN = timedelta(hours=40)


@pytest.fixture(scope="module")
def looks() -> list[Look]:
    world = generate_world(SPEC)
    return [Look(world.as_of(moment), moment) for moment in (world.clock - BETWEEN, world.clock)]


@contextmanager
def at(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> Iterator[None]:
    """While it lasts, records come to bronze at that moment and, one after the other, in its second."""
    began = time.monotonic()

    def clock() -> datetime:
        return moment + timedelta(seconds=(time.monotonic() - began) / 1000)

    with monkeypatch.context() as patched:
        patched.setattr(ingest, "BronzeWriter", partial(BronzeWriter, clock=clock))
        yield


def sync(monkeypatch: pytest.MonkeyPatch, look: Look) -> Lake:
    """Read the shop as it is at a moment, and build."""
    with running_sandbox(look.world) as url, at(monkeypatch, look.read_at):
        for name, value in environment(url).items():
            monkeypatch.setenv(name, value)
        settings = load_settings()
        write_till_files(look.world, settings.drop_path)
        outcome = run_platform(Platform(settings))
    assert (outcome.exit_code, outcome.failures, outcome.withheld) == (0, [], [])
    return Lake(settings.lake_path)


def test_what_one_could_know_of_delistings_is_in_gold_to_the_minute(
    looks: list[Look], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    (tmp_path / "dagster").mkdir()
    for number, look in enumerate(looks, start=1):
        lake = sync(monkeypatch, look)
        true = delistings(looks[:number])
        gold = rows(
            lake, "select * replace (date_trunc('second', delisted_at) as delisted_at) from gold.fct_delistings"
        )
        assert_true(gold, told(true), ["item_id"])
        risks = [tuple(row.values()) for row in rows(lake, "select channel, item_id from gold.rpt_oversell_risks")]
        assert sorted(risks) == oversell_risks(true, look)
        latencies = {
            (str(row["business_date"]), row["channel"], row["category"]): Decimal(row["value"])
            for table in ("agg_kpis", "agg_category_kpis")
            for row in rows(lake, f"select * from gold.{table} where kpi = 'delist_latency_p95'")
            if row.setdefault("category", "all")
        }
        assert latencies == delist_latencies(true)
    # Nobody knows on the first day; in the end there are pieces of each kind, and figures for every channel.
    assert not delist_latencies(delistings(looks[:1]))
    assert (
        {row["latency_minutes"] is None for row in true}
        == {row["active_listings"] > 0 for row in true}
        == {True, False}
    )
    assert {channel for _, channel, _ in latencies} == {"all", "shopify", "etsy", "ebay", "pos"}
    assert min(latencies.values()) < 60 < max(latencies.values())


def told(true: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows without what is for reckoning only."""
    return [{name: value for name, value in row.items() if not name.startswith("_")} for row in true]


def rows(lake: Lake, sql: str) -> list[dict[str, Any]]:
    result = query(lake, sql)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]
