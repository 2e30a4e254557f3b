"""Input that nobody made up for us: the ECB's whole history, and a grocer's till data, from file to gold.

What belongs here: figures held against the published files themselves. What does not: invented shops.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import shutil
import zipfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pandas as pd  # type: ignore[import-untyped]
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pytest

from tests.end_to_end.conftest import Home, Outcome, served
from tests.unit.files import complete_journey

pytestmark = pytest.mark.timeout(1800)

MAX_AGE = timedelta(days=7)
RATE = Decimal("0.000000000001")
MONEY = Decimal("0.0001")
#: Baskets read, of 155,848: in one run by the normal suite, in three runs by the slow one, which also reads them all.
BASKETS = {"brief": 400, "sample": 4_000}
#: Lines that the till writes after the first run.
GROWTH = 500


@dataclass(frozen=True)
class Till:
    """A home after each run, and the package's own tables as pandas reads them."""

    home: Home
    lines: pd.DataFrame
    products: set[int]
    rates: dict[tuple[date, str], Decimal]
    first: Outcome
    first_lines: int
    again: Outcome | None
    versions: tuple[dict[str, int], dict[str, int]]
    grown: Outcome | None

    @property
    def baskets(self) -> pd.DataFrame:
        """One row per basket, amounts as exact cents."""
        grouped = self.lines.groupby("basket_id")
        return grouped.agg(
            store=("store_id", "first"),
            day=("day", "first"),
            lines=("cents", "size"),
            units=("quantity", "sum"),
            total=("cents", "sum"),
            discount=("discount_cents", "sum"),
        )


@pytest.fixture(scope="module")
def ecb(contracts: Path) -> Path:
    """The ECB's files, as it published them."""
    return contracts / "fx"


@pytest.fixture(scope="module")
def published(ecb: Path) -> dict[tuple[date, str], Decimal]:
    """Every rate of the history: (date, currency) -> units per euro."""
    with (ecb / "eurofxref-hist.csv").open(newline="") as file:
        return {
            (date.fromisoformat(row["Date"]), currency): Decimal(text)
            for row in csv.DictReader(file)
            for currency, text in row.items()
            if currency not in ("Date", "", None) and text not in ("N/A", "")
        }


SLOW = [pytest.param(name, marks=pytest.mark.slow) for name in ("sample", "all")]
#: For tests of what later runs do.
several_runs = pytest.mark.parametrize("till", SLOW, indirect=True, scope="module")


@pytest.fixture(scope="module", params=["brief", *SLOW])
def till(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    ecb: Path,
    published: dict[tuple[date, str], Decimal],
) -> Iterator[Till]:
    """Rates and till files loaded and built; but for the brief one loaded again, and again after the file has grown."""
    home = Home(tmp_path_factory.mktemp("till") / "home")
    (home.path / "mappings").mkdir(parents=True)
    for mapping in complete_journey.MAPPINGS:
        shutil.copy(mapping, home.path / "mappings")
    table, catalogue = complete_journey.transactions(), complete_journey.products()
    if request.param in BASKETS:
        baskets = pd.Series(pc.unique(table["basket_id"]).to_pylist()).sample(BASKETS[request.param], random_state=7)
        table = table.filter(pc.is_in(table["basket_id"], pa.array(baskets)))
        catalogue = catalogue.filter(pc.is_in(catalogue["product_id"], pc.unique(table["product_id"])))
    home.drop("pos/products/complete_journey_products.csv.gz", as_csv(catalogue, quoting="needed"))
    receipts = "pos/transactions/complete_journey_transactions.csv.gz"
    with served(
        {f"/{name}.zip": (200, zipped(ecb / f"{name}.csv")) for name in ("eurofxref-hist", "eurofxref")}
    ) as url:
        home.settings["RETREASURE_FX_URL"] = url
        growth = 0 if request.param == "brief" else GROWTH
        home.drop(receipts, as_csv(table.slice(0, table.num_rows - growth)))
        first = home.run()
        assert first.code == 0, first.err
        first_lines = home.count("gold.fct_order_lines")
        before = home.versions()
        again = home.run() if growth else None
        after = home.versions()
        home.drop(receipts, as_csv(table))
        grown = home.run() if growth else None
    lines = table.to_pandas()
    for column, name in (("cents", "sales_value"), ("discount_cents", "retail_disc")):
        lines[column] = [int(amount * 100) for amount in lines[name]]
    moments = pd.to_datetime(lines["transaction_timestamp"]).dt.tz_localize("UTC")
    lines["day"] = moments.dt.tz_convert("Europe/Dublin").dt.date
    products = set(catalogue["product_id"].to_pylist())
    till = Till(home, lines, products, published, first, first_lines, again, (before, after), grown)
    loaded = table.num_rows - growth + len(products)
    print(f"\n{request.param}: {loaded:,} till and product records to gold in {first.seconds:.1f} s", end=", ")
    print(f"{loaded / first.seconds:,.0f}/s, peak {first.peak / 2**20:,.0f} MB")
    if again is not None and grown is not None:
        print(f"again {again.seconds:.1f} s, {GROWTH} more lines {grown.seconds:.1f} s")
    yield till
    shutil.rmtree(home.path)


