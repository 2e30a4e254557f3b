"""A bronze layer written by hand in a DuckDB file, and the real dbt project run on it in this process.

What belongs here: the bench. What does not: payloads (``payloads``) and expectations.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest

PROJECT = Path(__file__).resolve().parents[3] / "dbt_project"

TABLES = (
    "shopify_orders",
    "shopify_products",
    "shopify_customers",
    "shopify_locations",
    "shopify_inventory_levels",
    "shopify_payouts",
    "shopify_balance_transactions",
    "ebay_orders",
    "ebay_inventory_items",
    "ebay_offers",
    "ebay_transactions",
    "ebay_payouts",
    "square_orders",
    "square_payments",
    "square_refunds",
    "square_customers",
    "square_locations",
    "square_catalog_objects",
    "square_inventory_counts",
    "square_payouts",
    "square_payout_entries",
    "fx_ecb_rates",
    "fx_intraday_rates",
    "pos_transactions",
    "pos_products",
    "shopify_orders_export",
    "etsy_receipts",
    "etsy_listings",
    "etsy_ledger_entries",
    "etsy_payments",
    "etsy_sold_orders",
    "etsy_sold_order_items",
    "etsy_statement",
    "ebay_orders_report",
    "easypost_trackers",
    "easypost_events",
    "aftership_trackings",
    "shippo_trackings",
    "seventeentrack_trackings",
    "clickstream_events",
    "geo_postcodes",
    "geo_delivery_zones",
)

COLUMNS = """
    record_id varchar, source varchar, entity varchar, natural_key varchar, source_updated_at timestamptz,
    payload varchar, sealed blob, payload_sha256 varchar, person_id varchar, ingested_at timestamptz, ingest_date date,
    batch_id varchar, run_id varchar, origin varchar
"""

#: How the natural key of a table's record is put together, and where its time of change is.
KEYS: Mapping[str, tuple[tuple[str, ...], str | None]] = {
    "shopify_orders": (("id",), "updatedAt"),
    "shopify_products": (("id",), "updatedAt"),
    "shopify_customers": (("id",), "updatedAt"),
    "shopify_locations": (("id",), "updatedAt"),
    "shopify_inventory_levels": (("id",), "updatedAt"),
    "shopify_payouts": (("id",), "issuedAt"),
    "shopify_balance_transactions": (("id",), "transactionDate"),
    "ebay_orders": (("orderId",), "lastModifiedDate"),
    "ebay_inventory_items": (("sku",), None),
    "ebay_offers": (("offerId",), None),
    "ebay_transactions": (("transactionId", "transactionType", "bookingEntry"), "transactionDate"),
    "ebay_payouts": (("payoutId",), "payoutDate"),
    "square_orders": (("id",), "updated_at"),
    "square_payments": (("id",), "updated_at"),
    "square_refunds": (("id",), "updated_at"),
    "square_customers": (("id",), "updated_at"),
    "square_locations": (("id",), None),
    "square_catalog_objects": (("id",), "updated_at"),
    "square_inventory_counts": (("catalog_object_id", "location_id", "state"), "calculated_at"),
    "square_payouts": (("id",), "updated_at"),
    "square_payout_entries": (("id",), "effective_at"),
    "fx_ecb_rates": (("date",), "date"),
    "fx_intraday_rates": (("provider", "timestamp"), "timestamp"),
    "pos_transactions": (("transaction_id", "line_id"), None),
    "pos_products": (("item_id",), None),
    "shopify_orders_export": (("order_id", "line_id"), None),
    "etsy_receipts": (("receipt_id",), "updated_timestamp"),
    "etsy_listings": (("listing_id",), "updated_timestamp"),
    "etsy_ledger_entries": (("entry_id",), "created_timestamp"),
    "etsy_payments": (("payment_id",), "updated_timestamp"),
    "etsy_sold_orders": (("order_id",), None),
    "etsy_sold_order_items": (("order_id", "line_id"), None),
    "etsy_statement": (("date", "type", "title", "info", "amount", "fees_taxes"), None),
    "ebay_orders_report": (("order_id", "line_id"), None),
    "easypost_trackers": (("id",), "updated_at"),
    "easypost_events": (("id",), "updated_at"),
    "aftership_trackings": (("id",), "updated_at"),
    "shippo_trackings": (("carrier", "tracking_number"), None),
    "seventeentrack_trackings": (("carrier", "number"), None),
    "clickstream_events": (("event_id",), "received_at"),
    "geo_postcodes": (("place_id",), None),
    "geo_delivery_zones": (("rule_id",), None),
}

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """One bronze record before it is written: its table, payload, and the person it is about."""

    table: str
    payload: Payload
    person_id: str | None = None


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set environment variables for the length of a block (dbt reads its profile from them)."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class Dbt:
    """The project, parsed once; every warehouse file has the same name, because the name is the catalog's."""

    def __init__(self, scratch: Path) -> None:
        self._flags = [
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *(
                "--target-path",
                str(scratch / "target"),
                "--log-path",
                str(scratch / "logs"),
                "--quiet",
                "--log-level-file",
                "none",
            ),
        ]
        (scratch / "parse").mkdir()
        with environment(RETREASURE_WAREHOUSE=str(scratch / "parse" / "warehouse.duckdb")):
            parsed = dbtRunner().invoke(["parse", *self._flags])
        assert parsed.success, parsed.exception
        assert isinstance(parsed.result, Manifest)
        self.manifest = parsed.result

    def invoke(self, warehouse: Path, command: str, *arguments: str) -> dict[str, str]:
        """One dbt invocation; node name -> status.

        Raises:
            AssertionError: a node errs or a test fails; with dbt's messages.
        """
        with environment(RETREASURE_WAREHOUSE=str(warehouse)):
            outcome = dbtRunner(manifest=self.manifest).invoke([command, *self._flags, *arguments])
        # dbt keeps the file open for the next run in the process; the tests read it in between.
        DuckDBConnectionManager.close_all_connections()
        results = list(getattr(outcome.result, "results", None) or [])
        bad = [f"{each.node.name}: {each.message}" for each in results if str(each.status) in {"error", "fail"}]
        assert not bad, "\n".join(bad)
        assert outcome.exception is None, outcome.exception
        return {each.node.name: str(each.status) for each in results}

    def compiled(self, warehouse: Path, model: str) -> str:
        """A model's statement as it is built anew, with the catalog's name for every table."""
        with environment(RETREASURE_WAREHOUSE=str(warehouse)):
            outcome = dbtRunner(manifest=self.manifest).invoke(["compile", *self._flags, "--select", model])
        DuckDBConnectionManager.close_all_connections()
        results = list(getattr(outcome.result, "results", None) or [])
        [code] = [str(each.node.compiled_code) for each in results if each.node.name == model]
        return code


