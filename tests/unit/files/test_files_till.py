"""The till: its own layout, and the Complete Journey data as a user would map them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import complete_journey as journey
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.json as pa_json
from dropping import drop, sync

from retreasure_assets.entities import Window
from retreasure_assets.sources.files import FilesConnector, connectors, load_mappings

HEADER = (
    "transaction_id,line_id,sold_at,store_id,register_id,item_id,title,quantity,unit_price,discount_amount,tax_amount,"
    "line_total,currency,payment_method,line_type,loyalty_id,tax_included\n"
)


def test_the_plain_transaction_file(tmp_path: Path) -> None:
    sale = (
        'T1,1,2026-10-30T10:15:00+00:00,S1,R1,RT-1,"Mirror, gilt",1,120.00,10.00,20.57,110.00,EUR,card,sale,L-7,true\n'
    )
    back = "T2,1,2026-10-31T09:00:00Z,S1,,RT-1,,-1,120.00,0.00,-20.57,-110.00,EUR,cash,return,,true\n"
    drop(tmp_path, "till.csv", (HEADER + sale + back).encode(), folder="pos/transactions")
    read = sync(tmp_path, [each for each in load_mappings(None) if each.name == "pos_transactions"])
    assert read.problems == [None, None]
    assert read.good[0] == {
        "transaction_id": "T1",
        "line_id": "1",
        "sold_at": "2026-10-30T10:15:00Z",
        "store_id": "S1",
        "register_id": "R1",
        "item_id": "RT-1",
        "title": "Mirror, gilt",
        "quantity": "1",
        "unit_price": "120.00",
        "discount_amount": "10.00",
        "tax_amount": "20.57",
        "line_total": "110.00",
        "currency": "EUR",
        "payment_method": "card",
        "line_type": "sale",
        "loyalty_id": "L-7",
        "tax_included": "true",
    }
    assert (read.good[1]["quantity"], read.good[1]["line_total"]) == ("-1", "-110.00")
    assert read.good[1]["loyalty_id"] is None


def test_the_plain_catalogue_file(tmp_path: Path) -> None:
    text = (
        "item_id,title,category,era,maker,material,condition,acquisition_cost,currency,listed_at,price\n"
        "RT-1,Mirror,Mirrors,1890s,,gilt wood,good,45.00,EUR,2026-09-01,120.00\n"
        "RT-2,Spoon,,,,,,,EUR,,15\n"
    )
    drop(tmp_path, "products.csv", text.encode(), folder="pos/products")
    read = sync(tmp_path, [each for each in load_mappings(None) if each.name == "pos_products"])
    assert read.problems == [None, None]
    assert read.good[0]["listed_at"] == "2026-09-01T00:00:00Z"
    assert read.good[1]["acquisition_cost"] is None


def till(tmp_path: Path) -> FilesConnector:
    folder = tmp_path / "mappings"
    folder.mkdir()
    for path in journey.MAPPINGS:
        shutil.copy(path, folder)
    return connectors(tmp_path / "drop", load_mappings(folder))["pos"]


def test_a_sample_of_the_complete_journey(tmp_path: Path) -> None:
    name = "complete_journey_transactions.csv.gz"
    assert journey.write_transactions(tmp_path / "drop/pos/transactions" / name, 2_000) == 2_000
    journey.write_products(tmp_path / "drop/pos/products/complete_journey_products.csv.gz", 500)
    connector = till(tmp_path)
    [batch] = connector.batches(connector.entities["transactions"], None, Window())
    payloads = [json.loads(each) for each in batch.payloads or []]
    table = journey.transactions(2_000)
    for field, column in {
        "transaction_id": "basket_id",
        "item_id": "product_id",
        "loyalty_id": "household_id",
        "quantity": "quantity",
        "line_total": "sales_value",
        "discount_amount": "retail_disc",
    }.items():
        assert [each[field] for each in payloads] == [str(value) for value in table[column].to_pylist()]
    assert payloads[0]["sold_at"] == "2017-01-01T11:53:26Z"
    assert len({(each["transaction_id"], each["line_id"]) for each in payloads}) == 2_000
    assert batch.origins[:2] == [f"{name}:2", f"{name}:3"]
    [products] = connector.batches(connector.entities["products"], None, Window())
    assert len(products.records) == 500
    assert not any(products.problems or [])


def test_the_whole_complete_journey(tmp_path: Path) -> None:
    path = tmp_path / "drop/pos/transactions/complete_journey_transactions.csv.gz"
    assert journey.write_transactions(path) == 1_469_307
    connector = till(tmp_path)
    parts = []
    for batch in connector.batches(connector.entities["transactions"], None, Window()):
        assert len(batch.records) < 100_000
        assert batch.problems == [None] * len(batch.records)
        lines = pa.BufferReader(b"\n".join(batch.payloads or []))
        parts.append(pa_json.read_json(lines).select(["transaction_id", "line_id", "line_total"]))
        last = batch.cursor
    assert last is not None
    read = pa.concat_tables(parts)
    assert read.num_rows == read.group_by(["transaction_id", "line_id"]).aggregate([]).num_rows == 1_469_307
    assert pc.count_distinct(read["transaction_id"]).as_py() == 155_848
    written = journey.transactions()
    assert pc.sum(pc.cast(read["line_total"], pa.decimal128(18, 2))) == pc.sum(written["sales_value"])
    assert pc.cast(read["transaction_id"], pa.int64()).equals(written["basket_id"])
