"""What had to be sent, when it was sent and how long it took, and what came back.

What belongs here: what gold's fct_order_fulfilments, rpt_fulfilment_queue, agg_daily_shipping, agg_daily_deliveries and
agg_daily_returns must arrive at, and their KPIs. What does not: parcels' journeys (``truth_tracking``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil

from retreasure_assets.sandbox.truth_facts import Facts
from retreasure_assets.sandbox.truth_ledger import Row, business_date, utc
from retreasure_assets.sandbox.truth_visits import Say
from retreasure_assets.sandbox.world_ebay_ledger import ebay_business
from retreasure_assets.sandbox.world_etsy import etsy_shop
from retreasure_assets.sandbox.world_square import SquareBooks
from retreasure_assets.sandbox.world_tracking import journeys

#: From the order until it has to be sent: eBay's and Etsy's promise in this world, and the shop's own.
_SHIP_WITHIN = timedelta(days=3)
_FIRST_SCAN_WITHIN = timedelta(days=2)
_SCAN_EVERY = timedelta(days=5)


@dataclass(frozen=True, slots=True)
class _Parcel:
    """A parcel as far as anybody tells; times are None while nobody does."""

    tracked: bool
    shipped_at: datetime | None = None
    first_scan_at: datetime | None = None
    arrived: bool = False
    promised_at: datetime | None = None
    last_event_at: datetime | None = None


def order_fulfilments(facts: Facts, shipments: Iterable[Row]) -> list[Row]:
    """One row for every order that has to be sent.

    Args:
        facts: the world's facts.
        shipments: the online shop's parcels (``truth_tracking``).
    """
    parcels = _parcels(facts, shipments)
    return [
        _fulfilment(order, parcels.get((order["channel"], order["order_id"]), []))
        for order in facts.orders
        if order["channel"] != "pos"
    ]


def _parcels(facts: Facts, shipments: Iterable[Row]) -> dict[tuple[str, str], list[_Parcel]]:
    found: dict[tuple[str, str], list[_Parcel]] = {}
    told = {
        str(journey.parcel.fulfilment_id): (max(scan.at for scan in journey.scans), journey.parcel.estimated_at)
        for journey in journeys(facts.world)
        if journey.scans
    }
    for row in shipments:
        last, promised = told.get(row["shipment_id"], (None, None))
        parcel = _Parcel(
            tracked=row["tracking_number"] is not None,
            shipped_at=_time(row["shipped_at"]),
            first_scan_at=_time(row["first_scan_at"]),
            arrived=(row["delivered_at"] or row["returned_at"]) is not None,
            promised_at=promised,
            last_event_at=last,
        )
        found.setdefault(("shopify", row["order_id"]), []).append(parcel)
    for receipt in etsy_shop(facts.world).receipts:
        found["etsy", str(receipt.receipt_id)] = [_Parcel(True, parcel.at) for parcel in receipt.parcels]
    for order in ebay_business(facts.world).orders:
        found["ebay", order.order_id] = [_Parcel(True, parcel.at) for parcel in order.parcels]
    return found


def _fulfilment(order: Row, parcels: list[_Parcel]) -> Row:
    ordered = datetime.fromisoformat(order["ordered_at"])
    due, sent = ordered + _SHIP_WITHIN, order["fulfilment_status"] == "fulfilled"
    shipped = None
    if sent and parcels:
        times = [parcel.shipped_at for parcel in parcels if parcel.shipped_at is not None]
        shipped = max(times) if len(times) == len(parcels) else None
    waiting = [parcel for parcel in parcels if not parcel.arrived]
    return {
        "channel": order["channel"],
        "order_id": order["order_id"],
        "parcels": len(parcels),
        "stage": _stage(order, sent, parcels),
        "ship_by_at": utc(due),
        "ship_by_date": business_date(due).isoformat(),
        "shipped_at": utc(shipped),
        "is_on_time": None if shipped is None else shipped <= due,
        "_due": due,
        "_shipped": shipped,
        "_promised": min((p.promised_at for p in waiting if p.promised_at is not None), default=None),
        "_last": min((p.last_event_at for p in waiting if p.last_event_at is not None), default=None),
    }


def _stage(order: Row, sent: bool, parcels: list[_Parcel]) -> str:
    refunded = not sent and order["payment_status"] == "refunded"
    if not order["is_sale"] or order["cancelled_at"] is not None or refunded:
        return "cancelled"
    if not sent:
        return "to_ship"
    if parcels and all(parcel.arrived for parcel in parcels):
        return "arrived"
    tracked = [parcel for parcel in parcels if parcel.tracked]
    if not tracked:
        return "untracked"
    return "under_way" if sum(p.first_scan_at is not None for p in parcels) >= len(tracked) else "to_scan"


def queue(facts: Facts, fulfilments: Iterable[Row]) -> list[Row]:
    """What somebody has to see to, with the clock that runs out first."""
    now = _known_until(facts)
    rows = []
    for order in fulfilments:
        clocks = dict(_clocks(order))
        if order["stage"] in ("to_ship", "to_scan", "under_way"):
            name = min(clocks, key=clocks.__getitem__) if clocks else None
            rows.append(
                {
                    "channel": order["channel"],
                    "order_id": order["order_id"],
                    "stage": order["stage"],
                    "as_of_at": utc(now),
                    "next_clock": name,
                    "due_at": utc(clocks[name]) if name else None,
                    "is_ship_overdue": "ship" in clocks and clocks["ship"] < now,
                    "is_scan_overdue": "first_scan" in clocks and clocks["first_scan"] < now,
                    "is_delivery_overdue": "delivery" in clocks and clocks["delivery"] < now,
                    "is_silent": "silence" in clocks and clocks["silence"] < now,
                }
            )
    return rows


def _clocks(order: Row) -> Iterator[tuple[str, datetime]]:
    stage = order["stage"]
    if stage == "to_ship":
        yield "ship", order["_due"]
    if stage == "to_scan" and order["_shipped"] is not None:
        yield "first_scan", order["_shipped"] + _FIRST_SCAN_WITHIN
    if stage in ("to_scan", "under_way") and order["_promised"] is not None:
        yield "delivery", order["_promised"]
    if stage == "under_way" and order["_last"] is not None:
        yield "silence", order["_last"] + _SCAN_EVERY


def _known_until(facts: Facts) -> datetime:
    return max(datetime.fromisoformat(order["ordered_at"]) for order in facts.orders)


def daily_shipping(facts: Facts, fulfilments: Iterable[Row]) -> list[Row]:
    """Punctuality by the day on which orders had to be sent."""
    now = _known_until(facts)
    rows: dict[tuple[str, str], Row] = {}
    for order in fulfilments:
        if order["stage"] == "cancelled":
            continue
        if order["stage"] == "to_ship":
            name = "overdue_orders" if order["_due"] < now else "waiting_orders"
        else:
            name = "on_time_orders" if order["is_on_time"] else "late_orders"
        for channel in (order["channel"], "all"):
            empty = dict.fromkeys(("on_time_orders", "late_orders", "overdue_orders", "waiting_orders"), 0)
            key = (order["ship_by_date"], channel)
            rows.setdefault(key, {"business_date": key[0], "channel": channel, **empty})[name] += 1
    return [row for _, row in sorted(rows.items())]


def daily_deliveries(shipments: Iterable[Row]) -> list[Row]:
    """Days that parcels took, by the day of their delivery and by zone: percentiles by nearest rank."""
    days: dict[tuple[str, str, str], list[int]] = {}
    for row in shipments:
        if row["carrier"] is not None and row["delivery_days"] is not None:
            for channel in ("shopify", "all"):
                for zone in (row["zone"] or "unknown", "all"):
                    days.setdefault((row["delivered_date"], channel, zone), []).append(row["delivery_days"])
    return [
        {
            **dict(zip(("business_date", "channel", "zone"), key, strict=True)),
            "shipments": len(taken),
            "delivery_days_p50": _nearest(taken, Fraction(1, 2)),
            "delivery_days_p90": _nearest(taken, Fraction(9, 10)),
        }
        for key, taken in sorted(days.items())
    ]


def _nearest(values: list[int], share: Fraction) -> int:
    return sorted(values)[ceil(share * len(values)) - 1]


def daily_returns(facts: Facts) -> list[Row]:
    """Units sold on a day, and those of them that came back by now and of which the refund names the sale."""
    back = _units_back(facts)
    sales = {(order["channel"], order["order_id"]) for order in facts.orders if order["is_sale"]}
    rows: dict[tuple[str, str], Row] = {}
    for line in facts.order_lines:
        if (line["channel"], line["order_id"]) not in sales:
            continue
        for channel in (line["channel"], "all"):
            key = (line["business_date"], channel)
            empty = {"business_date": key[0], "channel": channel, "units_sold": 0, "units_returned": 0}
            row = rows.setdefault(key, empty)
            row["units_sold"] += line["quantity"]
            row["units_returned"] += back.get((line["channel"], line["order_id"], line["line_id"]), 0)
    return [row for _, row in sorted(rows.items())]


def _units_back(facts: Facts) -> dict[tuple[str, str, str], int]:
    """Units given back by sale line. eBay names the line and the money: all of the price is all of the piece."""
    back: dict[tuple[str, str, str], int] = {}

    def add(channel: str, order_id: str, line_id: str, quantity: int) -> None:
        key = (channel, order_id, line_id)
        back[key] = back.get(key, 0) + quantity

    for order in facts.world.orders:
        for refund in order.refunds:
            for line in refund.lines:
                add("shopify", str(order.order_id), str(line.line_id), line.quantity)
    for sold in ebay_business(facts.world).orders:
        prices = {line.line_id: line.cost - line.discount for line in sold.lines}
        for given in sold.refunds:
            for line_id, amount in given.lines:
                add("ebay", sold.order_id, line_id, int(amount >= prices[line_id]))
    for row in facts.refund_lines:
        # Etsy's refunds are numbered within their receipt.
        add(row["channel"], row["refund_id"].rpartition(":")[0], row["line_id"], row["quantity"])
    for sale in SquareBooks(facts.world).sales:
        for taken in sale.returns:
            for piece in taken.receipt.lines:
                add("pos", sale.order_id, f"line-{taken.sold(piece).line_id}", -piece.quantity)
    return back


def fulfilment_kpis(shipping: Iterable[Row], deliveries: Iterable[Row], returns: Iterable[Row], say: Say) -> None:
    """Punctuality, days to deliver over all zones, and returns, by day and channel."""
    for row in shipping:
        due = row["on_time_orders"] + row["late_orders"] + row["overdue_orders"]
        if due:
            say(row["business_date"], row["channel"], "on_time_ship_rate", Decimal(row["on_time_orders"]) / due)
    for row in deliveries:
        if row["zone"] == "all":
            for name in ("delivery_days_p50", "delivery_days_p90"):
                say(row["business_date"], row["channel"], name, Decimal(row[name]))
    for row in returns:
        say(row["business_date"], row["channel"], "return_rate", Decimal(row["units_returned"]) / row["units_sold"])


def _time(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
