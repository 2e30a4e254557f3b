"""A wrong rule and a wrong mapping keep good rows out; once both are corrected, gold is the world's truth, to the cent.

The short form holds what models see of bronze against the truth's totals; the long one holds gold itself.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from retreasure_assets import sources
from retreasure_assets.lake.query import query
from retreasure_assets.quality import suite as suites
from retreasure_assets.quality.quarantine_log import Lifecycle, QuarantineLog
from retreasure_assets.sandbox import WorldSpec, generate_world, true_gold
from retreasure_assets.sandbox.geo import write_geo_files
from retreasure_assets.sandbox.server import environment, running_sandbox
from retreasure_assets.sandbox.till import write_till_files
from tests.end_to_end.against_truth import MONEY_FACTS, assert_true
from tests.end_to_end.conftest import Home

pytestmark = pytest.mark.timeout(1800)

#: Two weeks hold a return at the till.
SPEC = WorldSpec(seed=11, days=14, scale=0.3)
#: Orders that the wrong rule keeps out: too few to have the whole batch withheld.
KEPT_OUT = 4
#: A model of what the gates let models see: each record once, with its amount.
SEEN = """
select 'shopify' as channel, natural_key,
    cast(json_extract_string(payload, '$.totalPriceSet.presentmentMoney.amount') as decimal(18, 4)) as amount
from {{ source('bronze', 'shopify_orders') }}
union all
select 'pos', natural_key, cast(json_extract_string(payload, '$.line_total') as decimal(18, 4))
from {{ source('bronze', 'pos_transactions') }}
"""


@pytest.fixture(scope="module")
def truth() -> dict[str, Any]:
    return true_gold(generate_world(SPEC))


@contextmanager
def selling(home: Home) -> Iterator[None]:
    """The world's sources, for a home."""
    world = generate_world(SPEC)
    with running_sandbox(world) as url:
        home.settings.update(environment(url))
        write_till_files(world, home.path / "drop")
        # How far an order goes is told by places.
        write_geo_files(home.path / "drop")
        yield


def mistaken(home: Home, truth: dict[str, Any]) -> None:
    """A rule that holds the dearest orders for impossible, and a mapping that knows no returns."""
    totals = sorted(Decimal(row["total_amount"]) for row in truth["fct_orders"] if row["channel"] == "shopify")
    document = json.loads((Path(suites.__file__).parent / "suites/bronze/shopify_orders.json").read_text())
    for one in document["expectations"]:
        if one["meta"]["rule"] == "total_amount_range":
            one["kwargs"]["max_value"] = float(totals[-KEPT_OUT - 1])
    suite = home.path / "suites" / "bronze" / "shopify_orders.json"
    suite.parent.mkdir(parents=True)
    suite.write_text(json.dumps(document))
    shipped = (Path(sources.__file__).parent / "mappings/pos_transactions.yaml").read_text()
    mapping = home.path / "mappings" / "pos_transactions.yaml"
    mapping.parent.mkdir(parents=True)
    mapping.write_text(shipped.replace("values: {sale: sale, return: return}", "values: {sale: sale}"))
    assert mapping.read_text() != shipped


def corrected(home: Home) -> None:
    """The shipped rule and mapping again."""
    (home.path / "suites" / "bronze" / "shopify_orders.json").unlink()
    (home.path / "mappings" / "pos_transactions.yaml").unlink()


def entries(home: Home) -> Counter[tuple[str, Lifecycle]]:
    return Counter((entry.dataset, entry.status) for entry in QuarantineLog(home.lake).entries())


def go_through(home: Home, truth: dict[str, Any]) -> None:
    """Read by a wrong rule and a wrong mapping, correct both, replay, build."""
    mistaken(home, truth)
    with selling(home):
        outcome = home.run()
        assert (outcome.code, outcome.err) == (0, ""), outcome.out
        before = entries(home)
        assert before["bronze.shopify_orders", Lifecycle.OPEN] == KEPT_OUT
        assert before["bronze.pos_transactions", Lifecycle.OPEN] > 0
        corrected(home)
        outcome = home.run("quarantine", "replay", "--dataset", "bronze.shopify_orders")
        assert outcome.code == 0, outcome.out
        outcome = home.run()
        assert (outcome.code, outcome.err) == (0, ""), outcome.out
    after = entries(home)
    assert after["bronze.shopify_orders", Lifecycle.REPLAYED] == KEPT_OUT
    assert after["bronze.pos_transactions", Lifecycle.CLOSED] == before["bronze.pos_transactions", Lifecycle.OPEN]
    assert {status for _, status in after} == {Lifecycle.REPLAYED, Lifecycle.CLOSED}


@pytest.mark.long
def test_after_a_correction_and_a_replay_models_see_the_truth(
    home: Home, small_build: Path, truth: dict[str, Any], tmp_path: Path
) -> None:
    project = tmp_path / "dbt_project"
    (project / "models" / "gold").mkdir(parents=True)
    for name in ("dbt_project.yml", "profiles.yml", "macros/generate_schema_name.sql", "models/bronze.yml"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text((small_build / name).read_text())
    (project / "models" / "gold" / "seen.sql").write_text(SEEN)
    home.settings["RETREASURE_DBT_PROJECT"] = str(project)
    go_through(home, truth)
    seen = {
        channel: (rows, keys, amount)
        for channel, rows, keys, amount in home.rows(
            "select channel, count(*), count(distinct natural_key), sum(amount) from gold.seen group by channel"
        )
    }
    orders = [Decimal(row["total_amount"]) for row in truth["fct_orders"] if row["channel"] == "shopify"]
    assert seen["shopify"] == (len(orders), len(orders), sum(orders))
    files = (home.path / "drop" / "pos" / "transactions").iterdir()
    amounts = [Decimal(line["line_total"]) for file in files for line in csv.DictReader(file.read_text().splitlines())]
    assert seen["pos"] == (len(amounts), len(amounts), sum(amounts))


@pytest.mark.slow
def test_after_a_correction_and_a_replay_gold_is_the_truth_to_the_cent(home: Home, truth: dict[str, Any]) -> None:
    go_through(home, truth)
    for table, key in MONEY_FACTS.items():
        result = query(home.lake, f"select * from gold.{table}")
        assert_true([dict(zip(result.columns, row, strict=True)) for row in result.rows], truth[table], key)
