"""Publishing: what changed and nothing else, exact, atomic."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest
from deltalake import DeltaTable

from retreasure_assets.errors import BuildError
from retreasure_assets.lake.publish import PublishedTable, publish
from retreasure_assets.lake.storage import Lake, add_actions
from retreasure_assets.settings import Settings

ORDERS = [("gold", "fct_orders")]
FIRST, SECOND, THIRD, FOURTH = (f"2026-06-0{day} 10:00:00" for day in (1, 2, 3, 4))


class Warehouse:
    """A warehouse to change between publications."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.warehouse_path
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.run("CREATE SCHEMA gold; CREATE SCHEMA silver")

    def run(self, sql: str) -> list[tuple[Any, ...]]:
        with duckdb.connect(str(self.path)) as engine:
            return engine.execute(sql).fetchall()


@pytest.fixture
def warehouse(settings: Settings) -> Warehouse:
    made = Warehouse(settings)
    made.run(
        "CREATE TABLE gold.fct_orders AS SELECT i AS order_id, "
        "DATE '2026-01-01' + CAST(i AS INTEGER) AS business_date, "
        f"CAST(i + 0.1234 AS DECIMAL(18, 4)) AS gross_amount, TIMESTAMP '{FIRST}' AS built_at FROM range(90) t(i)"
    )
    return made


def published(lake: Lake, table: str = "fct_orders") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = pa.table(DeltaTable(lake.uri("gold", table)).to_pyarrow_table()).to_pylist()
    return found


def files(lake: Lake) -> dict[str, set[str]]:
    actions = add_actions(lake.table("gold", "fct_orders"))
    found: dict[str, set[str]] = {}
    for month, path in zip(actions["partition._month"].to_pylist(), actions["path"].to_pylist(), strict=True):
        found.setdefault(month, set()).add(path)
    return found


