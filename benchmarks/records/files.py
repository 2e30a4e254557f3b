"""The records of a plan as JSON Lines files, as a source would hand them out.

What belongs here: files and folders. What does not: the records in them (the modules beside).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from benchmarks.records.orders import orders_of
from benchmarks.records.plan import Plan, day_of
from benchmarks.records.rates import rate_of, rates
from benchmarks.records.till import products_of, till_lines_of

#: Records of a file; a file is what a source hands out at once.
_FILE_RECORDS = 100_000


def write(plan: Plan, folder: Path) -> Path:
    """Write all records of a plan as ``<bronze table>/<number>.jsonl`` below a folder, unless they are there."""
    target = folder / plan.name
    if target.exists():
        return target
    part = target.with_name(f".{target.name}.part")
    for table, records in (
        ("fx_ecb_rates", rates(plan)),
        ("shopify_orders", (record for day in range(plan.days) for record in orders_of(plan, day))),
        ("pos_transactions", (record for day in range(plan.days) for record in till_lines_of(plan, day))),
    ):
        _write_lines(part / table, records)
    part.rename(target)
    return target


def write_days(plan: Plan, folder: Path) -> Path:
    """Write all records of a plan as ``<date>/<bronze table>/records.jsonl`` below a folder, unless they are there.

    Here every item sold is in the catalogue too, or every line would be an orphan, and the list of them long.
    """
    target = folder / f"daily-{plan.name}"
    if target.exists():
        return target
    part = target.with_name(f".{target.name}.part")
    for day in range(plan.days):
        # A weekend's orders are valued at the rate of the Friday before, also on the first days.
        known = [rate_of(plan, earlier) for earlier in (range(-7, 1) if day == 0 else (day,))]
        orders, till = list(orders_of(plan, day)), list(till_lines_of(plan, day))
        tables = {
            "fx_ecb_rates": [rate for rate in known if rate is not None],
            "pos_products": list(products_of(day_of(plan, day), orders, till)),
            "pos_transactions": till,
            "shopify_orders": orders,
        }
        for table, records in tables.items():
            if records:
                path = part / day_of(plan, day).isoformat() / table / "records.jsonl"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(b"\n".join(records) + b"\n")
    part.rename(target)
    return target


def _write_lines(folder: Path, records: Iterator[bytes]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    lines: list[bytes] = []
    number = 0
    for record in records:
        lines.append(record)
        if len(lines) == _FILE_RECORDS:
            (folder / f"{number:05d}.jsonl").write_bytes(b"\n".join(lines) + b"\n")
            lines, number = [], number + 1
    if lines:
        (folder / f"{number:05d}.jsonl").write_bytes(b"\n".join(lines) + b"\n")
