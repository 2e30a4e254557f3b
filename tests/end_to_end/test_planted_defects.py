"""A sandbox that spoils records on purpose: each one ends in quarantine, and nothing else does."""

from __future__ import annotations

import httpx
import pytest

from retreasure_assets.sandbox.server import Handling, environment, read_faults, running_sandbox
from retreasure_assets.sandbox.world import WorldSpec, generate_world
from tests.end_to_end.conftest import Home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


def test_every_planted_defect_is_in_quarantine_and_nothing_else(home: Home) -> None:
    # In this world no location is hit: without its id nobody can ask for its stock, and that source would fail.
    world = generate_world(WorldSpec(seed=6, days=10, scale=0.3))
    handling = Handling(read_faults("shopify:malformed=3%,shopify:missing=3%,shopify:null=3%,shopify:totals=6%"))
    with running_sandbox(world, handling=handling) as url:
        home.settings.update(environment(url))
        outcome = home.run()
        spoiled = httpx.get(f"{url}/sandbox").json()["spoiled"]
    assert outcome.code == 0, outcome.out[-3000:] + outcome.err[-3000:]
    totals = {record["id"].rpartition("/")[2] for record in spoiled if record["kind"] == "totals"}
    unreadable = [record for record in spoiled if record["kind"] != "totals"]
    assert totals
    assert unreadable
    rejected = home.rows("select order_id, reject_reason from quarantine.silver_orders where channel = 'shopify'")
    assert {str(order).rpartition("/")[2] for order, _ in rejected} == totals
    assert {reason.strip("; ") for _, reason in rejected} == {"totals do not add up"}
    kept = sum(home.count(f"{layer}.{table}") for layer, table in home.lake.tables() if table.startswith("bronze_"))
    assert kept == len(unreadable)
    good = {str(row[0]).rpartition("/")[2] for row in home.rows("select order_id from gold.fct_orders")}
    assert not totals & good
