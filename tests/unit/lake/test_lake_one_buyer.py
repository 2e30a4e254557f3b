"""A buyer whom an interface and an export file call by different ids, known to be one by what was bought."""

from __future__ import annotations

import json
from typing import Any

from retreasure_assets.entities import Entity, RawBatch
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.sources.etsy.entities import RECEIPTS
from retreasure_assets.sources.files import entities, load_mappings
from tests.unit.lake.world import rows

_USER = 987654321


def _from_api(receipt_id: int, user: int) -> RawBatch:
    record = {"receipt_id": receipt_id, "buyer_user_id": user, "buyer_email": None, "updated_timestamp": 1_788_000_000}
    return RawBatch(RECEIPTS, [json.dumps(record).encode()], ["https://etsy/receipts"])


def _from_export(entity: Entity, **payload: Any) -> RawBatch:
    return RawBatch(entity, [repr(payload).encode()], ["orders.csv:2"], payloads=[json.dumps(payload).encode()])


def test_who_bought_one_receipt_is_one_person_in_the_interface_and_in_the_exports(lake: Lake, vault: Vault) -> None:
    exports = {entity.table: entity for entity in entities(load_mappings(None)).values()}
    writer = BronzeWriter(lake, vault)
    # The export comes first and knows a name of the buyer's; the interface knows a number, and a receipt more.
    writer.write(_from_export(exports["etsy_sold_orders"], order_id="5001", buyer_id="treasurefan"), run_id="r1")
    writer.write(
        _from_export(exports["etsy_sold_order_items"], order_id="5002", line_id="1", buyer_id="treasurefan"),
        run_id="r1",
    )
    writer.write(_from_api(5001, _USER), run_id="r1")
    writer.write(_from_api(5003, _USER), run_id="r1")
    writer.write(_from_api(5004, _USER + 1), run_id="r1")
    people = {
        row["natural_key"]: vault.resolve([(("etsy_user", _USER),)])[0] == row["person_id"]
        for table in ("etsy_receipts", "etsy_sold_orders")
        for row in rows(lake, "bronze", table)
    }
    assert people == {"5001": True, "5003": True, "5004": False}
    [item] = rows(lake, "bronze", "etsy_sold_order_items")
    assert item["person_id"] == vault.resolve([(("etsy_user", _USER),)])[0]
    for table in ("etsy_receipts", "etsy_sold_orders", "etsy_sold_order_items"):
        for row in rows(lake, "bronze", table):
            assert "treasurefan" not in row["payload"]
            assert str(_USER) not in row["payload"]
