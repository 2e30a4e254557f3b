"""The quarantine as a workplace: looked at, replayed, discarded, forgotten; nothing counted twice."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from deltalake import write_deltalake

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.quality import suite as suites
from retreasure_assets.quality.gate import Gates
from retreasure_assets.quality.quarantine_log import Lifecycle
from retreasure_assets.quality.result import GateResult
from retreasure_assets.quality.silver_rules import enter_silver
from retreasure_assets.quality.suite import suite_of
from retreasure_assets.quality.workplace import Workplace
from tests.unit.lake.world import ORDERS, PLANTED, rows
from tests.unit.quality.conftest import order

Receive = Callable[..., GateResult]
Shown = Callable[[], list[str]]


@pytest.fixture
def rules(tmp_path: Path) -> Path:
    return tmp_path / "suites"


@pytest.fixture
def gates(lake: Lake, rules: Path) -> Gates:
    return Gates(lake, suites=rules)


@pytest.fixture
def workplace(lake: Lake, vault: Vault, rules: Path) -> Workplace:
    return Workplace(
        lake, {ORDERS.table: ORDERS}, {ORDERS.table}, lambda: vault, lambda table: suite_of("bronze", table, rules)
    )


def loosen(rules: Path, *rule: str) -> None:
    """A suite of one's own, without some rules."""
    document = json.loads((Path(suites.__file__).parent / "suites/bronze/shopify_orders.json").read_text())
    document["expectations"] = [one for one in document["expectations"] if one["meta"]["rule"] not in rule]
    (rules / "bronze").mkdir(parents=True, exist_ok=True)
    (rules / "bronze" / "shopify_orders.json").write_text(json.dumps(document))


def test_a_row_is_replayed_once_its_rule_is_corrected(
    receive: Receive, shown: Shown, workplace: Workplace, rules: Path, lake: Lake
) -> None:
    receive([order(1), order(2, createdAt=None), order(3, presentmentCurrencyCode="?")])
    entries = workplace.entries(status=Lifecycle.OPEN)
    assert len(entries) == 2
    assert {(one.done, one.told) for one in workplace.replay(entries, "r")} == {
        (False, "it still breaks created_at_present"),
        (False, "it still breaks currency_code"),
    }
    loosen(rules, "created_at_present")
    assert sorted(one.done for one in workplace.replay(entries, "r")) == [False, True]
    assert shown() == ["1", "2"]
    (replayed,) = workplace.entries(status=Lifecycle.REPLAYED)
    assert replayed.natural_key == "gid://shopify/Order/2"
    assert replayed.who
    # Bronze is as it was received, and nobody replays twice.
    assert len(rows(lake, "bronze", "shopify_orders")) == 3
    assert [one.told for one in workplace.replay([replayed], "r")] == ["it is replayed already"]
    assert shown() == ["1", "2"]
    receive([order(4)])
    assert shown() == ["1", "2", "4"]


def test_a_replayed_row_is_news_and_comes_last(
    receive: Receive, workplace: Workplace, rules: Path, gates: Gates, lake: Lake
) -> None:
    receive([order(1), order(2, createdAt=None)])
    before = gates.admissions([ORDERS.table])[ORDERS.table]
    loosen(rules, "created_at_present")
    workplace.replay(workplace.entries(), "r")
    after = gates.admissions([ORDERS.table])[ORDERS.table]
    assert after.state != before.state
    (copy,) = rows(lake, "quarantine", "replayed")
    assert copy["ingested_at"] > max(row["ingested_at"] for row in rows(lake, "bronze", "shopify_orders"))
    assert copy["sealed"] is None


def test_a_discarded_row_stays_out(receive: Receive, shown: Shown, workplace: Workplace, rules: Path) -> None:
    receive([order(1), order(2, createdAt=None)])
    (entry,) = workplace.entries()
    workplace.discard([entry], why="a test of ours", run_id="r")
    (entry,) = workplace.entries(status=Lifecycle.DISCARDED)
    assert entry.why == "a test of ours"
    loosen(rules, "created_at_present")
    assert [one.done for one in workplace.replay([entry], "r")] == [False]
    assert shown() == ["1"]
    with pytest.raises(ConfigurationError, match="discarded already"):
        workplace.discard([entry], why="again", run_id="r")


