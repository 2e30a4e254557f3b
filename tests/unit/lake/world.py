"""Small records with planted personal values, and ways to look at what became of them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import DeltaTable

from retreasure_assets.entities import Cursor, Entity, Identity, Mask, RawBatch, Window
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.keys import derive
from retreasure_assets.privacy.sealing import Unsealer
from retreasure_assets.privacy.vault import Vault

KEYS = derive(b"m" * 32)
#: Every one of these is in some record; none may be found in clear.
PLANTED = ("Planted-Jane", "planted.jane@example.com", "+353869998877", "7 Planted Lane")

ORDERS = Entity(
    "shopify",
    "orders",
    ("id",),
    "updatedAt",
    "Orders of the web shop.",
    (Identity("shopify_customer", "customer.id"), Identity("email", "email")),
    {
        "email": Mask.REDACT,
        "phone": Mask.REDACT,
        "customer.name": Mask.REDACT,
        "address.street": Mask.REDACT,
        "address.zip": Mask.POSTCODE_AREA,
    },
)
LOCATIONS = Entity("shopify", "locations", ("id",), None, "Shops.")
LINES = Entity(
    "pos",
    "transactions",
    ("transaction_id", "line_id"),
    "sold_at",
    "Lines of receipts.",
    (Identity("pos_loyalty", "loyalty_id"),),
    {"loyalty_id": Mask.PSEUDONYM},
)


def order(number: int, *, customer: int | None = 1, updated: str | None = None, **extra: Any) -> bytes:
    """One order as the shop sends it."""
    moment = updated or f"2026-03-{number % 28 + 1:02d}T10:{number % 60:02d}:00Z"
    record = {
        "id": f"gid://shopify/Order/{number}",
        "updatedAt": moment,
        "email": None if customer is None else f"{customer}.{PLANTED[1]}",
        "phone": PLANTED[2],
        "customer": None if customer is None else {"id": f"gid://shopify/Customer/{customer}", "name": PLANTED[0]},
        "address": {"street": PLANTED[3], "zip": "D02 X285", "city": "Dublin"},
        "total": "12.50",
    } | extra
    return json.dumps(record).encode()


def batch(records: Sequence[bytes], entity: Entity = ORDERS, **extra: Any) -> RawBatch:
    """A batch with made-up origins."""
    return RawBatch(entity, records, [f"https://shop/{place}" for place in range(len(records))], **extra)


def rows(lake: Lake, layer: str, table: str) -> list[dict[str, Any]]:
    """Every row of a table, none where there is no table."""
    if not lake.exists(layer, table):
        return []
    found: list[dict[str, Any]] = pa.table(DeltaTable(lake.uri(layer, table)).to_pyarrow_table()).to_pylist()
    return found


def unseal(vault: Vault, row: dict[str, Any]) -> bytes:
    """A row's exact bytes."""
    key = vault.keys.unowned if row["person_id"] is None else vault.key(row["person_id"])
    assert key is not None
    return Unsealer(vault.dictionaries.all()).unseal(key, row["sealed"], row["record_id"])


def assert_nothing_planted(folder: Path) -> None:
    """No byte below a folder holds a planted value, in its contents or its names."""
    for path in sorted(folder.rglob("*")):
        assert not any(value in str(path) for value in PLANTED)
        if path.is_file():
            data = path.read_bytes()
            for value in PLANTED:
                assert value.encode() not in data, f"a planted value is in {path.name}"
            if path.suffix == ".parquet":
                # Compressed pages hide text: read what they hold.
                text = repr(pq.read_table(path, partitioning=None).to_pylist())
                assert not any(value in text for value in PLANTED), f"a planted value is in {path.name}"
            elif data[:2] == b"\x1f\x8b":
                assert not any(value.encode() in zlib.decompress(data, 31) for value in PLANTED)


class FakeConnector:
    """Serves batches from a list; the cursor is how many were served."""

    source = "shopify"

    def __init__(
        self, batches: Sequence[Sequence[bytes]], *, fail_at: int | None = None, error: Exception | None = None
    ):
        self.entities = {"orders": ORDERS}
        self._batches = batches
        self._fail_at, self._error = fail_at, error
        self.asked: list[tuple[Cursor | None, Window]] = []

    def batches(self, entity: Entity, cursor: Cursor | None, window: Window) -> Iterator[RawBatch]:
        """One batch per page."""
        self.asked.append((cursor, window))
        start = int(cursor["page"]) if cursor else 0
        for number in range(start, len(self._batches)):
            if number == self._fail_at and self._error is not None:
                raise self._error
            following = {"page": number + 1} if window == Window() else None
            yield batch(self._batches[number], entity, cursor=following)

    def close(self) -> None:
        """Nothing to close."""
