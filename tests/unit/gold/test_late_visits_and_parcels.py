"""Late visits, corrected spend, news of parcels: a build on top of older ones gives what one of everything gives."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from .conftest import Gold
from .silver import Row, Silver
from .test_incremental import assert_same
from .world import line, order, rate

Rows = list[tuple[object, ...]]


def visit(session_id: str, visitor: str, at: str, until: str | None = None, **changes: object) -> Row:
    """A person's visit by phone that looks at a page, begun and ended at UTC times of March 2026."""
    return {
        "session_id": session_id,
        "visitor_id": visitor,
        "started_at": f"2026-03-{at}Z",
        "ended_at": f"2026-03-{until or at}Z",
        "business_date": f"2026-03-{at[:2]}",
        "duration_seconds": 60,
        "is_bot": False,
        "device": "phone",
        "is_product_view": True,
        "is_cart": False,
        "is_checkout": False,
        "is_purchase": False,
        "is_bounce": False,
        "order_count": 0,
        **changes,
    }


def campaign(name: str, source: str, medium: str) -> dict[str, object]:
    return {"utm_source": source, "utm_medium": medium, "utm_campaign": name}


def completion(order_id: str, visitor: str, at: str) -> Row:
    return {
        "event_id": f"done-{order_id}",
        "visitor_id": visitor,
        "occurred_at": f"2026-03-{at}Z",
        "event_name": "checkout_completed",
        "order_id": order_id,
        "is_bot": False,
    }


def spend(day: str, name: str, amount: str, currency: str = "EUR") -> Row:
    return {
        "business_date": f"2026-03-{day}",
        "platform": "google",
        "campaign": name,
        "currency": currency,
        "spend_amount": amount,
        "impressions": 100,
        "clicks": 10,
    }


def parcel(order_id: str, **changes: object) -> Row:
    return {
        "channel": "shopify",
        "shipment_id": f"s{order_id}",
        "order_id": order_id,
        "carrier": "An Post",
        "tracking_number": f"T{order_id}",
        "status": "in_transit",
        "shipped_at": "2026-03-04T10:00:00Z",
        **changes,
    }


def first_state(silver: Silver) -> None:
    """Three web orders; Ann and Bob come by the newsletter, Cleo directly."""
    mail = campaign("new-arrivals", "newsletter", "email")
    silver.put(
        {
            "orders": [order(n, f"2026-03-0{n}", person_id=f"p{n}", fulfilment_status="fulfilled") for n in "234"],
            "order_lines": [line(n, "1", f"item-{n}", f"2026-03-0{n}") for n in "234"],
            "sessions": [
                visit("a", "ann", "02T09:50:00", "02T10:00:00", is_cart=True, is_purchase=True, order_count=1, **mail),
                visit("b", "bob", "03T09:50:00", "03T10:00:00", is_cart=True, is_purchase=True, order_count=1, **mail),
                visit("c1", "cleo", "03T23:00:00", "03T23:30:00", is_cart=True),
                visit("c2", "cleo", "04T00:10:00", "04T10:00:00", is_cart=True, is_purchase=True, order_count=1),
                visit("m", "machine", "04T01:00:00", is_bot=True, device="machine"),
            ],
            "events": [completion(n, who, f"0{n}T10:00:00") for n, who in (("2", "ann"), ("3", "bob"), ("4", "cleo"))],
            "ad_spend": [spend("02", "brand", "10.00"), spend("03", "brand", "20.00", "USD")],
            "shipments": [parcel("2", first_scan_at="2026-03-04T18:00:00Z"), parcel("3"), parcel("4")],
            "fx_daily": [rate("2026-03-02", "0.9"), rate("2026-03-03", "0.9")],
        }
    )  # fmt: skip


def found(database: Path, sql: str) -> Rows:
    with duckdb.connect(str(database), read_only=True) as con:
        return con.execute(sql).fetchall()


@pytest.mark.long
def test_late_news(gold: Gold, new_silver: Callable[[], Silver], built_in_full: Callable[[Silver], Path]) -> None:
    silver = new_silver()
    first_state(silver)
    gold.run(silver.path)
    assert found(silver.path, "select last_campaign from gold.fct_attributions order by order_id") == [
        ("new-arrivals",), ("new-arrivals",), (None,)
    ]  # fmt: skip

    # A late event makes one of Cleo's two visits, which began the day before; a late visit of Ann's came by an
    # advertisement; what was spent is corrected; Bob's parcel is delivered late, and his order moves to another day.
    for session_id in ("c1", "c2"):
        silver.forget("sessions", session_id=session_id)
    bought: dict[str, object] = {"is_cart": True, "is_purchase": True, "order_count": 1}
    silver.put(
        {
            "sessions": [
                visit("c", "cleo", "03T23:00:00", "04T10:00:00", **bought),
                visit("a2", "ann", "02T09:00:00", **campaign("Brand", "google", "cpc")),
                visit("a", "ann", "02T09:50:00", "02T10:00:00", **bought),
            ],
            "ad_spend": [spend("02", "brand", "8.00"), spend("05", "brand", "1.00")],
            "orders": [order("3", "2026-02-20", person_id="p3", fulfilment_status="fulfilled")],
            "shipments": [parcel("3", status="delivered", first_scan_at="2026-03-05T10:00:00Z",
                                 delivered_at="2026-03-09T10:00:00Z")],
            "ship_promises": [
                {"channel": "shopify", "order_id": "2", "ship_by_at": "2026-03-04T09:00:00Z"}
            ],
        }
    )  # fmt: skip
    gold.run(silver.path)
    assert found(silver.path, "select order_id, last_campaign, touches from gold.fct_attributions order by all") == [
        ("2", "brand", 2), ("3", "new-arrivals", 1), ("4", None, 1)
    ]  # fmt: skip
    assert found(silver.path, "select business_date::varchar, sessions from gold.agg_daily_sessions order by all") == [
        ("2026-03-02", 2), ("2026-03-03", 2)
    ]  # fmt: skip
    # 105.00 / 8.00
    roas = (
        "select business_date::varchar, value from gold.agg_kpis where kpi = 'roas' and channel = 'all' and value > 0"
    )
    assert found(silver.path, roas) == [("2026-03-02", Decimal("13.125"))]
    full = built_in_full(silver)
    assert_same(gold, silver.path, full)

    # Nothing is written where nothing is new.
    gold.run(silver.path)
    assert_same(gold, silver.path, full)
    stamp = "where built_at = (select max(built_at) from gold.rpt_fulfilment_queue)"
    for name in ("agg_daily_sessions", "rpt_funnel", "fct_attributions", "fct_ad_spend", "agg_daily_campaigns",
                 "fct_order_fulfilments", "agg_kpis", "mkt_audience_members", "agg_weekly_demand"):  # fmt: skip
        assert found(silver.path, f"select count(*) from gold.{name} {stamp}") == [(0,)], name