class Bench:
    """Bronze in a file, and silver built from it."""

    def __init__(self, dbt: Dbt, folder: Path) -> None:
        self._dbt = dbt
        self.path = folder / "warehouse.duckdb"
        self._clock = datetime(2026, 11, 1, tzinfo=UTC)
        with duckdb.connect(str(self.path)) as con:
            for schema in ("bronze", "silver", "gold", "quarantine"):
                con.execute(f"create schema {schema}")
            for table in TABLES:
                con.execute(f"create table bronze.{table} ({COLUMNS})")

    def ingest(self, *records: Record) -> None:
        """Write records as one batch, later than every batch before it; like the real writer, each record once."""
        self._clock += timedelta(hours=7)
        rows: dict[str, dict[object, Sequence[object]]] = {}
        for record in records:
            row = self._row(record)
            rows.setdefault(record.table, {})[row[0]] = row
        with duckdb.connect(str(self.path)) as con:
            for table, batch in rows.items():
                marks = ", ".join("?" * len(COLUMNS.split(",")))
                con.executemany(f"insert into bronze.{table} values ({marks})", list(batch.values()))

    def _row(self, record: Record) -> Sequence[object]:
        text = json.dumps(record.payload, sort_keys=True)
        key_fields, changed_field = KEYS[record.table]
        key = "|".join(str(record.payload.get(field) or "") for field in key_fields)
        changed = record.payload.get(changed_field) if changed_field else None
        if isinstance(changed, int):
            changed = datetime.fromtimestamp(changed, UTC)
        if isinstance(changed, str) and len(changed) == 10:
            changed += "T00:00:00Z"
        source, _, entity = record.table.partition("_")
        digest = hashlib.md5(f"{record.table}|{key}|{text}".encode(), usedforsecurity=False).hexdigest()
        sha = hashlib.sha256(text.encode()).hexdigest()
        when = self._clock
        return (
            *(digest, source, entity, key, changed, text, None, sha, record.person_id, when, when.date()),
            *(f"batch-{when:%d%H}", "run", "test"),
        )

    def build(self, *arguments: str, command: str = "run") -> dict[str, str]:
        """Build (or test) silver and quarantine; node name -> status."""
        selection = () if "--select" in arguments else ("--select", "path:models/silver", "path:models/quarantine")
        return self._dbt.invoke(self.path, command, *selection, *arguments)

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """Rows of a query over the warehouse."""
        with duckdb.connect(str(self.path), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            return con.execute(sql).fetchall()

    def one(self, sql: str) -> dict[str, Any]:
        """The only row of a query, by column."""
        with duckdb.connect(str(self.path), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            cursor = con.execute(sql)
            names = [column[0] for column in cursor.description or ()]
            rows = cursor.fetchall()
        assert len(rows) == 1, f"{len(rows)} rows: {sql}"
        return dict(zip(names, rows[0], strict=True))

    def snapshot(self, *, stamps: bool = False) -> dict[str, list[tuple[Any, ...]]]:
        """Every table and view that people read, sorted, without what depends on when it was built or ingested."""
        found = self.query(
            "select table_schema, table_name from information_schema.tables"
            " where table_schema in ('silver', 'quarantine')"
            " and table_name not like 'stg%' and table_name <> 'model_builds'"
        )
        hidden = {"ingested_at"} if stamps else {"built_at", "ingested_at"}
        result = {}
        for schema, table in sorted(found):
            columns = self.query(
                f"select column_name from information_schema.columns where table_schema = '{schema}'"
                f" and table_name = '{table}' order by ordinal_position"
            )
            kept = ", ".join(f'"{name}"' for (name,) in columns if name not in hidden)
            result[f"{schema}.{table}"] = self.query(f"select {kept} from {schema}.{table} order by all")
        return result