def test_first_whole_then_only_what_changed(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    [first] = publish(settings, lake, ORDERS)
    assert first == PublishedTable("gold", "fct_orders", 90, ("2026-01", "2026-02", "2026-03"), 0)
    row = min(published(lake), key=lambda row: row["order_id"])
    assert row["gross_amount"] == Decimal("0.1234")
    assert lake.table("gold", "fct_orders").schema().to_arrow().field("gross_amount").type == pa.decimal128(18, 4)
    assert lake.table("gold", "fct_orders").protocol().min_reader_version == 1
    before = files(lake)
    # Nothing changed: no commit.
    [same] = publish(settings, lake, ORDERS)
    assert (same.parts, same.version) == ((), 0)
    # A row changed, in February.
    warehouse.run(f"UPDATE gold.fct_orders SET gross_amount = 7, built_at = TIMESTAMP '{SECOND}' WHERE order_id = 40")
    old = DeltaTable(lake.uri("gold", "fct_orders"))
    [second] = publish(settings, lake, ORDERS)
    assert (second.parts, second.version, second.rows) == (("2026-02",), 1, 90)
    after = files(lake)
    assert {month: after[month] == before[month] for month in after} == {
        "2026-01": True,
        "2026-02": False,
        "2026-03": True,
    }
    assert len(published(lake)) == 90
    # Who had opened the old version still reads it.
    assert {row["gross_amount"] for row in old.to_pyarrow_table().to_pylist() if row["order_id"] == 40} == {
        Decimal("40.1234")
    }
    assert publish(settings, lake, ORDERS)[0].parts == ()


def test_a_table_built_anew_with_the_same_rows_is_not_published_again(
    settings: Settings, lake: Lake, warehouse: Warehouse
) -> None:
    publish(settings, lake, ORDERS)
    warehouse.run(f"UPDATE gold.fct_orders SET built_at = TIMESTAMP '{SECOND}'")
    # The first publication leaves no fingerprints to compare with; the second does.
    assert publish(settings, lake, ORDERS)[0].parts == ("2026-01", "2026-02", "2026-03")
    warehouse.run(f"UPDATE gold.fct_orders SET built_at = TIMESTAMP '{THIRD}'")
    assert publish(settings, lake, ORDERS)[0].parts == ()
    warehouse.run(
        f"UPDATE gold.fct_orders SET built_at = TIMESTAMP '{FOURTH}', gross_amount = gross_amount + "
        "CASE WHEN order_id = 89 THEN 1 ELSE 0 END"
    )
    assert publish(settings, lake, ORDERS)[0].parts == ("2026-03",)


def test_deleted_and_moved_rows_vanish(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    publish(settings, lake, ORDERS)
    warehouse.run("DELETE FROM gold.fct_orders WHERE order_id = 3 OR order_id >= 59")
    assert publish(settings, lake, ORDERS)[0].parts == ("2026-01", "2026-03")
    assert sorted(row["order_id"] for row in published(lake)) == [n for n in range(59) if n != 3]
    warehouse.run(
        f"UPDATE gold.fct_orders SET business_date = DATE '2026-05-05', built_at = TIMESTAMP '{SECOND}' "
        "WHERE order_id = 5"
    )
    assert publish(settings, lake, ORDERS)[0].parts == ("2026-01", "2026-05")
    warehouse.run("DELETE FROM gold.fct_orders")
    assert publish(settings, lake, ORDERS)[0].rows == 0
    assert published(lake) == []


def test_undated_rows_of_a_dated_table(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    publish(settings, lake, ORDERS)
    warehouse.run(f"INSERT INTO gold.fct_orders VALUES (500, NULL, 1, TIMESTAMP '{SECOND}')")
    assert publish(settings, lake, ORDERS)[0].parts == ("none",)
    assert len(published(lake)) == 91


def test_months_of_many_rows_and_of_few(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    warehouse.run(
        f"INSERT INTO gold.fct_orders SELECT 1000 + i, DATE '2026-02-28' - CAST(i % 28 AS INTEGER), 1, "
        f"TIMESTAMP '{FIRST}' FROM range(7000) t(i)"
    )
    assert publish(settings, lake, ORDERS)[0].rows == 7090
    found = {row["order_id"]: row["_month"] for row in published(lake)}
    assert len(found) == 7090
    assert {number for number, month in found.items() if month == "2026-02"} == {*range(31, 59), *range(1000, 8000)}
    warehouse.run(f"UPDATE gold.fct_orders SET gross_amount = 2, built_at = TIMESTAMP '{SECOND}' WHERE order_id = 1000")
    warehouse.run("DELETE FROM gold.fct_orders WHERE order_id = 0")
    assert publish(settings, lake, ORDERS)[0].parts == ("2026-01", "2026-02")
    assert sum(row["gross_amount"] == 2 for row in published(lake)) == 1
    assert len(published(lake)) == 7089


def test_tables_without_a_date(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    tables = [("gold", "dim_channel")]
    warehouse.run(
        f"CREATE TABLE gold.dim_channel AS SELECT 'shopify' AS channel, true AS is_web, TIMESTAMP '{FIRST}' AS built_at"
    )
    assert publish(settings, lake, tables)[0].parts == ("all",)
    assert "_month" not in published(lake, "dim_channel")[0]
    warehouse.run(f"UPDATE gold.dim_channel SET built_at = TIMESTAMP '{SECOND}'")
    assert publish(settings, lake, tables)[0].version == 1
    warehouse.run(f"UPDATE gold.dim_channel SET built_at = TIMESTAMP '{THIRD}'")
    assert publish(settings, lake, tables)[0] == PublishedTable("gold", "dim_channel", 1, (), 1)
    warehouse.run(f"INSERT INTO gold.dim_channel VALUES ('etsy', true, TIMESTAMP '{FOURTH}')")
    assert publish(settings, lake, tables)[0] == PublishedTable("gold", "dim_channel", 2, ("all",), 2)
    warehouse.run("DELETE FROM gold.dim_channel WHERE channel = 'shopify'")
    assert [row["channel"] for row in _after(publish(settings, lake, tables), lake)] == ["etsy"]


def _after(_: list[PublishedTable], lake: Lake) -> list[dict[str, Any]]:
    return published(lake, "dim_channel")


def test_new_columns_replace_the_table(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    publish(settings, lake, ORDERS)
    warehouse.run("ALTER TABLE gold.fct_orders ADD COLUMN channel VARCHAR DEFAULT 'pos'")
    assert publish(settings, lake, ORDERS)[0].parts == ("2026-01", "2026-02", "2026-03")
    assert {row["channel"] for row in published(lake)} == {"pos"}
    assert publish(settings, lake, ORDERS)[0].parts == ()


@pytest.mark.parametrize("large_part", [1, 5_000])
def test_a_table_of_persons_is_split_by_when_they_were_first_seen(
    settings: Settings, lake: Lake, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch, large_part: int
) -> None:
    monkeypatch.setattr("retreasure_assets.lake.months._LARGE_PART", large_part)
    tables = [("gold", "dim_customer")]
    # The UTC day counts, to the microsecond; some were never seen, and one in a year that only a mistake can state.
    warehouse.run(
        "CREATE TABLE gold.dim_customer AS SELECT n AS person_id, CAST(seen AS TIMESTAMPTZ) AS first_seen_at, "
        f"1 AS orders, TIMESTAMP '{FIRST}' AS built_at FROM (VALUES (1, '2026-01-31 23:59:59.999999+00'), "
        "(2, '2026-02-01 00:00:00+00'), (3, '2026-02-28 23:30:00-02'), (4, '20260-05-05 00:00:00+00'), (5, NULL), "
        "(6, '2025-12-31 12:00:00+00')) AS t(n, seen)"
    )
    assert publish(settings, lake, tables)[0].parts == ("2025-12", "2026-01", "2026-02", "2026-03", "20260-05", "none")
    for person, month in {1: "2026-01", 2: "2026-02", 3: "2026-03", 4: "20260-05", 5: "none", 6: "2025-12"}.items():
        moment = f"TIMESTAMP '{SECOND}' + INTERVAL {person} MINUTE"
        warehouse.run(f"UPDATE gold.dim_customer SET orders = 2, built_at = {moment} WHERE person_id = {person}")
        assert publish(settings, lake, tables)[0].parts == (month,)
    # Python has no such year.
    found = lake.table("gold", "dim_customer").to_pyarrow_table(columns=["person_id", "orders"]).to_pylist()
    assert sorted((row["person_id"], row["orders"]) for row in found) == [(person, 2) for person in range(1, 7)]


def test_a_table_that_was_published_whole_is_split_from_then_on(
    settings: Settings, lake: Lake, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as earlier:
        earlier.setattr("retreasure_assets.lake.months._DATES", ())
        assert publish(settings, lake, ORDERS)[0].parts == ("all",)
    assert publish(settings, lake, ORDERS)[0].parts == ("2026-01", "2026-02", "2026-03")
    assert sorted(row["order_id"] for row in published(lake)) == list(range(90))
    assert publish(settings, lake, ORDERS)[0].parts == ()


def test_a_table_whose_months_are_other_ones_now_is_published_whole(
    settings: Settings, lake: Lake, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As many rows a month by either date: counting alone would leave both where they were."""
    warehouse.run(
        "CREATE TABLE gold.pieces AS SELECT * FROM (VALUES "
        f"(1, DATE '2026-01-05', TIMESTAMPTZ '2026-02-10 10:00:00+00', TIMESTAMP '{FIRST}'), "
        f"(2, DATE '2026-02-05', TIMESTAMPTZ '2026-01-10 10:00:00+00', TIMESTAMP '{FIRST}')) "
        "pieces(item_id, acquired_date, first_seen_at, built_at)"
    )
    with monkeypatch.context() as earlier:
        earlier.setattr("retreasure_assets.lake.months._DATES", ("acquired_date",))
        publish(settings, lake, [("gold", "pieces")])
    [now] = publish(settings, lake, [("gold", "pieces")])
    assert now.parts == ("2026-01", "2026-02")
    assert {row["item_id"]: row["_month"] for row in published(lake, "pieces")} == {1: "2026-02", 2: "2026-01"}
    [again] = publish(settings, lake, [("gold", "pieces")])
    assert again.parts == ()


def test_types_that_delta_lacks(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE TABLE gold.odd AS SELECT CAST(1 AS UTINYINT) AS a, CAST(2 AS UBIGINT) AS b, CAST(3 AS HUGEINT) AS c, "
        "TIME '10:00:00' AS d, TIMESTAMPTZ '2026-01-01 00:00:00+02' AS e, CAST('x' AS ENUM ('x', 'y')) AS f, "
        "CAST('abc' AS BLOB) AS g, [1, 2] AS h, NULL AS i, TIMESTAMP_S '2026-01-01 00:00:00' AS j"
    )
    publish(settings, lake, [("gold", "odd")])
    [row] = published(lake, "odd")
    assert (row["a"], row["b"], row["c"], row["f"], row["g"], row["h"]) == (1, 2, 3, "x", b"abc", [1, 2])
    assert row["e"].isoformat() == "2025-12-31T22:00:00+00:00"
    # Without a time of building it is compared by fingerprints, of which the first publication leaves none.
    assert publish(settings, lake, [("gold", "odd")])[0].parts == ("all",)
    assert publish(settings, lake, [("gold", "odd")])[0].parts == ()


def test_files_say_what_is_in_them(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    warehouse.run(
        "CREATE TABLE gold.fct_fees AS SELECT * FROM (VALUES (1, 'a', DATE '2026-01-02', "
        "TIMESTAMPTZ '2026-01-02 10:00:00.5+01', CAST(-0.5 AS DECIMAL(18, 4)), CAST(9 AS DECIMAL(38, 2)), "
        "repeat('x', 40), CAST(0.5 AS DOUBLE), true, CAST('b' AS BLOB), [1], NULL), (3, NULL, DATE '2026-01-31', NULL, "
        "922337203685.4775, 8, repeat('y', 300), CAST(2 AS DOUBLE), false, CAST('c' AS BLOB), [2], NULL)) "
        'AS t(i, text, business_date, "at", money, wide, long, float, flag, blob, list, nothing)'
    )
    publish(settings, lake, [("gold", "fct_fees")])
    table = lake.table("gold", "fct_fees")
    [found] = add_actions(table).to_pylist()
    bounds = {name: (found.get(f"min.{name}"), found.get(f"max.{name}")) for name in table.schema().to_arrow().names}
    at = datetime(2026, 1, 2, 9, 0, 0, 500_000, UTC)
    unbounded = dict.fromkeys(("blob", "list", "nothing", "_month"), (None, None))
    assert found["num_records"] == 2
    assert {name: found[f"null_count.{name}"] for name in ("i", "text", "nothing")} == {"i": 0, "text": 1, "nothing": 2}
    assert bounds == {
        "i": (1, 3),
        "text": ("a", "a"),
        "business_date": (date(2026, 1, 2), date(2026, 1, 31)),
        "at": (at, at),
        "money": (Decimal("-0.5"), Decimal("922337203685.4775")),
        "wide": (8, 9),
        "long": ("x" * 32, "y" * 32 + "\U0010ffff"),
        "float": (0.5, 2.0),
        "flag": (False, True),
        **unbounded,
    }
    # Delta's own reader finds what the bounds let it look for.
    for condition in (
        ("money", ">", Decimal("922337203685.4774")),
        ("at", "=", at),
        ("long", "=", "y" * 300),
        ("flag", "=", True),
        ("blob", "=", b"c"),
    ):
        assert table.to_pyarrow_table(filters=[condition]).num_rows == 1
    assert table.to_pyarrow_table(filters=[("i", ">", 3)]).num_rows == 0


@pytest.mark.parametrize("value", ["CAST('nan' AS DOUBLE)", "CAST('inf' AS DOUBLE)", "CAST('infinity' AS TIMESTAMPTZ)"])
def test_a_file_with_a_value_that_has_no_bound_is_never_skipped(
    settings: Settings, lake: Lake, warehouse: Warehouse, value: str
) -> None:
    warehouse.run(f"CREATE TABLE gold.dim_channel AS SELECT 1 AS i, {value} AS odd UNION ALL SELECT 2, NULL")
    publish(settings, lake, [("gold", "dim_channel")])
    table = lake.table("gold", "dim_channel")
    [found] = add_actions(table).to_pylist()
    assert found["num_records"] == 2
    assert found.get("min.i") is None
    assert table.to_pyarrow_table(filters=[("i", "=", 2)]).num_rows == 1


def test_a_publication_cut_short_before_its_commit_changes_nothing(
    settings: Settings, lake: Lake, warehouse: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(settings, lake, ORDERS)
    warehouse.run(f"UPDATE gold.fct_orders SET gross_amount = 7, built_at = TIMESTAMP '{SECOND}' WHERE order_id = 40")

    def cut(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as killed:
        killed.setattr(DeltaTable, "create_write_transaction", cut)
        with pytest.raises(KeyboardInterrupt):
            publish(settings, lake, ORDERS)
    # Its file is there, and nobody's.
    named = {path for paths in files(lake).values() for path in paths}
    assert len(list(Path(lake.uri("gold", "fct_orders")).rglob("*.parquet"))) == len(named) + 1
    assert Decimal(7) not in {row["gross_amount"] for row in published(lake)}
    assert publish(settings, lake, ORDERS)[0].parts == ("2026-02",)
    assert Decimal(7) in {row["gross_amount"] for row in published(lake)}


def test_an_empty_table(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    warehouse.run("CREATE TABLE silver.orders (order_id VARCHAR, business_date DATE, built_at TIMESTAMP)")
    assert publish(settings, lake, [("silver", "orders")]) == [PublishedTable("silver", "orders", 0, (), 0)]
    assert publish(settings, lake, [("silver", "orders")])[0].version == 0
    warehouse.run(f"INSERT INTO silver.orders VALUES ('1', DATE '2026-01-01', TIMESTAMP '{FIRST}')")
    assert publish(settings, lake, [("silver", "orders")])[0].parts == ("2026-01",)


def test_compaction_between_publications(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    publish(settings, lake, ORDERS)
    lake.table("gold", "fct_orders").optimize.compact()
    assert publish(settings, lake, ORDERS)[0].parts == ()


def test_a_table_that_was_not_built(settings: Settings, lake: Lake, warehouse: Warehouse) -> None:
    with pytest.raises(BuildError, match=r"no table gold\.fct_refunds"):
        publish(settings, lake, [("gold", "fct_refunds")])


@pytest.fixture(autouse=True)
def _no_leftovers(tmp_path: Path) -> Iterator[None]:
    yield
    assert not list(tmp_path.rglob("*.tmp"))
