"""The till's files: a CSV of receipts for every business day, and the catalogue.

What belongs here: layouts, names and writing them whole. What does not: the receipts (``world_till``), and those of the
register that is Square's (``world_square``): each sale is seen once.

The till exports when the shop closes, so a day's file appears when that day is over in the shop's zone, and is never
changed afterwards; the catalogue is written anew whenever something in it changes.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from datetime import date
from pathlib import Path

from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_square import through_square
from retreasure_assets.sandbox.world_till import SHOP_ZONE
from retreasure_assets.sandbox.world_types import Receipt

TRANSACTION_COLUMNS = [
    "transaction_id",
    "line_id",
    "sold_at",
    "store_id",
    "register_id",
    "item_id",
    "title",
    "quantity",
    "unit_price",
    "discount_amount",
    "tax_amount",
    "line_total",
    "currency",
    "payment_method",
    "line_type",
    "loyalty_id",
    "tax_included",
]
CATALOGUE_COLUMNS = [
    "item_id",
    "title",
    "category",
    "era",
    "maker",
    "material",
    "condition",
    "acquisition_cost",
    "currency",
    "listed_at",
    "price",
]


def write_till_files(world: World, drop: Path) -> list[Path]:
    """Write all files of ``world`` below ``drop``; return those that were new or had changed.

    Args:
        world: what was sold.
        drop: the folder for dropped files; files go to ``pos/transactions/`` and ``pos/products/``.

    Each file is written under another name first and then renamed, so that nobody sees half of it.
    """
    files = {
        drop / "pos" / "transactions" / f"till_{day.isoformat()}.csv": transactions_csv(receipts)
        for day, receipts in receipts_by_day(world).items()
    }
    files[drop / "pos" / "products" / "catalogue.csv"] = catalogue_csv(world)
    return [path for path, content in files.items() if write_whole(path, content)]


def receipts_by_day(world: World) -> dict[date, list[Receipt]]:
    """The till's own receipts by business date, in order of time; days that are not over yet are left out."""
    today = world.clock.astimezone(SHOP_ZONE).date()
    days: dict[date, list[Receipt]] = {}
    for receipt in sorted(world.receipts, key=lambda receipt: (receipt.at, receipt.receipt_id)):
        day = receipt.at.astimezone(SHOP_ZONE).date()
        if day < today and not through_square(receipt):
            days.setdefault(day, []).append(receipt)
    return days


def transactions_csv(receipts: Iterable[Receipt]) -> bytes:
    """One line for every line of a receipt."""
    rows = []
    for receipt in receipts:
        sold_at = receipt.at.astimezone(SHOP_ZONE).isoformat()
        for line in receipt.lines:
            rows.append(
                (
                    receipt.receipt_id,
                    line.line_id,
                    sold_at,
                    receipt.store_id,
                    receipt.register_id,
                    line.item_id,
                    line.title,
                    line.quantity,
                    f"{line.unit_price:.2f}",
                    f"{line.discount:.2f}",
                    f"{line.tax:.2f}",
                    f"{line.total:.2f}",
                    "EUR",
                    receipt.payment_method,
                    line.kind,
                    receipt.loyalty_id or "",
                    "true" if receipt.tax_included else "false",
                )
            )
    return _csv(TRANSACTION_COLUMNS, rows)


def catalogue_csv(world: World) -> bytes:
    """Everything that stands or stood in the shop, with its present price."""
    prices = {listing.item_id: listing.versions[-1].price for listing in world.listings if listing.channel == "pos"}
    rows = [
        (
            item.item_id,
            item.title,
            item.category,
            item.era,
            item.maker,
            item.material,
            item.condition,
            f"{item.cost:.2f}",
            item.cost_currency,
            item.listed_at.astimezone(SHOP_ZONE).isoformat(),
            f"{prices[item.item_id]:.2f}",
        )
        for item in world.items
        if item.item_id in prices
    ]
    return _csv(CATALOGUE_COLUMNS, rows)


def _csv(columns: Iterable[str], rows: Iterable[tuple[object, ...]]) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(rows)
    return text.getvalue().encode()


def write_whole(path: Path, content: bytes) -> bool:
    """Put ``content`` at ``path`` in one step; False when it is there already."""
    if path.exists() and path.read_bytes() == content:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    # A leading dot keeps the half-written file out of sight of whoever lists *.csv.
    temporary = path.with_name(f".{path.name}.part")
    temporary.write_bytes(content)
    temporary.replace(path)
    return True
