"""The shipped mappings against the published headers, with rows composed by the notes beside them.

Names, addresses and numbers are invented.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest

from retreasure_assets.entities import Mask, Window
from retreasure_assets.sources.files import FilesConnector, load_mappings


def header(contracts: Path, name: str) -> list[str]:
    return next(csv.reader((contracts / "exports" / f"{name}.header.csv").read_text("utf-8").splitlines()))


def rows_of(names: list[str], *rows: dict[str, str], quoting: Any = csv.QUOTE_MINIMAL, delimiter: str = ",") -> str:
    """CSV lines for rows given by column name; the names are checked against the header."""
    for row in rows:
        assert set(row) <= set(names)
    out = io.StringIO()
    writer = csv.writer(out, quoting=quoting, delimiter=delimiter, lineterminator="\n")
    writer.writerows([[row.get(name, "") for name in names] for row in rows])
    return out.getvalue()


def read(home: Path, source: str, entity: str, data: bytes) -> tuple[list[dict[str, Any]], list[bytes], list[str]]:
    """Payloads, records and problems of one dropped file."""
    folder = home / "drop" / source / entity
    folder.mkdir(parents=True)
    (folder / "export.csv").write_bytes(data)
    mappings = [each for each in load_mappings(None) if each.source == source]
    connector = FilesConnector(home / "drop", mappings)
    batches = list(connector.batches(connector.entities[entity], None, Window()))
    payloads = [json.loads(each) for batch in batches for each in batch.payloads or [] if each]
    records = [each for batch in batches for each in batch.records]
    return payloads, records, [each for batch in batches for each in batch.problems or [] if each]


def test_shopify_fills_the_order_on_every_line(contracts: Path, tmp_path: Path) -> None:
    names = header(contracts, "shopify_orders_export")
    order = {
        "Name": "#1001",
        "Email": "ada@example.com",
        "Financial Status": "partially_refunded",
        "Paid at": "2024-05-01 09:58:13 +0000",
        "Currency": "EUR",
        "Subtotal": "130.00",
        "Shipping": "10.00",
        "Taxes": "0.00",
        "Total": "140.00",
        "Discount Amount": "0.00",
        "Created at": "2024-05-01 11:58:12 +0200",
        "Lineitem quantity": "1",
        "Lineitem name": 'Mirror, 19" gilt',
        "Lineitem price": "100.00",
        "Lineitem sku": "RT-1",
        "Lineitem discount": "0.00",
        "Billing Name": "Ada Example",
        "Shipping Name": "Ada Example",
        "Shipping Address1": "1 Sample Street\nRear house",
        "Shipping City": "Springfield",
        "Shipping Zip": "'02134",
        "Shipping Province": "MA",
        "Shipping Country": "US",
        "Shipping Phone": "'+1 555 0100",
        "Refunded Amount": "30.00",
        "Id": "5550001",
    }
    second = {
        "Name": "#1001",
        "Email": "ada@example.com",
        "Lineitem quantity": "2",
        "Lineitem name": "Spoon",
        "Lineitem price": "15.00",
        "Lineitem sku": "RT-2",
        "Created at": "2024-05-01 11:58:12 +0200",
    }
    other = order | {"Name": "#1002", "Id": "5550002", "Email": "", "Refunded Amount": "0.00", "Lineitem sku": "RT-3"}
    text = rows_of(names, {n: n for n in names}, order, second, other)
    payloads, records, problems = read(tmp_path, "shopify", "orders_export", text.encode())
    assert not problems
    assert b"\n".join(records) == text.encode().split(b"\n", 1)[1].rstrip(b"\n")
    assert [(p["order_id"], p["line_id"], p["item_id"]) for p in payloads] == [
        ("5550001", "1", "RT-1"),
        ("5550001", "2", "RT-2"),
        ("5550002", "1", "RT-3"),
    ]
    first, line2, _ = payloads
    assert first["ordered_at"] == "2024-05-01T09:58:12Z"
    assert first["title"] == 'Mirror, 19" gilt'
    assert first["ship_postcode"] == "02134"
    assert first["ship_phone"] == "+1 555 0100"
    assert {key: line2[key] for key in ("order_total", "status", "ship_country", "order_refunded", "quantity")} == {
        "order_total": "140.00",
        "status": "partially_refunded",
        "ship_country": "US",
        "order_refunded": "30.00",
        "quantity": "2",
    }
    # An order without an e-mail address does not inherit the one of the order before.
    assert payloads[2]["buyer_email"] is None


def test_etsy_orders(contracts: Path, tmp_path: Path) -> None:
    names = header(contracts, "etsy_sold_orders")
    row = {
        "Sale Date": "09/03/26",
        "Order ID": "3141592653",
        "Buyer User ID": "adaexample",
        "Full Name": "Ada Example",
        "Street 1": "1 Sample Street",
        "Ship City": "Springfield",
        "Ship Zipcode": "02134",
        "Ship Country": "United States",
        "Currency": "USD",
        "Order Value": "1,250.00",
        "Discount Amount": "0.00",
        "Shipping": "12.50",
        "Sales Tax": "0.00",
        "Order Total": "1,262.50",
        "Status": "",
        "Card Processing Fees": "38.13",
        "Buyer": "Ada Example (adaexample)",
    }
    payloads, _, problems = read(tmp_path, "etsy", "sold_orders", rows_of(names, {n: n for n in names}, row).encode())
    assert not problems
    assert payloads[0] | {"order_total": "1262.50", "ordered_at": "2026-09-03T00:00:00Z"} == payloads[0]
    assert payloads[0]["order_id"] == "3141592653"
    assert payloads[0]["buyer_id"] == "adaexample"
    assert payloads[0]["shipped_at"] is None


def test_etsy_items(contracts: Path, tmp_path: Path) -> None:
    names = header(contracts, "etsy_sold_order_items")
    row = {
        "Sale Date": "12/31/25",
        "Item Name": "Spoon & fork, &quot;1920&quot;",
        "Buyer": "Ada Example (adaexample)",
        "Quantity": "1",
        "Price": "15.00",
        "Discount Amount": "0.00",
        "Order Shipping": "5.00",
        "Order Sales Tax": "1.20",
        "Item Total": "15.00",
        "Currency": "USD",
        "Transaction ID": "4444",
        "Listing ID": "1212",
        "Date Paid": "12/31/2025",
        "Ship Name": "Ada Example",
        "Order ID": "3141592653",
    }
    text = rows_of(names, {n: n for n in names}, row, row | {"Transaction ID": "4445", "Buyer": "plainuser"})
    payloads, _, problems = read(tmp_path, "etsy", "sold_order_items", text.encode())
    assert not problems
    assert [p["line_id"] for p in payloads] == ["4444", "4445"]
    assert [p["buyer_id"] for p in payloads] == ["adaexample", "plainuser"]
    assert payloads[0]["paid_at"] == "2025-12-31T00:00:00Z"
    assert payloads[0]["listing_id"] == "1212"
    assert "item_id" in payloads[0]


def test_etsy_statement(contracts: Path, tmp_path: Path) -> None:
    names = header(contracts, "etsy_statement")
    sale = {
        "Date": "September 3, 2026",
        "Type": "Sale",
        "Title": "Payment for Order #3141592653",
        "Info": "--",
        "Currency": "CAD",
        "Amount": "CA$76.00",
        "Fees & Taxes": "--",
        "Net": "CA$76.00",
        "Tax Details": "--",
    }
    fee = sale | {"Type": "Fee", "Title": "Listing fee", "Amount": "--", "Fees & Taxes": "-CA$0.28", "Net": "-CA$0.28"}
    text = "\ufeff" + rows_of(names, {n: n for n in names}, sale, fee, fee, quoting=csv.QUOTE_ALL)
    payloads, _, problems = read(tmp_path, "etsy", "statement", text.encode())
    assert not problems
    assert payloads[0]["date"] == "2026-09-03"
    assert (payloads[0]["amount"], payloads[0]["fees_taxes"], payloads[0]["info"]) == ("76.00", None, None)
    assert [p["net"] for p in payloads] == ["76.00", "-0.28", "-0.28"]
    # Two equal fees are two records.
    keys = [(p["entry_id"], p["line_id"]) for p in payloads]
    assert len(set(keys)) == 3
    assert [key[1] for key in keys] == ["1", "1", "2"]


def ebay_row(number: str, **cells: str) -> dict[str, str]:
    return {
        "Sales Record Number": number,
        "Order Number": f"11-{number}-000",
        "Buyer Username": "ada_example",
        "Buyer Name": "Ada Example",
        "Buyer Email": "abc123@members.ebay.com",
        "Ship To Name": "Ada Example",
        "Ship To Address 1": "1 Sample Street",
        "Ship To Zip": "'02134",
        "Ship To Country": "United States",
        "Payment Method": "Other",
        "Sale Date": "Sep-18-26",
        "Paid On Date": "Sep-18-26",
        **{key.replace("_", " "): value for key, value in cells.items()},
    }


def ebay_item(number: str, title: str, price: str, **cells: str) -> dict[str, str]:
    return ebay_row(
        number,
        Item_Number="1100" + number,
        Item_Title=title,
        Custom_Label="RT-" + title[0],
        Quantity="1",
        Sold_For=price,
        Transaction_ID="7" + title[0],
        **cells,
    )


@pytest.mark.parametrize("newline", ["\n", "\r\n"])
def test_ebay_american_report(contracts: Path, tmp_path: Path, newline: str) -> None:
    names = header(contracts, "ebay_orders_report_us")
    single = ebay_item("101", "Mirror", "$90.00", Total_Price="$1,100.00", Shipping_And_Handling="$10.00")
    summary = ebay_row("102", Quantity="2", Sold_For="$30.00", Total_Price="$36.00", Shipping_And_Handling="$6.00")
    one = ebay_item("102", "Spoon", "$10.00")
    two = ebay_item("102", "Fork", "$20.00")
    blank_number = ebay_item("103", "Clock", "$5.00", Total_Price="$5.00") | {"Order Number": ""}
    text = "," * (len(names) - 1) + "\n"
    text += rows_of(names, {n: n for n in names}, {}, single, summary, one, two, blank_number, quoting=csv.QUOTE_ALL)
    text += '3,record(s) downloaded,\n\n"Seller ID : some_seller"\n'
    data = text.replace("\n", newline).encode()
    payloads, records, problems = read(tmp_path, "ebay", "orders_report", data)
    assert not problems
    assert [(p["order_id"], p["title"], p["line_total"]) for p in payloads] == [
        ("11-101-000", "Mirror", "90.00"),
        ("11-102-000", "Spoon", "10.00"),
        ("11-102-000", "Fork", "20.00"),
        ("103", "Clock", "5.00"),
    ]
    assert [p["order_total"] for p in payloads] == ["1100.00", "36.00", "36.00", "5.00"]
    assert [p["order_shipping"] for p in payloads] == ["10.00", "6.00", "6.00", None]
    assert {p["currency"] for p in payloads} == {"USD"}
    assert payloads[1]["ordered_at"] == "2026-09-18T00:00:00Z"
    assert payloads[1]["quantity"] == "1"
    assert payloads[1]["line_id"] == "1100102-7S"
    assert payloads[1]["ship_postcode"] == "02134"
    # The summary row's bytes are kept in front of its first item's.
    lines = data.split(newline.encode())
    assert records[1] == newline.encode().join(lines[4:6])
    assert newline.encode().join(records) == newline.encode().join(lines[3:8])


def test_ebay_french_report_with_english_header(contracts: Path, tmp_path: Path) -> None:
    names = header(contracts, "ebay_orders_report_us")
    row = ebay_item("7", "Miroir doré", "1 234,50 €", Total_Price="1\u00a0240,50 €", Shipping_And_Handling="6,00 €")
    row |= {"Sale Date": "05-oct.-26", "Paid On Date": "01-août-26", "Shipped On Date": "02-déc.-26"}
    text = "\n" + rows_of(names, {n: n for n in names}, row, delimiter=";")
    payloads, _, problems = read(tmp_path, "ebay", "orders_report", text.encode())
    assert not problems
    found = payloads[0]
    assert (found["line_total"], found["order_total"], found["currency"]) == ("1234.50", "1240.50", "EUR")
    assert (found["ordered_at"], found["paid_at"]) == ("2026-10-05T00:00:00Z", "2026-08-01T00:00:00Z")
    assert found["shipped_at"] == "2026-12-02T00:00:00Z"
    assert found["title"] == "Miroir doré"


def test_ebay_european_and_british_reports(contracts: Path, tmp_path: Path) -> None:
    british = [
        "Postage And Handling" if n == "Shipping And Handling" else n
        for n in header(contracts, "ebay_orders_report_us")
    ]
    row = ebay_item("8", "Teapot", "£12.00", Total_Price="£15.00", Postage_And_Handling="£3.00")
    euro = ebay_item("9", "Teacup", "EUR 90,00", Total_Price="EUR 1.090,00", Postage_And_Handling="EUR 1.000,00")
    text = rows_of(british, {n: n for n in british}, row | {"Sale Date": "18-Sep-26"}, euro)
    payloads, _, problems = read(tmp_path, "ebay", "orders_report", text.encode())
    assert not problems
    assert [(p["order_total"], p["order_shipping"], p["currency"]) for p in payloads] == [
        ("15.00", "3.00", "GBP"),
        ("1090.00", "1000.00", "EUR"),
    ]


def test_ebay_summary_row_without_items_is_reported(contracts: Path, tmp_path: Path) -> None:
    names = header(contracts, "ebay_orders_report_us")
    lonely = ebay_row("102", Quantity="2", Sold_For="$30.00", Total_Price="$36.00")
    text = rows_of(names, {n: n for n in names}, lonely, ebay_item("103", "Clock", "$5.00"), lonely)
    payloads, records, problems = read(tmp_path, "ebay", "orders_report", text.encode())
    assert [p["title"] for p in payloads] == ["Clock"]
    assert len(records) == 3
    assert len(problems) == 2
    assert all("summary" in problem for problem in problems)


@pytest.mark.parametrize(
    ("source", "entity", "field", "mask"),
    [
        ("shopify", "orders_export", "buyer_email", Mask.REDACT),
        ("shopify", "orders_export", "ship_postcode", Mask.POSTCODE_AREA),
        ("etsy", "sold_orders", "buyer_id", Mask.PSEUDONYM),
        ("ebay", "orders_report", "ship_phone", Mask.REDACT),
    ],
)
def test_personal_fields_are_masked(source: str, entity: str, field: str, mask: Mask) -> None:
    mappings = [each for each in load_mappings(None) if each.source == source]
    connector = FilesConnector(Path("drop"), mappings)
    assert connector.entities[entity].masks[field] is mask


def test_every_published_header_fits_its_mapping(contracts: Path, tmp_path: Path) -> None:
    """Each header alone is a file without records, not an error."""
    layouts = {
        "shopify_orders_export": ("shopify", "orders_export"),
        "etsy_sold_orders": ("etsy", "sold_orders"),
        "etsy_sold_order_items": ("etsy", "sold_order_items"),
        "etsy_statement": ("etsy", "statement"),
        "ebay_orders_report_us": ("ebay", "orders_report"),
    }
    for name, (source, entity) in layouts.items():
        data = (contracts / "exports" / f"{name}.header.csv").read_bytes()
        assert read(tmp_path / name, source, entity, data) == ([], [], [])
