"""The whole business with faults on every face: silver and gold are, record for record, those of a world without.

The short form is ``tests/contract/test_faults_change_nothing.py``: the same as far as bronze.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from retreasure_assets.lake.storage import Lake
from tests.end_to_end.conftest import Home

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]

WORLD = ("--seed", "17", "--days", "8", "--scale", "0.2")
#: Waits are as short as they can be; a field that nobody knows yet must not change what is read of the others.
FAULTS = "10%,unknown=5%,hold=0.2,drip=0.05,retry=0"
#: One key, so that pseudonyms agree.
KEY = "a2V5IG9mIHRoZSB0ZXN0cywgMzIgYnl0ZXMgbG9uZyE="
#: What tells when, by which run and out of which bytes a row was made, and so differs between any two homes.
_MADE = frozenset({"built_at", "ingested_at", "ingest_date", "batch_id", "run_id", "record_id", "payload_sha256"})
#: Who it is about, whatever it is called there.
_PEOPLE = frozenset({"person_id", "buyer_id"})
#: eBay does not say since when stock and offers are as they are: the time at which it was first seen stands for it.
_SEEN = {
    "gold.dim_listing": ("valid_from", "listing_version_id"),
    "silver.listings": ("valid_from",),
    "silver.inventory_levels": ("updated_at",),
}


@dataclass(frozen=True)
class Built:
    """What a demo left."""

    lake: Lake
    said: str

    def tables(self) -> dict[str, pa.Table]:
        """Silver, gold and quarantine by name."""
        return {
            f"{layer}.{table}": self.lake.table(layer, table).to_pyarrow_table()
            for layer, table in self.lake.tables()
            if layer in ("silver", "gold", "quarantine")
        }


def built(folder: Path, *more: str) -> Built:
    home = Home(folder, {"RETREASURE_VAULT_KEY": KEY})
    outcome = home.run("demo", *WORLD, *more, timeout=1500)
    assert outcome.code == 0, outcome.out[-3000:] + outcome.err[-3000:]
    return Built(Lake(folder / "sandbox" / "lake"), outcome.out)


@pytest.fixture(scope="module")
def demos(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, pa.Table], dict[str, pa.Table]]:
    """All tables without faults, and with them."""
    folder = tmp_path_factory.mktemp("faults")
    return built(folder / "without").tables(), built(folder / "with", "--faults", FAULTS).tables()


def people(tables: Mapping[str, pa.Table]) -> dict[str, str]:
    """Person ids, which are random, as what the person did: first order of all, as the channels number them."""
    found: dict[str, list[str]] = {}
    for row in tables["silver.orders"].select(["person_id", "channel", "order_id"]).to_pylist():
        found.setdefault(row["person_id"], []).append(f"{row['channel']} {row['order_id']}")
    return {person: min(orders) for person, orders in found.items() if person is not None}


def rows(name: str, table: pa.Table, names: Mapping[str, str]) -> Counter[str]:
    """The rows of a table as text, each as often as it is there."""
    columns = sorted(set(table.column_names) - _MADE)

    def plain(row: dict[str, Any]) -> str:
        for column in _PEOPLE & row.keys():
            row[column] = names.get(row[column], "nobody")
        if name in _SEEN and row["channel"] == "ebay":
            for column in _SEEN[name]:
                del row[column]
        return repr(row)

    return Counter(plain(row) for row in table.select(columns).to_pylist())


def test_every_table_is_the_same(demos: tuple[dict[str, pa.Table], dict[str, pa.Table]]) -> None:
    without, with_ = demos
    assert without.keys() == with_.keys()
    filled = {name for name, table in without.items() if table.num_rows}
    assert filled >= {
        f"gold.fct_{name}" for name in ("orders", "order_lines", "refunds", "fees", "payouts", "shipments")
    }
    names = people(without), people(with_)
    assert sorted(names[0].values()) == sorted(names[1].values())
    differing = {}
    for table in without:
        one, other = rows(table, without[table], names[0]), rows(table, with_[table], names[1])
        if one != other:
            # Numbers alone: rows may hold what is personal.
            differing[table] = (one.total(), other.total(), (one - other).total(), (other - one).total())
    assert differing == {}
