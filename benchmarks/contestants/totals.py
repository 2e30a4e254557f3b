"""What every contestant must come to: the same gold.

What belongs here: the sums that are compared. What does not: how the tables were made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

#: SQL over ``agg_daily_sales``, ``fct_orders`` and ``fct_order_lines``, named so in a schema ``gold``.
_TOTALS = """
SELECT 'orders' AS name, CAST(count(*) AS VARCHAR) AS value FROM gold.fct_orders
UNION ALL SELECT 'order total', CAST(sum(total_base) AS VARCHAR) FROM gold.fct_orders
UNION ALL SELECT 'order refunds', CAST(sum(refund_base) AS VARCHAR) FROM gold.fct_orders
UNION ALL SELECT 'order net', CAST(sum(net_base) AS VARCHAR) FROM gold.fct_orders
UNION ALL SELECT 'lines', CAST(count(*) AS VARCHAR) FROM gold.fct_order_lines
UNION ALL SELECT 'line gross', CAST(sum(gross_base) AS VARCHAR) FROM gold.fct_order_lines
UNION ALL SELECT 'line total', CAST(sum(line_total_base) AS VARCHAR) FROM gold.fct_order_lines
UNION ALL SELECT 'day by day', CAST(sum(CAST(hash(
    business_date, channel, CAST(orders AS BIGINT), CAST(units AS BIGINT), CAST(gross_base AS VARCHAR),
    CAST(discount_base AS VARCHAR), CAST(shipping_base AS VARCHAR), CAST(refund_base AS VARCHAR),
    CAST(net_base AS VARCHAR)
  ) AS HUGEINT)) AS VARCHAR) FROM gold.agg_daily_sales
"""


def totals(engine: duckdb.DuckDBPyConnection) -> dict[str, str]:
    """The totals of the gold tables in a DuckDB connection."""
    return dict(engine.execute(_TOTALS).fetchall())
