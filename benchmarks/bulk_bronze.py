"""Bronze of a large shop, made in bulk: a year of Shopify orders with fees, payouts and visitors' clicks.

What belongs here: bronze tables of millions of records in the form that the bronze writer gives, in a minute. What does
not: measuring (full_rebuild.py), and records to ingest (records/): here bronze is what is given.

Some orders are written by the platform's own bronze writer, so that they are masked as it masks them. Each is then
copied under other numbers, pieces and days. What dbt never reads, the sealed bytes, is left out.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa

from benchmarks.records.orders import orders_of
from benchmarks.records.plan import LAST_DAY, Plan, day_of
from benchmarks.records.rates import rates
from retreasure_assets.entities import RawBatch
from retreasure_assets.lake.appending import append
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.rows import SCHEMA
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import load_settings

if TYPE_CHECKING:
    import duckdb

DAYS = 365
#: Events of one visit, each another step towards an order.
CLICKS_A_VISIT = 5
_TEMPLATES = 1_000
_PERSONS = 200_000
#: Orders of a batch; its files are about as large as those of the bronze writer.
_BATCH = 20_000
_RATES, _ORDERS = "fx_ecb_rates", "shopify_orders"

#: The columns of bronze that every table has alike; each of the texts below makes the others.
_COMMON = """
    SELECT
        md5(natural_key) AS record_id, '{source}' AS source, '{entity}' AS entity, natural_key, source_updated_at,
        payload, CAST(NULL AS BLOB) AS sealed, sha256(natural_key) AS payload_sha256, person_id,
        CAST('{ingested_at}' AS TIMESTAMPTZ) AS ingested_at, CAST('{ingested_at}' AS DATE) AS ingest_date,
        '{batch}' AS batch_id, 'benchmark' AS run_id, 'benchmark' AS origin
    FROM ({rows})
"""

#: Orders first ... last - 1. An order's number has 11 digits, a line's begin with it; a piece's number has 12.
_COPIES = f"""
    SELECT
        n, moved, total, person,
        replace(replace(replace(replace(
            payload, template_number, number), template_day, CAST(day AS VARCHAR)),
            first_piece, lpad(CAST(2 * n AS VARCHAR), 12, '0')), second_piece, lpad(CAST(2 * n + 1 AS VARCHAR), 12, '0')
        ) AS payload
    FROM (
        SELECT
            *,
            CAST(10000000000 + n AS VARCHAR) AS number,
            CAST('{LAST_DAY}' AS DATE) - CAST(n % {DAYS} AS INTEGER) AS day,
            source_updated_at - to_days(CAST(n % {DAYS} AS INTEGER)) AS moved,
            'p_' || md5(CAST(n % {_PERSONS} AS VARCHAR)) AS person
        FROM range({{first}}, {{last}}) AS numbers (n)
        INNER JOIN templates ON templates.place = n % (SELECT count(*) FROM templates)
    )
"""

_ORDER_ROWS = """
    SELECT 'gid://shopify/Order/' || (10000000000 + n) AS natural_key, moved AS source_updated_at, payload,
        person AS person_id
    FROM ({copies})
"""

_FEE_ROWS = """
    SELECT
        'gid://shopify/ShopifyPaymentsBalanceTransaction/' || (10000000000 + n) AS natural_key,
        moved AS source_updated_at,
        CAST(NULL AS VARCHAR) AS person_id,
        concat(
            '{{"id":"gid://shopify/ShopifyPaymentsBalanceTransaction/', 10000000000 + n, '","type":"CHARGE",',
            '"test":false,"transactionDate":"', strftime(moved, '%Y-%m-%dT%H:%M:%SZ'),
            '","amount":{{"amount":"', total, '","currencyCode":"EUR"}},"fee":{{"amount":"', fee,
            '","currencyCode":"EUR"}},"net":{{"amount":"', total - fee, '","currencyCode":"EUR"}},',
            '"associatedOrder":{{"id":"gid://shopify/Order/', 10000000000 + n, '"}},',
            '"associatedPayout":{{"id":"gid://shopify/ShopifyPaymentsPayout/', strftime(moved, '%Y%m%d'),
            '","status":"PAID"}}}}'
        ) AS payload
    FROM (SELECT *, CAST(round(total * 0.014 + 0.25, 2) AS DECIMAL(18, 2)) AS fee FROM ({copies}))
