"""A small silver written by hand: the tables gold reads, with the columns and types of the contract between the two.

What belongs here: creating, changing and copying those tables. What does not: any expectation about gold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb

MONEY = "decimal(18,4)"
TIME = "timestamptz"

#: table -> (key columns, column -> type)
TABLES: Mapping[str, tuple[tuple[str, ...], Mapping[str, str]]] = {
    "orders": (
        ("channel", "order_id"),
        {
            "channel": "varchar",
            "order_id": "varchar",
            "order_name": "varchar",
            "person_id": "varchar",
            "ordered_at": TIME,
            "business_date": "date",
            "status": "varchar",
            "payment_status": "varchar",
            "fulfilment_status": "varchar",
            "is_test": "boolean",
            "is_paid": "boolean",
            "cancelled_at": TIME,
            "currency": "varchar",
            "gross_amount": MONEY,
            "discount_amount": MONEY,
            "shipping_amount": MONEY,
            "tax_amount": MONEY,
            "surcharge_amount": MONEY,
            "total_amount": MONEY,
            "channel_fx_rate": "decimal(20,12)",
            "settlement_currency": "varchar",
            "ship_country": "varchar",
            "ship_postcode_area": "varchar",
            "store_id": "varchar",
            "source_updated_at": TIME,
            "record_id": "varchar",
        },
    ),
    "order_lines": (
        ("channel", "order_id", "line_id"),
        {
            "channel": "varchar",
            "order_id": "varchar",
            "line_id": "varchar",
            "item_id": "varchar",
            "product_id": "varchar",
            "title": "varchar",
            "quantity": "integer",
            "currency": "varchar",
            "price_amount": MONEY,
            "discount_amount": MONEY,
            "tax_amount": MONEY,
            "line_total_amount": MONEY,
            "ordered_at": TIME,
            "business_date": "date",
            "record_id": "varchar",
        },
    ),
    "payments": (
        ("channel", "payment_id"),
        {
            "channel": "varchar",
            "payment_id": "varchar",
            "order_id": "varchar",
            "paid_at": TIME,
            "kind": "varchar",
            "status": "varchar",
            "gateway": "varchar",
            "currency": "varchar",
            "payment_amount": MONEY,
            "is_test": "boolean",
        },
    ),
    "refunds": (
        ("channel", "refund_id"),
        {
            "channel": "varchar",
            "refund_id": "varchar",
            "order_id": "varchar",
            "refunded_at": TIME,
            "business_date": "date",
            "currency": "varchar",
            "refund_amount": MONEY,
            "refund_tax_amount": MONEY,
            "refund_shipping_amount": MONEY,
            "refund_surcharge_amount": MONEY,
            "is_restocked": "boolean",
        },
    ),
    "refund_lines": (
        ("channel", "refund_id", "refund_line_id"),
        {
            "channel": "varchar",
            "refund_id": "varchar",
            "refund_line_id": "varchar",
            "order_id": "varchar",
            "line_id": "varchar",
            "item_id": "varchar",
            "quantity": "integer",
            "refund_amount": MONEY,
            "tax_amount": MONEY,
            "is_restocked": "boolean",
        },
    ),
    "fees": (
        ("channel", "fee_id"),
        {
            "channel": "varchar",
            "fee_id": "varchar",
            "source_entry_id": "varchar",
            "order_id": "varchar",
            "payout_id": "varchar",
            "fee_type": "varchar",
            "charged_at": TIME,
            "business_date": "date",
            "currency": "varchar",
            "fee_amount": MONEY,
        },
    ),
    "payouts": (
        ("channel", "payout_id"),
        {
            "channel": "varchar",
            "payout_id": "varchar",
            "issued_at": TIME,
            "business_date": "date",
            "status": "varchar",
            "currency": "varchar",
            "gross_amount": MONEY,
            "net_amount": MONEY,
        },
    ),
    "payout_lines": (
        ("channel", "transaction_id"),
        {
            "channel": "varchar",
            "payout_id": "varchar",
            "transaction_id": "varchar",
            "transaction_type": "varchar",
            "order_id": "varchar",
            "transacted_at": TIME,
            "is_test": "boolean",
            "currency": "varchar",
            "amount": MONEY,
            "fee_amount": MONEY,
            "net_amount": MONEY,
        },
    ),
    "items": (
        ("item_id",),
        {
            "item_id": "varchar",
            "title": "varchar",
            "category": "varchar",
            "era": "varchar",
            "maker": "varchar",
            "material": "varchar",
            "condition": "varchar",
            "acquired_date": "date",
            "first_seen_at": TIME,
            "updated_at": TIME,
        },
    ),
    "item_costs": (
        ("item_id", "seq"),
        {
            "item_id": "varchar",
            "seq": "integer",
            "kind": "varchar",
            "cost_date": "date",
            "currency": "varchar",
            "cost_amount": MONEY,
        },
    ),
    "listings": (
        ("channel", "listing_id", "valid_from"),
        {
            "channel": "varchar",
            "listing_id": "varchar",
            "item_id": "varchar",
            "title": "varchar",
            "state": "varchar",
            "price_amount": MONEY,
            "currency": "varchar",
            "quantity": "integer",
            "valid_from": TIME,
            "valid_to": TIME,
            "is_current": "boolean",
        },
    ),
    "inventory_levels": (
        ("channel", "inventory_key"),
        {
            "channel": "varchar",
            "inventory_key": "varchar",
            "location_id": "varchar",
            "item_id": "varchar",
            "available": "integer",
            "on_hand": "integer",
            "committed": "integer",
            "created_at": TIME,
            "updated_at": TIME,
        },
    ),
    "customers": (
        ("person_id",),
        {
            "person_id": "varchar",
            "first_seen_at": TIME,
            "last_seen_at": TIME,
            "country": "varchar",
            "postcode_area": "varchar",
            "locale": "varchar",
            "email_consent": "boolean",
            "channels": "varchar",
        },
    ),
    "shipments": (
        ("channel", "shipment_id"),
        {
            "channel": "varchar",
            "shipment_id": "varchar",
            "order_id": "varchar",
            "carrier": "varchar",
            "tracking_number": "varchar",
            "status": "varchar",
            "shipped_at": TIME,
            "promised_at": TIME,
            "first_scan_at": TIME,
            "delivered_at": TIME,
            "returned_at": TIME,
            "last_event_at": TIME,
        },
    ),
    "destinations": (
        ("stated_country", "postcode_area"),
        {
            "stated_country": "varchar",
            "postcode_area": "varchar",
            "country": "varchar",
            "region": "varchar",
            "latitude": "decimal(9,6)",
            "longitude": "decimal(9,6)",
            "spread_km": "decimal(9,1)",
            "distance_km": "decimal(9,1)",
        },
    ),
    "delivery_zones": (
        ("rule_id",),
        {
            "rule_id": "varchar",
            "carrier": "varchar",
            "ship_from_country": "varchar",
            "ship_from_prefix": "varchar",
            "country": "varchar",
            "postcode_prefix": "varchar",
            "min_km": "decimal(9,1)",
            "max_km": "decimal(9,1)",
            "zone": "varchar",
            "valid_from": "date",
            "valid_to": "date",
        },
    ),
    "sessions": (
        ("session_id",),
        {
            "session_id": "varchar",
            "visitor_id": "varchar",
            "started_at": TIME,
            "ended_at": TIME,
            "business_date": "date",
            "duration_seconds": "int",
            "event_count": "int",
            "page_views": "int",
            "entry_path": "varchar",
            "exit_path": "varchar",
            "referrer": "varchar",
            "utm_source": "varchar",
            "utm_medium": "varchar",
            "utm_campaign": "varchar",
            "is_bot": "boolean",
            "device": "varchar",
            "is_product_view": "boolean",
            "is_cart": "boolean",
            "is_checkout": "boolean",
            "is_purchase": "boolean",
            "is_bounce": "boolean",
            "order_count": "int",
            "order_id": "varchar",
            "country": "varchar",
            "region": "varchar",
        },
    ),
    "events": (
        ("event_id",),
        {
            "event_id": "varchar",
            "visitor_id": "varchar",
            "occurred_at": TIME,
            "event_name": "varchar",
            "item_id": "varchar",
            "order_id": "varchar",
            "is_bot": "boolean",
        },
    ),
    "ship_promises": (
        ("channel", "order_id"),
        {"channel": "varchar", "order_id": "varchar", "ship_by_at": TIME, "ordered_at": TIME},
    ),
    "listing_photos": (
        ("channel", "subject_id", "position"),
        {
            "channel": "varchar",
            "subject_id": "varchar",
            "position": "integer",
            "status": "varchar",
            "content_hash": "varchar",
        },
    ),
    "ad_spend": (
        ("business_date", "platform", "campaign", "currency"),
        {
            "business_date": "date",
            "platform": "varchar",
            "campaign": "varchar",
            "currency": "varchar",
            "spend_amount": MONEY,
            "impressions": "bigint",
            "clicks": "bigint",
        },
    ),
    "fx_daily": (
        ("rate_date", "currency"),
        {"rate_date": "date", "currency": "varchar", "fx_rate": "decimal(20,12)", "source_rate_date": "date"},
    ),
}

#: One row of a table: column -> anything DuckDB casts to the column's type. Columns left out are null.
Row = Mapping[str, object]


#: Tables that are views of an int_ table, which also has the rows that break a rule; here none does.
JUDGED = ("payments", "refunds", "fees")


@dataclass
class Silver:
    """The silver schema of one DuckDB file.

    Every call of :meth:`put` is one silver build: it replaces rows by key and stamps them ``built_at`` in the past of
    the dbt run that follows, but after every earlier build.
    """

    path: Path
    _last: datetime = field(default=datetime(2000, 1, 1, tzinfo=UTC))

    def create(self) -> None:
        """Make the empty tables, and the schemas next to them."""
        with duckdb.connect(str(self.path)) as con:
            for schema in ("bronze", "silver", "gold", "quarantine"):
                con.execute(f"create schema if not exists {schema}")
            for table, (_, columns) in TABLES.items():
                listed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
                con.execute(f"create or replace table silver.{table} ({listed}, built_at timestamptz)")
            for table in JUDGED:
                con.execute(f"create or replace view silver.int_{table} as select * from silver.{table}")

    def put(self, rows: Mapping[str, Sequence[Row]]) -> None:
        """Insert or replace ``rows`` (table -> rows) as one build."""
        self._last = max(datetime.now(UTC), self._last + timedelta(microseconds=1))
        with duckdb.connect(str(self.path)) as con:
            con.execute("set TimeZone = 'UTC'")
            for table, new in rows.items():
                keys, columns = TABLES[table]
                for row in new:
                    same = " and ".join(f"{key} = ?" for key in keys)
                    con.execute(f"delete from silver.{table} where {same}", [row[key] for key in keys])
                    marks = ", ".join("?" for _ in columns)
                    values = [row.get(name) for name in columns]
                    con.execute(f"insert into silver.{table} values ({marks}, ?)", [*values, self._last])

    def forget(self, table: str, **key: object) -> None:
        """Remove rows, as silver does when a newer version of their order no longer has them."""
        with duckdb.connect(str(self.path)) as con:
            same = " and ".join(f"{name} = ?" for name in key)
            con.execute(f"delete from silver.{table} where {same}", list(key.values()))
