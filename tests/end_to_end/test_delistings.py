"""What the demo's world, seen once, has none of: times of delisting, and a payout of which too little reached the bank.

A shop is seen at two moments: how long sold pieces stayed on offer elsewhere is, to the minute, what one could know.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import Any

import pytest

from retreasure_assets.automation.run import run_platform
from retreasure_assets.entities import Window
from retreasure_assets.lake import ingest
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.query import query
from retreasure_assets.lake.storage import Lake
from retreasure_assets.resources.platform import Platform
from retreasure_assets.sandbox import WorldSpec, generate_world, true_gold
from retreasure_assets.sandbox.server import environment, running_sandbox
from retreasure_assets.sandbox.till import write_till_files
from retreasure_assets.sandbox.truth_delistings import Look, delist_latencies, delistings, oversell_risks
from retreasure_assets.settings import load_settings
from tests.end_to_end.against_truth import assert_true

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]

SPEC = WorldSpec(seed=11, days=10, scale=0.15)
#: What a bank kept of a payout, EUR.
WITHHELD = Decimal("12.34")
#: What tells of what is on offer.
LISTED = ("shopify_products", "etsy_listings", "ebay_inventory_items", "ebay_offers", "square_catalog_objects")
#: Between two syncs: long enough for sales, and for some of what is sold to be archived.
BETWEEN = timedelta(hours=40)


@pytest.fixture(scope="module")
def looks() -> list[Look]:
    """The shop at two moments. Of one of its payouts less reached the bank than its entries come to."""
    world = generate_world(SPEC)
    first, *others = world.payouts
    world = replace(world, payouts=[replace(first, adjustments=first.adjustments - WITHHELD), *others])
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


@contextmanager
def shop(monkeypatch: pytest.MonkeyPatch, look: Look) -> Iterator[Platform]:
    """The platform before the shop as it is at a moment."""
    with running_sandbox(look.world) as url, at(monkeypatch, look.read_at):
        for name, value in environment(url).items():
            # What listings' photos show is no matter here.
            if not name.startswith("RETREASURE_MEDIA"):
                monkeypatch.setenv(name, value)
        settings = load_settings()
        write_till_files(look.world, settings.drop_path)
        yield Platform(settings)


@pytest.fixture(scope="module")
def lake(looks: list[Look], tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """What a platform has made of both looks."""
    folder = tmp_path_factory.mktemp("looks")
    (folder / "dagster").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DAGSTER_HOME", str(folder / "dagster"))
        patch.setenv("RETREASURE_HOME", str(folder / "home"))
        with shop(patch, looks[0]) as platform:
            for table in LISTED:
                entity = platform.entities[table]
                connector = platform.connector_for(entity)
                assert connector is not None
                ingest.ingest(connector, entity, lake=platform.lake, vault=platform.vault, window=Window(), run_id="1")
        with shop(patch, looks[1]) as platform:
            outcome = run_platform(platform)
            assert [failure.message for failure in outcome.failures] == []
            assert (outcome.exit_code, outcome.withheld) == (0, [])
            return platform.lake


def test_what_one_could_know_of_delistings_is_in_gold_to_the_minute(looks: list[Look], lake: Lake) -> None:
    true = delistings(looks)
    gold = rows(lake, "select * replace (date_trunc('second', delisted_at) as delisted_at) from gold.fct_delistings")
    assert_true(gold, told(true), ["item_id"])
    risks = [tuple(row.values()) for row in rows(lake, "select channel, item_id from gold.rpt_oversell_risks")]
    assert sorted(risks) == oversell_risks(true, looks[1])
    latencies = {
        (str(row["business_date"]), row["channel"], row["category"]): Decimal(row["value"])
        for table in ("agg_kpis", "agg_category_kpis")
        for row in rows(lake, f"select * from gold.{table} where kpi = 'delist_latency_p95'")
        if row.setdefault("category", "all")
    }
    assert latencies == delist_latencies(true)
    # Who looks once knows nothing; there are pieces of each kind, and figures for every channel.
    assert not delist_latencies(delistings(looks[:1]))
    assert len(risks) > 0
    assert {row["latency_minutes"] is None for row in true if not row["active_listings"]} == {True, False}
    assert {channel for _, channel, _ in latencies} == {"all", "shopify", "etsy", "ebay", "pos"}
    assert min(latencies.values()) < 60 < max(latencies.values())


def test_what_the_bank_got_too_little_is_a_payout_difference_to_the_cent(looks: list[Look], lake: Lake) -> None:
    true = {
        (row["business_date"], row["channel"]): Decimal(row["value"])
        for row in true_gold(looks[1].world)["kpis"]
        if row["kpi"] == "payout_difference"
    }
    gold = {
        (str(row["business_date"]), row["channel"]): Decimal(row["value"])
        for row in rows(lake, "select * from gold.agg_kpis where kpi = 'payout_difference'")
    }
    assert gold == true
    assert {value for value in true.values() if value} == {-WITHHELD}
    told = rows(lake, "select difference_amount from gold.rpt_payout_reconciliation where reconciliation = 'different'")
    assert told == [{"difference_amount": -WITHHELD}]


def told(true: list[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows without what is for reckoning only."""
    return [{name: value for name, value in row.items() if not name.startswith("_")} for row in true]


def rows(lake: Lake, sql: str) -> list[dict[str, Any]]:
    result = query(lake, sql)
    return [dict(zip(result.columns, row, strict=True)) for row in result.rows]
