"""What the stock has to come to: sell-through, age, times to sell, return on what is in it.

What belongs here: figures of pieces in stock, day by day, each counted from the pieces themselves. What does not: the
facts (``truth_facts``), what was earned with them (``truth_finance``).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from retreasure_assets.sandbox.truth_facts import Facts
from retreasure_assets.sandbox.truth_finance import category_kpis
from retreasure_assets.sandbox.truth_ledger import ZERO, Row, business_date
from retreasure_assets.sandbox.world_types import Listing

_EIGHT = Decimal("1e-8")
_AGED = timedelta(days=91)


@dataclass(frozen=True, slots=True)
class _Spell:
    """A stretch of time that a piece is in stock: from ``opened`` until ``closed`` (None: it is still there)."""

    item_id: str
    category: str
    in_stock: date
    opened: date
    closed: date | None
    is_sold: bool
    cost: Decimal

    def is_open(self, day: date) -> bool:
        """Whether it is there when the day ends."""
        return self.opened <= day and (self.closed is None or self.closed > day)


def _movements(facts: Facts) -> dict[str, dict[date, int]]:
    """Item -> day -> pieces sold less pieces that came back into stock."""
    moved: dict[str, dict[date, int]] = {}

    def move(item_id: str, day: str, quantity: int) -> None:
        days = moved.setdefault(item_id, {})
        days[date.fromisoformat(day)] = days.get(date.fromisoformat(day), 0) + quantity

    sales = {(order["channel"], order["order_id"]) for order in facts.orders if order["is_sale"]}
    counted = {(refund["channel"], refund["refund_id"]) for refund in facts.refunds if refund["is_counted"]}
    for line in facts.order_lines:
        if (line["channel"], line["order_id"]) in sales:
            move(line["item_id"], line["business_date"], line["quantity"])
    for order in facts.world.orders:
        for refund in order.refunds:
            for back in refund.lines:
                if back.restock_type in ("RETURN", "CANCEL") and ("shopify", str(refund.refund_id)) in counted:
                    move(back.item_id, business_date(refund.at).isoformat(), -back.quantity)
    for receipt in facts.world.receipts:
        for returned in receipt.lines:
            if returned.kind == "return":
                move(returned.item_id, business_date(receipt.at).isoformat(), returned.quantity)
    return moved


def _withdrawn(listings: Sequence[Listing]) -> date | None:
    """The day on which a piece that nobody bought was taken out of the catalogue, as one whose payment is awaited is.

    A marketplace does not tell when a listing ended: with one of theirs the piece counts as there until that is seen.
    """
    last = [listing.versions[-1] for listing in listings]
    if any(listing.channel in ("etsy", "ebay") for listing in listings) or any(v.state == "active" for v in last):
        return None
    return max((business_date(version.at) for version in last), default=None)


def _spells(facts: Facts) -> Iterator[_Spell]:
    listings: dict[str, list[Listing]] = {}
    for listing in facts.world.listings:
        listings.setdefault(listing.item_id, []).append(listing)
    moved = _movements(facts)
    for item in facts.world.items:
        if item.item_id not in facts.shown_items:
            continue
        listed = listings.get(item.item_id, [])
        # Only the online shop's catalogue says when a piece was bought: elsewhere it is new when it is listed.
        bought = any(listing.channel == "shopify" for listing in listed)
        since = item.acquired_on if bought else business_date(item.listed_at)
        days = {since: 0, **moved.get(item.item_id, {})}
        cost = facts.item_cost(item.item_id) or ZERO
        out, opened = 0, None
        for day in sorted(days):
            out += days[day]
            if opened is None and (out <= 0 or day == min(days)):
                opened = day
            if opened is not None and out > 0:
                yield _Spell(item.item_id, item.category, min(since, opened), opened, day, True, cost)
                opened = None
        if opened is not None:
            left = _withdrawn(listed)
            closed = None if left is None else max(left, opened)
            yield _Spell(item.item_id, item.category, min(since, opened), opened, closed, False, cost)


def gone_items(facts: Facts) -> set[str]:
    """The pieces that a sale took out of stock and nothing brought back."""
    return {
        item_id for item_id, is_sold in {spell.item_id: spell.is_sold for spell in _spells(facts)}.items() if is_sold
    }


def _median_days(spells: Sequence[_Spell], day: date) -> int | None:
    """Kaplan-Meier, in exact fractions: the first day on which half or fewer are left."""
    times: dict[int, list[bool]] = {}
    for spell in spells:
        if spell.opened <= day:
            until = spell.closed if spell.closed is not None and spell.closed <= day else day
            times.setdefault((until - spell.opened).days, []).append(spell.is_sold and until == spell.closed)
    left, survival = sum(len(parts) for parts in times.values()), Fraction(1)
    for duration in sorted(times):
        survival *= 1 - Fraction(sum(times[duration]), left)
        left -= len(times[duration])
        if any(times[duration]) and survival <= Fraction(1, 2):
            return duration
    return None


def _figures(spells: Sequence[_Spell], day: date) -> Iterator[tuple[str, Decimal]]:
    opening = sum(spell.opened < day and (spell.closed is None or spell.closed >= day) for spell in spells)
    added = sum(spell.opened == day for spell in spells)
    if opening + added:
        yield (
            "sell_through",
            Decimal(sum(spell.is_sold and spell.closed == day for spell in spells)) / (opening + added),
        )
    cost = _cost(spells, day)
    if cost:
        aged = [spell for spell in spells if spell.in_stock + _AGED <= day]
        yield "aged_inventory_pct", _cost(aged, day) / cost
    median = _median_days(spells, day)
    if median is not None:
        yield "days_to_sell", Decimal(median)


def _cost(spells: Sequence[_Spell], day: date) -> Decimal:
    return sum((spell.cost for spell in spells if spell.is_open(day)), ZERO)


def _margins(facts: Facts) -> Mapping[tuple[date, str], Decimal]:
    """Day and category -> net revenue less what the pieces sold had cost."""
    found: dict[tuple[date, str], Decimal] = {}
    categories = {item.item_id: item.category for item in facts.world.items}
    sales = {(order["channel"], order["order_id"]) for order in facts.orders if order["is_sale"]}

    def add(day: str, category: str, amount: Decimal) -> None:
        key = (date.fromisoformat(day), category)
        found[key] = found.get(key, ZERO) + amount

    for row in category_kpis(facts):
        if row["kpi"] == "net_revenue" and row["channel"] == "all":
            add(row["business_date"], row["category"], row["value"])
    for line in facts.order_lines:
        if (line["channel"], line["order_id"]) in sales and line["item_cost_base"] is not None:
            add(line["business_date"], categories[line["item_id"]], -line["item_cost_base"])
    return found


def stock_kpis(facts: Facts, days: Sequence[str]) -> list[Row]:
    """Sell-through, aged share, median days to sell and GMROI, by category (``all`` too), over all channels.

    Args:
        facts: the facts of all channels.
        days: the days of sales (ISO dates): the figures are for every day from the first to the last.
    """
    if not days:
        return []
    first, last = date.fromisoformat(min(days)), date.fromisoformat(max(days))
    spells, margins = list(_spells(facts)), _margins(facts)
    names = sorted({spell.category for spell in spells})
    rows: list[Row] = []
    for category in ["all", *names]:
        of_category = [spell for spell in spells if category in ("all", spell.category)]
        margin, costs = ZERO, ZERO
        for number in range((last - first).days + 1):
            day = first + timedelta(days=number)
            margin += sum(
                (amount for (on, of), amount in margins.items() if on == day and category in ("all", of)), ZERO
            )
            costs += _cost(of_category, day)
            figures = list(_figures(of_category, day))
            if costs and number < 365:
                figures.append(("gmroi", margin * (number + 1) / costs))
            rows += [
                {
                    "business_date": day.isoformat(),
                    "channel": "all",
                    "category": category,
                    "kpi": kpi,
                    "value": value.quantize(_EIGHT, ROUND_HALF_UP),
                }
                for kpi, value in figures
            ]
    return rows
