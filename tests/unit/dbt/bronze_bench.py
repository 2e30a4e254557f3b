"""A bronze layer written by hand in a DuckDB file, and the real dbt project run on it in this process.

What belongs here: the bench. What does not: payloads (``payloads``) and expectations.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import duckdb

from retreasure_assets.lake.columns import timestamps
from retreasure_assets.sandbox.fault_records import value_at
from tests.parsed_project import ParsedProject

TABLES = (
    "shopify_orders",
    "shopify_products",
    "shopify_customers",
    "shopify_locations",
    "shopify_inventory_levels",
    "shopify_payouts",
    "shopify_balance_transactions",
    "ebay_orders",
    "ebay_fulfillments",
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
    "ads_spend",
    "media_photos",
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
    "ebay_fulfillments": (("order.orderId", "fulfillment.fulfillmentId"), None),
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
    "ads_spend": (("date", "platform", "campaign", "currency"), "reported_at"),
    "media_photos": (("channel", "subject", "position"), None),
}

Payload = Mapping[str, Any]


@dataclass(frozen=True)
class Record:
    """One bronze record before it is written: its table, payload, and the person it is about."""

    table: str
    payload: Payload
    person_id: str | None = None


class Dbt(ParsedProject):
    """The project, parsed once."""

    def compiled(self, warehouse: Path, model: str) -> str:
        """A model's statement as it is built anew, with the catalog's name for every table."""
        outcome = self.invoke(warehouse, "compile", "--indirect-selection", "empty", "--select", model)
        results = list(getattr(outcome.result, "results", None) or [])
        [code] = [str(each.node.compiled_code) for each in results if each.node.name == model]
        return code


class Bench:
    """Bronze in a file, and silver built from it.

    Args:
        dbt: the parsed project.
        folder: a new folder for the file.
        built: a file to begin with, in which every model was built from an empty bronze; by default nothing is built.
    """

    def __init__(self, dbt: Dbt, folder: Path, built: Path | None = None) -> None:
        self._dbt = dbt
        self.path = folder / "warehouse.duckdb"
        self._clock = datetime(2026, 11, 1, tzinfo=UTC)
        #: Bronze tables with news for the next build; None where all of silver has to be built.
        self._news: set[str] | None = None
        if built is not None:
            shutil.copyfile(built, self.path)
            self._news = set()
            return
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
        if self._news is not None:
            self._news |= rows.keys()
        with duckdb.connect(str(self.path)) as con:
            for table, batch in rows.items():
                marks = ", ".join("?" * len(COLUMNS.split(",")))
                con.executemany(f"insert into bronze.{table} values ({marks})", list(batch.values()))

    def _row(self, record: Record) -> Sequence[object]:
        text = json.dumps(record.payload, sort_keys=True)
        key_fields, changed_field = KEYS[record.table]
        key = "|".join(str(value_at(record.payload, field) or "") for field in key_fields)
        changed = record.payload.get(changed_field) if changed_field else None
        [changed] = timestamps([changed], 1).to_pylist()
        source, _, entity = record.table.partition("_")
        digest = hashlib.md5(f"{record.table}|{key}|{text}".encode(), usedforsecurity=False).hexdigest()
        sha = hashlib.sha256(text.encode()).hexdigest()
        when = self._clock
        return (
            *(digest, source, entity, key, changed, text, None, sha, record.person_id, when, when.date()),
            *(f"batch-{when:%d%H}", "run", "test"),
        )

    def build(self, *arguments: str, command: str = "run") -> dict[str, str]:
        """Build (or test) silver and quarantine; node name -> status.

        Without a selection a first build builds everything; a later one, as the platform's own do, builds what reads
        a bronze table that has something new since.
        """
        if "--select" in arguments:
            return self._dbt.statuses(self.path, command, *arguments)
        selection = [f"path:models/{folder}" for folder in ("silver", "quarantine")]
        if command == "run":
            if self._news is not None and "--full-refresh" not in arguments:
                selection = [f"source:bronze.{table}+,{part}" for table in sorted(self._news) for part in selection]
            self._news = set()
        assert selection, "there is nothing new to build"
        return self._dbt.statuses(self.path, command, "--select", *selection, *arguments)

    def build_all(self) -> None:
        """Build all of silver and quarantine, whether there is anything new or not."""
        self._news = None
        self.build()

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

    def ingest_in_parts(self, records: Sequence[Record], parts: int, seed: int) -> None:
        """Have records come in another order, some of them twice, and a build after each part."""
        rng = Random(seed)
        shuffled = [*records, *rng.sample(records, len(records) // 4)]
        rng.shuffle(shuffled)
        for part in range(parts):
            self.ingest(*shuffled[part::parts])
            self.build()

    def snapshot(self, *, stamps: bool = False) -> dict[str, list[tuple[Any, ...]]]:
        """Every table and view that people read, sorted, without what depends on when it was built or ingested."""
        hidden = {"ingested_at"} if stamps else {"built_at", "ingested_at"}
        result = {}
        # Opening the file takes 70 ms, a query 10: one connection.
        with duckdb.connect(str(self.path), read_only=True) as con:
            con.execute("set TimeZone = 'UTC'")
            columns = con.execute(
                "select concat(table_schema, '.', table_name), list(column_name order by ordinal_position)"
                " from information_schema.columns where table_schema in ('silver', 'quarantine')"
                " and table_name not like 'stg%' and table_name <> 'model_builds' group by all order by all"
            ).fetchall()
            for table, names in columns:
                kept = ", ".join(f'"{name}"' for name in names if name not in hidden)
                result[table] = con.execute(f"select {kept} from {table} order by all").fetchall()
        return result
