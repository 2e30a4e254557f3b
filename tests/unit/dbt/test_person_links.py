"""Persons who turn out to be one: whatever comes first, they end as one customer with all of their orders.

The ids come from a real vault, record by record as bronze asks it, and reach the models as the platform carries them.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import duckdb
import etsy_payloads as etsy
import pytest
import square_payloads as square
from bronze_bench import Bench, Dbt, Record
from payloads import ecb, order

from retreasure_assets.lake.person_links import record_links
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.keys import derive
from retreasure_assets.privacy.vault import Identities, Vault
from retreasure_assets.settings import Settings

# Six builds, gold and all: two and a half minutes of CPU, on a machine that others may use too.
pytestmark = pytest.mark.timeout(900)

MODELS = ("--select", "+dim_customer", "+agg_daily_customers", "+mkt_segments")
JANE, ALSO_JANE, OTHER = (("email", f"{name}@example.com") for name in ("jane", "jane.at.work", "other"))

#: A record and its identities, which only the vault sees.
Known = tuple[Callable[[str], Record], Identities]


def customer(person: str, *, updated: str, state: str) -> Record:
    """Shopify's customer 9."""
    return Record(
        "shopify_customers",
        {
            "id": "gid://shopify/Customer/9",
            "createdAt": "2026-08-30T09:00:00Z",
            "updatedAt": updated,
            "locale": "en-IE",
            "defaultEmailAddress": {"marketingState": state},
        },
        person,
    )


def square_customer(person: str) -> Record:
    return Record("square_customers", {"id": "C1", "updated_at": "2026-09-05T10:00:00.000Z"}, person)


#: A guest of the web shop, a buyer on Etsy and one in the shop. The last two records tell that all three are one.
STORY: Mapping[str, Known] = {
    "web": (lambda person: order(1, person=person, created="2026-09-01T09:00:00Z"), (JANE,)),
    "etsy": (
        lambda person: etsy.receipt(
            2, [etsy.sold(1, "50.00")], "50.00", goods="50.00", created="2026-09-02T09:00:00Z", person=person
        ),
        (("etsy_user", "55"), ALSO_JANE),
    ),
    "shop": (
        lambda person: square.square_order(
            "S1", square.sold("L1", 3000), total=3000, created="2026-09-03T10:00:00.000Z", person=person
        ),
        (("square_customer", "C1"),),
    ),
    "somebody": (lambda person: order(4, person=person, created="2026-09-04T09:00:00Z"), (OTHER,)),
    "profile": (
        lambda person: customer(person, updated="2026-09-01T08:00:00Z", state="NOT_SUBSCRIBED"),
        (("shopify_customer", "gid://shopify/Customer/9"), ALSO_JANE),
    ),
    "moved": (
        lambda person: customer(person, updated="2026-09-05T08:00:00Z", state="SUBSCRIBED"),
        (("shopify_customer", "gid://shopify/Customer/9"), JANE),
    ),
    "card": (square_customer, (("square_customer", "C1"), JANE)),
}


class Shop:
    """Bronze, the vault that names its persons, and gold."""

    def __init__(self, dbt: Dbt, folder: Path) -> None:
        self._settings = Settings(home=folder)
        build = self._settings.warehouse_path.parent
        build.mkdir(parents=True)
        self._dbt = dbt
        self.bench = Bench(dbt, build)
        with duckdb.connect(str(self.bench.path)) as engine:
            engine.execute("create schema ops")
        self.vault = Vault(folder / "vault" / "vault.sqlite", derive(b"m" * 32))
        self.bench.ingest(ecb("2026-08-28", USD="1.1000"))

    def build(self, *names: str) -> None:
        """Let records come in, one batch each, and build."""
        for name in names:
            make, identities = STORY[name]
            [person] = self.vault.resolve([identities])
            self.bench.ingest(make(person))
        record_links(self._settings, Lake(self._settings.lake_path), self.vault.links())
        self.bench.build(*MODELS)

    def customers(self) -> list[tuple[object, ...]]:
        return self.bench.query(
            "select channels, orders, has_email_consent from gold.dim_customer order by orders desc, channels"
        )

    def tables(self, path: Path | None = None) -> dict[str, list[tuple[object, ...]]]:
        """Everything that names a person, silver as people read it, and what is counted by person."""
        found = self.bench.snapshot() if path is None else {}
        with duckdb.connect(str(path or self.bench.path), read_only=True) as engine:
            engine.execute("set TimeZone = 'UTC'")
            for name in ("silver.orders", "silver.customers", "gold.fct_orders", "gold.dim_customer",
                         "gold.agg_daily_customers", "gold.mkt_segments"):  # fmt: skip
                found[name] = engine.execute(f"select * exclude (built_at) from {name} order by all").fetchall()
        return found

    def in_full(self, folder: Path) -> dict[str, list[tuple[object, ...]]]:
        """What the same bronze and links give when all is built from nothing."""
        copy = folder / "warehouse.duckdb"
        shutil.copy(self.bench.path, copy)
        self._dbt.invoke(copy, "run", "--full-refresh", *MODELS)
        return self.tables(copy)