"""

_PAYOUT_ROWS = """
    SELECT
        'gid://shopify/ShopifyPaymentsPayout/' || number AS natural_key,
        issued AS source_updated_at,
        CAST(NULL AS VARCHAR) AS person_id,
        concat(
            '{{"id":"gid://shopify/ShopifyPaymentsPayout/', number, '","legacyResourceId":"', number,
            '","issuedAt":"', strftime(issued, '%Y-%m-%dT%H:%M:%SZ'),
            '","status":"PAID","transactionType":"DEPOSIT","gross":{{"amount":"', gross,
            '","currencyCode":"EUR"}},"net":{{"amount":"', gross - fees, '","currencyCode":"EUR"}}}}'
        ) AS payload
    FROM (
        SELECT
            strftime(moved, '%Y%m%d') AS number,
            date_trunc('day', moved) + INTERVAL 2 DAY AS issued,
            sum(total) AS gross,
            sum(CAST(round(total * 0.014 + 0.25, 2) AS DECIMAL(18, 2))) AS fees
        FROM (
            SELECT total, source_updated_at - to_days(CAST(n % {days} AS INTEGER)) AS moved
            FROM range({orders}) AS numbers (n)
            INNER JOIN templates ON templates.place = n % (SELECT count(*) FROM templates)
        )
        GROUP BY ALL
    )
