"""Oversells: sales of a one-of-a-kind piece while an earlier sale still held it.

What belongs here: finding them in the facts of all channels. What does not: the facts (``truth_facts``), figures per
day (``truth``).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from retreasure_assets.sandbox.truth_ledger import Ledger, Row


@dataclass(slots=True)
class _Hold:
    """A sale that holds a piece, from ``since`` until ``until`` (ISO 8601, UTC; None while it does)."""

    channel: str
    order_id: str
    line_id: str
    business_date: str
    since: str
    until: str | None


def oversells(facts: Ledger) -> list[Row]:
    """Every oversell, as gold's rpt_oversells tells of them (channel, order, line, item, day and what held the piece).

    A sale holds its piece until it is cancelled or the piece is back in stock; a return over the counter ends the sales
    at the till before it.
    """
    several = {item.item_id for item in facts.world.items if item.stock > 1}
    rows: list[Row] = []
    for item_id, holds in _holds(facts).items():
        if item_id in several:
            continue
        holds.sort(key=lambda hold: (hold.since, hold.channel, hold.order_id, hold.line_id))
        for position, later in enumerate(holds):
            holding = next((h for h in holds[:position] if h.until is None or h.until > later.since), None)
            if holding is not None:
                rows.append(
                    {
                        "channel": later.channel,
                        "order_id": later.order_id,
                        "line_id": later.line_id,
                        "item_id": item_id,
                        "business_date": later.business_date,
                        "ordered_at": later.since,
                        "holding_channel": holding.channel,
                        "holding_order_id": holding.order_id,
                    }
                )
    return sorted(rows, key=lambda row: (row["ordered_at"], row["channel"], row["order_id"], row["line_id"]))


def _holds(facts: Ledger) -> dict[str, list[_Hold]]:
    """The sales of every item."""
    orders = {(order["channel"], order["order_id"]): order for order in facts.orders}
    found: dict[str, list[_Hold]] = {}
    for line in facts.order_lines:
        order = orders[line["channel"], line["order_id"]]
        if order["is_sale"] and line["item_id"] is not None:
            hold = _Hold(
                line["channel"], line["order_id"], line["line_id"], line["business_date"], order["ordered_at"], None
            )
            hold.until = min(_ends(facts, order, line, hold), default=None)
            found.setdefault(line["item_id"], []).append(hold)
    return found


def _ends(facts: Ledger, order: Row, line: Row, hold: _Hold) -> Iterator[str]:
    if order["cancelled_at"] is not None:
        yield order["cancelled_at"]
    for back in facts.restocks.get(line["item_id"], []):
        if back.channel != hold.channel:
            continue
        names_this = (back.order_id, back.line_id) == (hold.order_id, hold.line_id)
        if names_this or (back.line_id is None and back.at >= hold.since):
            yield back.at