@pytest.fixture
def shop(dbt: Dbt, tmp_path: Path) -> Shop:
    return Shop(dbt, tmp_path / "home")


@pytest.mark.long
def test_guest_buyer_and_visitor_become_one_customer_until_they_are_forgotten(shop: Shop, tmp_path: Path) -> None:
    shop.build("web", "etsy", "shop", "somebody", "profile")
    assert shop.customers() == [("etsy", 1, False), ("pos", 1, False), ("shopify", 1, True), ("shopify", 1, True)]
    before = shop.bench.query("select person_id from gold.dim_customer where channels = 'pos'")
    untouched = shop.bench.query("select * from gold.fct_orders where order_id = '4'")

    # Nothing new but who they are.
    shop.build("moved", "card")
    assert shop.customers() == [("etsy,pos,shopify", 3, True), ("shopify", 1, True)]
    [(one,)] = shop.bench.query("select person_id from gold.dim_customer where orders = 3")
    assert (one,) not in before
    assert shop.bench.query(f"select count(*) from gold.fct_orders where person_id = '{one}'") == [(3,)]
    assert shop.bench.query("select * from gold.fct_orders where order_id = '4'") == untouched, "built anew for nothing"
    found, expected = shop.tables(), shop.in_full(tmp_path)
    for name, rows in expected.items():
        assert found[name] == rows, name

    # A build that finds nothing new touches nothing.
    stamps = shop.bench.snapshot(stamps=True)
    shop.build()
    assert shop.bench.snapshot(stamps=True) == stamps

    # Forgotten, they are nobody's and apart again; what was bought and paid stays.
    money = "select channel, order_id, total_base, refund_base from gold.fct_orders order by all"
    sums = shop.bench.query(money)
    shop.vault.forget(one)
    shop.build()
    assert shop.customers() == [("etsy", 1, False), ("pos", 1, False), ("shopify", 1, True), ("shopify", 1, True)]
    assert shop.bench.query(money) == sums
    assert shop.bench.query("select * from gold.fct_orders where order_id = '4'") == untouched, "built anew for nothing"
    (tmp_path / "forgotten").mkdir()
    found, expected = shop.tables(), shop.in_full(tmp_path / "forgotten")
    for name, rows in expected.items():
        assert found[name] == rows, name


@pytest.mark.parametrize(
    "arrival",
    [
        pytest.param([["card", "profile"], ["shop", "somebody"], ["moved", "etsy", "web"]], marks=pytest.mark.long),
        pytest.param([["profile", "shop"], ["moved"], ["web", "card", "somebody"], ["etsy"]], marks=pytest.mark.slow),
        pytest.param([["somebody", "etsy", "profile"], ["web", "moved"], ["shop"], ["card"]], marks=pytest.mark.slow),
    ],
    ids=lambda arrival: "-".join(batch[0] for batch in arrival),
)
def test_whatever_comes_first(shop: Shop, tmp_path: Path, arrival: Sequence[Sequence[str]]) -> None:
    assert sorted(name for batch in arrival for name in batch) == sorted(STORY)
    for batch in arrival:
        shop.build(*batch)
    assert shop.customers() == [("etsy,pos,shopify", 3, True), ("shopify", 1, True)]
    found, expected = shop.tables(), shop.in_full(tmp_path)
    for name, rows in expected.items():
        assert found[name] == rows, name