"""

#: Event n is step n % 5 of visit n // 5. Every fifth visit ends in the order of its number.
_CLICK_ROWS = f"""
    SELECT
        md5('event' || n) AS natural_key,
        clicked_at AS source_updated_at,
        'p_' || md5('visitor' || visitor) AS person_id,
        concat(
            '{{{{"event_id":"', md5('event' || n), '","provider":"segment","event_type":"track","event_name":"',
            ['Page Viewed', 'Product Viewed', 'Product Added', 'Checkout Started',
             CASE WHEN visit % 5 = 0 THEN 'Order Completed' ELSE 'Product Viewed' END][step + 1],
            '","anonymous_id":"', md5('visitor' || visitor), '","page_path":"/products/rt-', visit,
            '","referrer":"https://www.google.com/","utm_source":"google","utm_medium":"cpc","utm_campaign":"brand-search",',
            '"item_id":"RT-', lpad(CAST(2 * visit AS VARCHAR), 12, '0'), '",',
            CASE WHEN step = 4 AND visit % 5 = 0 THEN concat('"order_id":"', 10000000000 + visit, '",') ELSE '' END,
            '"ip":"203.0.113.0","user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",',
            '"original_at":"', told, '","sent_at":"', told, '","timestamp":"', told, '","received_at":"', told, '"}}}}'
        ) AS payload
    FROM (
        SELECT *, strftime(clicked_at, '%Y-%m-%dT%H:%M:%SZ') AS told
        FROM (
            SELECT
                n,
                n % {CLICKS_A_VISIT} AS step,
                n // {CLICKS_A_VISIT} AS visit,
                n // {CLICKS_A_VISIT} % 300000 AS visitor,
                CAST('{LAST_DAY} 08:00:00+00' AS TIMESTAMPTZ) - to_days(CAST(n // {CLICKS_A_VISIT} % {DAYS} AS INTEGER))
                    + to_seconds(n // {CLICKS_A_VISIT} * 7919 % 50000 + n % {CLICKS_A_VISIT} * 40) AS clicked_at
            FROM range({{first}}, {{last}}) AS numbers (n)
        )
    )
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How much to make.

    Args:
        orders: Shopify orders, each with its lines and its fee; a payout a day.
        clicks: visitors' events.
    """

    orders: int
    clicks: int


def write(size: Size, home: Path) -> Path:
    """Make a state folder with bronze of that size, unless it is there.

    Args:
        size: how much.
        home: the state folder.
    """
    if home.exists():
        return home
    part = home.with_name(f".{home.name}.part")
    shutil.rmtree(part, ignore_errors=True)
    platform = Platform(load_settings().model_copy(update={"home": part.absolute()}))
    plan = Plan(days=1, orders=_TEMPLATES, till_lines=0)
    _ingest(platform, _RATES, list(rates(Plan(DAYS, 1, 1))))
    # The vault of the copied orders is nobody's: their templates are written beside, and only read.
    beside = Platform(load_settings().model_copy(update={"home": part.absolute() / "templates"}))
    _ingest(beside, _ORDERS, list(orders_of(plan, 0)))
    templates = beside.lake.table("bronze", _ORDERS).to_pyarrow_table(columns=["payload", "source_updated_at"])
    _multiply(platform, templates, size, str(day_of(plan, 0)))
    shutil.rmtree(part / "templates")
    part.rename(home)
    return home


def _ingest(platform: Platform, table: str, records: list[bytes]) -> None:
    writer = BronzeWriter(platform.lake, platform.vault)
    origins = [f"benchmark:{number}" for number in range(len(records))]
    writer.write(RawBatch(platform.entities[table], records, origins), run_id="benchmark")


def _multiply(platform: Platform, templates: pa.Table, size: Size, day: str) -> None:
    import duckdb

    with duckdb.connect() as engine:
        engine.execute("SET TimeZone = 'UTC'")
        engine.register("written", templates)
        engine.execute(
            f"""
            CREATE TABLE templates AS
            SELECT
                payload,
                source_updated_at,
                row_number() OVER (ORDER BY payload) - 1 AS place,
                json_extract_string(payload, '$.legacyResourceId') AS template_number,
                '{day}' AS template_day,
                json_extract_string(payload, '$.lineItems.nodes[0].sku')[4:] AS first_piece,
                coalesce(json_extract_string(payload, '$.lineItems.nodes[1].sku')[4:], 'no second') AS second_piece,
                CAST(json_extract_string(payload, '$.totalPriceSet.shopMoney.amount') AS DECIMAL(18, 2)) AS total
            FROM written
            WHERE json_array_length(payload, '$.refunds') = 0
                AND json_extract_string(payload, '$.displayFinancialStatus') = 'PAID'
                AND NOT CAST(json_extract_string(payload, '$.test') AS BOOLEAN)
            QUALIFY row_number() OVER (PARTITION BY template_number ORDER BY payload) = 1
            """
        )
        for table, rows, count, batch in (
            (_ORDERS, _ORDER_ROWS, size.orders, _BATCH),
            ("shopify_balance_transactions", _FEE_ROWS, size.orders, 10 * _BATCH),
            ("shopify_payouts", _PAYOUT_ROWS, 1, 1),
            ("clickstream_events", _CLICK_ROWS, size.clicks, 10 * _BATCH),
        ):
            _append(platform, engine, table, rows, _spans(count, batch), size)


def _spans(count: int, batch: int) -> Iterator[tuple[int, int]]:
    return ((first, min(first + batch, count)) for first in range(0, count, batch))


def _append(
    platform: Platform,
    engine: duckdb.DuckDBPyConnection,
    table: str,
    rows: str,
    spans: Iterator[tuple[int, int]],
    size: Size,
) -> None:
    entity, read = platform.entities[table], None
    begin = datetime(LAST_DAY.year, LAST_DAY.month, LAST_DAY.day, tzinfo=UTC) + timedelta(days=1)
    for number, (first, last) in enumerate(spans):
        copies = _COPIES.format(first=first, last=last)
        made = rows.format(copies=copies, first=first, last=last, orders=size.orders, days=DAYS)
        query = _COMMON.format(
            source=entity.source,
            entity=entity.name,
            # A batch is ingested after another.
            ingested_at=(begin + timedelta(seconds=number)).isoformat(),
            batch=f"{table}-{number}",
            rows=made,
        )
        batch = engine.sql(query).to_arrow_table().cast(SCHEMA)
        read = append(
            platform.lake,
            "bronze",
            table,
            batch,
            partition_by="ingest_date",
            metadata={"batch_id": f"{table}-{number}"},
            read=read,
        )