def test_a_record_that_could_not_be_read_is_read_again_from_its_own_bytes(
    receive: Receive, workplace: Workplace
) -> None:
    receive([order(1), order(2)[:-9]])
    (entry,) = workplace.entries()
    assert not entry.is_readable
    assert workplace.payload(entry) is None
    assert [one.told for one in workplace.replay([entry], "r")] == ["it still cannot be read"]
    assert workplace.entries(status=Lifecycle.OPEN) == [entry]


def test_entries_are_found_by_the_beginning_of_their_id(receive: Receive, workplace: Workplace) -> None:
    receive([order(1), order(2, createdAt=None)])
    (entry,) = workplace.entries()
    assert workplace.find([entry.entry_id[:6]]) == [entry]
    payload = workplace.payload(entry)
    assert payload is not None
    assert not any(value in payload for value in PLANTED)
    with pytest.raises(ConfigurationError, match="names no entry"):
        workplace.find(["zz"])


def test_rows_of_entries_that_ended_are_forgotten_in_time(
    receive: Receive, workplace: Workplace, lake: Lake, shown: Shown
) -> None:
    receive([order(1), order(2, createdAt=None), order(3, createdAt=None)])
    first, second = workplace.entries()
    workplace.discard([first], why="of no use", run_id="r")
    assert workplace.forget(1) == 0
    assert workplace.forget(0) == 1
    assert workplace.forget(0) == 0
    (left,) = rows(lake, "quarantine", "bronze_shopify_orders")
    assert left["record_id"] == second.record_id
    # What is known of it stays, and so it stays out.
    assert shown() == ["1"]


def silver(lake: Lake, *found: dict[str, Any]) -> None:
    """Publish ``quarantine.silver_orders``."""
    schema = pa.schema(
        [
            ("channel", pa.string()),
            ("order_id", pa.string()),
            ("source_table", pa.string()),
            ("record_id", pa.string()),
            ("reject_reason", pa.string()),
            ("built_at", pa.timestamp("us", tz="UTC")),
        ]
    )
    values = [
        {"channel": "shopify", "source_table": "shopify_orders", "built_at": datetime.now(UTC), **one} for one in found
    ]
    write_deltalake(
        lake.uri("quarantine", "silver_orders"), pa.Table.from_pylist(values, schema=schema), mode="overwrite"
    )


def test_what_rules_of_silver_keep_out_is_in_the_same_workplace(
    receive: Receive, shown: Shown, workplace: Workplace, lake: Lake
) -> None:
    receive([order(1), order(2)])
    record = {row["natural_key"]: row["record_id"] for row in rows(lake, "bronze", "shopify_orders")}
    bad = {"order_id": "2", "record_id": record["gid://shopify/Order/2"], "reject_reason": "totals do not add up;"}
    silver(lake, bad)
    assert enter_silver(lake, "r") == (1, 0)
    assert enter_silver(lake, "r") == (0, 0)
    (entry,) = workplace.entries(status=Lifecycle.OPEN)
    assert (entry.dataset, entry.natural_key) == ("silver.orders", "shopify|2")
    assert [reason.rule for reason in entry.reasons] == ["totals do not add up"]
    assert [one.done for one in workplace.replay([entry], "r")] == [True]
    # It is seen once, as if it came now.
    assert shown() == ["1", "2"]
    # Still bad after the build: open again. Put right: closed.
    assert enter_silver(lake, "r") == (1, 0)
    assert shown() == ["1", "2"]
    silver(lake)
    assert enter_silver(lake, "r") == (0, 1)
    assert [entry.status for entry in workplace.entries()] == [Lifecycle.CLOSED]
