"""What the world's visits add up to: a day's figures and the funnel.

What belongs here: what gold.agg_daily_sessions and gold.rpt_funnel must arrive at, and the KPIs of visits. What does
not: the sessions (``truth_clicks``). Machines' sessions count nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from decimal import Decimal
from statistics import median

from retreasure_assets.sandbox.truth_ledger import Row

#: Takes a day, a channel, the name of a KPI and its value.
Say = Callable[[str, str, str, Decimal], None]


def daily_sessions(sessions: Iterable[Row]) -> list[Row]:
    """One row for every day on which a person's visit began."""
    rows = []
    for (day,), visits in _grouped(sessions, "business_date"):
        rows.append(
            {
                "business_date": day,
                **_steps(visits),
                "cart_purchase_sessions": sum(visit["is_cart"] and visit["is_purchase"] for visit in visits),
                "bounce_sessions": sum(visit["is_bounce"] for visit in visits),
                "median_duration_seconds": Decimal(str(median(visit["duration_seconds"] for visit in visits))),
            }
        )
    return rows


def funnel(sessions: Iterable[Row]) -> list[Row]:
    """One row for every day, marketing channel and device."""
    return [
        {
            **dict(zip(("business_date", "marketing_channel", "device"), key, strict=True)),
            **_steps(visits),
            "abandoned_carts": sum(visit["is_cart"] and not visit["is_purchase"] for visit in visits),
            "abandoned_checkouts": sum(visit["is_checkout"] and not visit["is_purchase"] for visit in visits),
        }
        for key, visits in _grouped(sessions, "business_date", "marketing_channel", "device")
    ]


def visit_kpis(days: Iterable[Row], say: Say) -> None:
    """Conversion, duration, bounce and abandonment of every day, of the web shop and of all channels alike."""
    for day in days:
        for channel in ("shopify", "all"):
            whole = Decimal(day["sessions"])
            say(day["business_date"], channel, "conversion_rate", day["purchase_sessions"] / whole)
            say(day["business_date"], channel, "bounce_rate", day["bounce_sessions"] / whole)
            say(day["business_date"], channel, "session_duration_median", day["median_duration_seconds"])
            if day["cart_sessions"]:
                bought = Decimal(day["cart_purchase_sessions"])
                say(day["business_date"], channel, "cart_abandonment_rate", 1 - bought / day["cart_sessions"])


def _steps(visits: list[Row]) -> Row:
    return {
        "sessions": len(visits),
        "product_view_sessions": sum(visit["is_product_view"] for visit in visits),
        "cart_sessions": sum(visit["is_cart"] for visit in visits),
        "checkout_sessions": sum(visit["is_checkout"] for visit in visits),
        "purchase_sessions": sum(visit["is_purchase"] for visit in visits),
        "orders": sum(visit["order_count"] for visit in visits),
    }


def _grouped(sessions: Iterable[Row], *names: str) -> list[tuple[tuple[str, ...], list[Row]]]:
    groups: dict[tuple[str, ...], list[Row]] = {}
    for session in sessions:
        if not session["is_bot"]:
            groups.setdefault(tuple(session[name] for name in names), []).append(session)
    return sorted(groups.items())
