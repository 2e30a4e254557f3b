"""What advertising cost and brought, and what customers are worth.

What belongs here: what gold's fct_ad_spend, fct_attributions, agg_daily_campaigns and mkt_segments must arrive at, and
the KPI of advertising. What does not: visits (``truth_clicks``) and sales (``truth_facts``).

People and browsers are told by no id here, as the platform's ids are pseudonyms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from retreasure_assets.sandbox.truth_facts import Facts
from retreasure_assets.sandbox.truth_ledger import ZERO, Row
from retreasure_assets.sandbox.truth_visits import Say
from retreasure_assets.sandbox.world_ads import Spend, spends
from retreasure_assets.sandbox.world_clicks import clicks

#: An order is owed to visits that began in so many days before it.
_WINDOW = timedelta(days=30)


def ad_spend(facts: Facts) -> list[Row]:
    """What every campaign cost on every day, as last told."""
    last: dict[tuple[date, str, str], Spend] = {}
    for spend in spends(facts.world):
        last[spend.day, spend.campaign.platform, spend.campaign.name] = spend
    return [
        facts.based(
            {
                "business_date": day.isoformat(),
                "platform": platform,
                "campaign": name.lower(),
                "currency": spend.campaign.currency,
                "spend_amount": spend.amount,
                "impressions": spend.impressions,
                "clicks": spend.clicks,
            },
            spend.campaign.currency,
            day,
            ["spend"],
        )
        for (day, platform, name), spend in sorted(last.items())
    ]


def attributions(facts: Facts, sessions: Iterable[Row]) -> list[Row]:
    """The first and the last visit that was not direct, of every web order that a visit completed."""
    visits: dict[str, list[Row]] = {}
    for session in sorted(sessions, key=lambda session: str(session["started_at"])):
        visits.setdefault(session["_visitor"], []).append(session)
    orders = {row["order_id"]: row for row in facts.orders if row["channel"] == "shopify"}
    rows = []
    for click in clicks(facts.world):
        if click.name != "checkout_completed" or click.order is None:
            continue
        order = orders[str(click.order.order_id)]
        near = [
            visit
            for visit in visits[click.visitor.anonymous_id]
            if click.at - _WINDOW < datetime.fromisoformat(visit["started_at"]) <= click.at
        ]
        telling = [visit for visit in near if visit["marketing_channel"] != "direct"] or near
        row = {name: order[name] for name in ("channel", "order_id", "business_date", "is_sale", "net_base")}
        for touch, visit in (("first", telling[0]), ("last", telling[-1])):
            row[f"{touch}_touch_at"] = visit["started_at"]
            row[f"{touch}_marketing_channel"] = visit["marketing_channel"]
            row[f"{touch}_source"] = visit["utm_source"]
            row[f"{touch}_campaign"] = visit["_campaign"]
        rows.append({**row, "touches": len(near)})
    return rows


def daily_campaigns(spent: Sequence[Row], owed: Iterable[Row]) -> list[Row]:
    """What a campaign cost and brought by day, and whether it was paid for in the 30 days that end on it."""
    rows: dict[tuple[str, str], Row] = {}

    def row_of(day: str, campaign: str) -> Row:
        paid = any(
            line["campaign"] == campaign and timedelta(0) <= date.fromisoformat(day) - _day(line) < _WINDOW
            for line in spent
        )
        empty = {"business_date": day, "campaign": campaign, "is_paid": paid, "spend_base": ZERO, "orders": 0}
        return rows.setdefault((day, campaign), {**empty, "net_base": ZERO})

    for line in spent:
        row_of(line["business_date"], line["campaign"])["spend_base"] += line["spend_base"]
    for order in owed:
        if order["is_sale"] and order["last_campaign"] is not None:
            row = row_of(order["business_date"], order["last_campaign"])
            row["orders"] += 1
            row["net_base"] += order["net_base"] or ZERO
    return [row for _, row in sorted(rows.items())]


def _day(row: Row) -> date:
    return date.fromisoformat(row["business_date"])


def marketing_kpis(days: Iterable[Row], say: Say) -> None:
    """Return on advertising spend by day: what paid campaigns brought in / what they cost."""
    sums: dict[str, list[Decimal]] = {}
    for row in days:
        if row["is_paid"]:
            total = sums.setdefault(row["business_date"], [ZERO, ZERO])
            total[0] += row["net_base"]
            total[1] += row["spend_base"]
    for day, (brought, cost) in sorted(sums.items()):
        if cost:
            for channel in ("shopify", "all"):
                say(day, channel, "roas", brought / cost)


def segments(facts: Facts, as_of: date) -> list[Row]:
    """Everybody who bought: recency, frequency and money, each with its fifth, and the margin they brought so far."""
    bought: dict[str, list[Row]] = {}
    for order in facts.orders:
        buyer = facts.buyers.get((order["channel"], order["order_id"]))
        if buyer is not None and order["is_sale"]:
            bought.setdefault(buyer, []).append(order)
    people = [
        {
            "recency_days": (as_of - max(_day(order) for order in orders)).days,
            "orders": len(orders),
            "net_revenue_base": _sum(orders, "net_base"),
            "lifetime_value_base": sum(
                (order["net_base"] - order["item_cost_base"] - order["fee_base"] for order in orders), ZERO
            ),
        }
        for orders in bought.values()
    ]
    for name, value, sign in (
        ("recency_score", "recency_days", -1),
        ("frequency_score", "orders", 1),
        ("monetary_score", "net_revenue_base", 1),
    ):
        values = sorted(sign * person[value] for person in people)
        fifths = {each: 1 + 5 * values.index(each) // len(values) for each in set(values)}
        for person in people:
            person[name] = fifths[sign * person[value]]
    return people


def _sum(orders: Iterable[Row], name: str) -> Decimal:
    return sum((order[name] for order in orders), ZERO)