def zipped(path: Path) -> bytes:
    """A file in an archive, as the ECB serves it."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(path, path.name)
    return archive.getvalue()


def as_csv(table: pa.Table, quoting: str = "none") -> bytes:
    """A table as a gzip CSV file."""
    content = io.BytesIO()
    pa_csv.write_csv(table, content, pa_csv.WriteOptions(quoting_style=quoting, quoting_header="none"))
    return gzip.compress(content.getvalue(), 1)


def cents(amount: Decimal) -> int:
    """An amount as whole cents; it must have no more digits than that."""
    whole = amount * 100
    assert whole == whole.to_integral_value()
    return int(whole)


# The exchange rates.


def test_every_published_rate_is_in_silver(till: Till) -> None:
    rows = till.home.rows("select rate_date, base, quote, rate from silver.fx_rates where source = 'ecb'")
    assert len(rows) == len(till.rates) > 200_000
    assert {base for _, base, _, _ in rows} == {"EUR"}
    assert {(day, quote): rate for day, _, quote, rate in rows} == till.rates


def test_every_day_has_the_last_earlier_rate_and_none_older_than_a_week(till: Till) -> None:
    by_currency: dict[str, list[date]] = defaultdict(list)
    for day, currency in sorted(till.rates):
        by_currency[currency].append(day)
    by_currency["EUR"] = sorted({day for day, _ in till.rates})
    expected: dict[tuple[date, str], tuple[Decimal, date]] = {}
    for currency, days in by_currency.items():
        for day, following in zip(days, [*days[1:], date.max], strict=True):
            rate = (1 / till.rates.get((day, currency), Decimal(1))).quantize(RATE, ROUND_HALF_UP)
            for age in range(MAX_AGE.days + 1):
                if day + timedelta(age) < following:
                    expected[day + timedelta(age), currency] = (rate, day)
    rows = till.home.rows("select rate_date, currency, fx_rate, source_rate_date from silver.fx_daily")
    actual = {(day, currency): (rate, source) for day, currency, rate, source in rows}
    assert len(actual) == len(rows)
    assert actual.keys() == expected.keys()
    assert [key for key in expected if actual[key] != expected[key]] == []


@pytest.mark.parametrize(
    ("day", "source"),
    [
        ("1999-01-04", "1999-01-04"),  # the first of all
        ("1999-01-09", "1999-01-08"),  # a Saturday
        ("2000-01-02", "1999-12-30"),  # a Sunday, and a holiday before it
        ("2023-12-25", "2023-12-22"),  # Christmas, a Monday
        ("2023-12-26", "2023-12-22"),
        ("2024-04-01", "2024-03-28"),  # Easter Monday; Good Friday is a holiday too
        ("2026-10-30", "2026-10-30"),  # the last
    ],
)
def test_weekends_and_holidays_carry_the_last_rate(till: Till, day: str, source: str) -> None:
    (row,) = till.home.rows(
        f"select fx_rate, source_rate_date from silver.fx_daily where currency = 'USD' and rate_date = date '{day}'"
    )
    origin = date.fromisoformat(source)
    assert row == ((1 / till.rates[origin, "USD"]).quantize(RATE, ROUND_HALF_UP), origin)


def test_no_day_has_a_rate_before_the_first_or_a_week_after_the_last(till: Till) -> None:
    ((first, last),) = till.home.rows("select min(rate_date), max(rate_date) from silver.fx_daily")
    days = [day for day, _ in till.rates]
    assert (first, last) == (min(days), max(days) + MAX_AGE)


# The till.


def test_every_basket_is_an_order_of_the_same_amounts(till: Till) -> None:
    rows = till.home.rows(
        "select order_id, business_date, store_id, units, currency, total_amount, discount_amount, gross_amount "
        "from gold.fct_orders where channel = 'pos'"
    )
    actual = {
        int(order): (day, int(store), units, currency, cents(total), cents(discount), cents(gross))
        for order, day, store, units, currency, total, discount, gross in rows
    }
    assert len(actual) == len(rows) == till.lines["basket_id"].nunique()
    expected = {
        int(basket.Index): (
            basket.day,
            int(basket.store),
            int(basket.units),
            "USD",
            int(basket.total),
            int(basket.discount),
            int(basket.total + basket.discount),
        )
        for basket in till.baskets.itertuples()
    }
    assert [order for order in expected if actual.get(order) != expected[order]][:5] == []


def test_every_line_is_there_and_sums_to_the_sales(till: Till) -> None:
    ((lines, distinct, units, total, discount),) = till.home.rows(
        "select count(*), count(distinct order_id || '|' || line_id), sum(quantity), sum(line_total_amount), "
        "sum(discount_amount) from gold.fct_order_lines where channel = 'pos'"
    )
    assert (lines, distinct) == (len(till.lines), len(till.lines))
    assert int(units) == int(till.lines["quantity"].sum())
    assert cents(total) == int(till.lines["cents"].sum())
    assert cents(discount) == int(till.lines["discount_cents"].sum())
    assert till.home.count("quarantine.bronze_pos_transactions") == 0
    assert till.home.count("quarantine.silver_orders") == till.home.count("quarantine.silver_order_lines") == 0


def test_stores_sell_what_the_package_says(till: Till) -> None:
    rows = till.home.rows(
        "select store_id, count(*), sum(total_amount) from gold.fct_orders where channel = 'pos' group by store_id"
    )
    stores = till.baskets.groupby("store")["total"].agg(["size", "sum"])
    assert {int(store): (orders, cents(total)) for store, orders, total in rows} == {
        int(row.Index): (int(row.size), int(row.sum)) for row in stores.rename_axis("store").itertuples()
    }


def test_days_sell_what_the_package_says_at_the_ecb_s_rates(till: Till) -> None:
    rows = till.home.rows(
        "select business_date, orders, units, gross_base, discount_base, net_base, refund_base "
        "from gold.agg_daily_sales where channel = 'pos'"
    )
    expected: dict[date, list[Decimal]] = defaultdict(lambda: [Decimal(0)] * 4)
    rates = {day: rate_of(till.rates, day) for day in till.lines["day"].unique()}
    for basket in till.baskets.itertuples():
        gross, discount = (Decimal(int(c)) / 100 for c in (basket.total + basket.discount, basket.discount))
        added = (
            Decimal(1),
            Decimal(int(basket.units)),
            *((amount * rates[basket.day]).quantize(MONEY, ROUND_HALF_UP) for amount in (gross, discount)),
        )
        expected[basket.day] = [a + b for a, b in zip(expected[basket.day], added, strict=True)]
    assert {row[0]: list(row[1:5]) for row in rows} == expected
    assert all(net == gross - discount and refund == 0 for _, _, _, gross, discount, net, refund in rows)


def rate_of(rates: dict[tuple[date, str], Decimal], day: date) -> Decimal:
    """What a dollar was worth in euro by the last rate on or before a day."""
    published = next(day - timedelta(n) for n in range(8) if (day - timedelta(n), "USD") in rates)
    return (1 / rates[published, "USD"]).quantize(RATE, ROUND_HALF_UP)


def test_orphan_products_are_reported_and_not_lost(till: Till) -> None:
    orphans = till.lines[~till.lines["product_id"].isin(till.products)]
    assert len(orphans) > 0, "the sample has none"
    by_product = orphans.groupby("product_id")["cents"].agg(["size", "sum"])
    expected = {int(row.Index): (int(row.size), int(row.sum)) for row in by_product.itertuples()}
    reported = till.home.rows("select item_id, line_count, line_total_amount from silver.orphan_items")
    assert {int(item): (lines, cents(total)) for item, lines, total in reported} == expected
    listed = ", ".join(f"'{product}'" for product in expected)
    sold = till.home.rows(
        "select item_id, count(*), sum(line_total_amount) from gold.fct_order_lines "
        f"where channel = 'pos' and item_id in ({listed}) group by item_id"
    )
    assert {int(item): (lines, cents(total)) for item, lines, total in sold} == expected
    assert "orphan_items" in till.first.out, "the run does not tell of them"


def test_households_are_masked_and_counted(till: Till) -> None:
    rows = till.home.rows(
        "select distinct person_id, json_extract_string(payload, '$.loyalty_id') from bronze.pos_transactions"
    )
    households = {str(household) for household in till.lines["household_id"]}
    assert len({person for person, _ in rows}) == len(rows) == len(households)
    assert not households & {part for row in rows for part in row}
    ((unsealed,),) = till.home.rows("select count(*) from bronze.pos_transactions where sealed is null")
    assert unsealed == 0
    payload = json.loads(till.home.rows("select payload from bronze.pos_transactions limit 1")[0][0])
    assert "household_id" not in payload


@several_runs
def test_a_second_run_adds_nothing(till: Till) -> None:
    assert till.again is not None
    assert till.again.code == 0, till.again.err
    before, after = till.versions
    assert after == before


@several_runs
def test_a_grown_file_adds_the_new_lines_alone(till: Till) -> None:
    assert till.grown is not None
    assert till.grown.code == 0, till.grown.err
    assert till.first_lines == len(till.lines) - GROWTH
    written = till.home.rows(
        "select run_id, sum(new), sum(duplicates) from ops.ingestion_log "
        "where source = 'pos' and entity = 'transactions' and status = 'ok' group by run_id order by min(finished_at)"
    )
    assert [row[1] for row in written if row[1]] == [till.first_lines, GROWTH]
    ((lines, distinct),) = till.home.rows("select count(*), count(distinct record_id) from bronze.pos_transactions")
    assert lines == distinct == len(till.lines)
