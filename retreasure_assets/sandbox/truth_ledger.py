"""How facts are written down: rows, rates, rounding.

What belongs here: what facts of every channel have in common. What does not: any channel's facts (``truth_facts``).

Rules: amounts as charged, without tax except where the name says tax or total; ``*_base`` in EUR at the last ECB rate
on or before the event's business date, each row rounded to four decimals, halves away from zero.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any
from zoneinfo import ZoneInfo

from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_fx import FxTable

#: A row with gold's column names. What begins with an underscore is for reckoning only and is not handed out.
Row = dict[str, Any]

BUSINESS_ZONE = ZoneInfo("Europe/Dublin")
ZERO = Decimal(0)

_FOUR = Decimal("0.0001")
TWELVE = Decimal("1e-12")


def four(amount: Decimal) -> Decimal:
    """To four decimals, halves away from zero."""
    return amount.quantize(_FOUR, ROUND_HALF_UP)


def business_date(at: datetime) -> date:
    """The day in the business's zone."""
    return at.astimezone(BUSINESS_ZONE).date()


def utc(at: datetime | None) -> str | None:
    """ISO 8601 in UTC; None stays None."""
    return None if at is None else at_utc(at)


def at_utc(at: datetime) -> str:
    """ISO 8601 in UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def person_name(number: int) -> str:
    """What a person of the world is called wherever an account or an e-mail address tells who it is."""
    return f"person {number}"


@dataclass(frozen=True, slots=True)
class Restock:
    """A piece that came back into stock at ``at`` (ISO 8601, UTC); no line id where nothing says which sale it was."""

    channel: str
    order_id: str | None
    line_id: str | None
    at: str


class Ledger:
    """The rows of a world, filled by its subclasses; money is Decimal.

    Args:
        world: the world, as of its clock.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._fx = FxTable(world.fx)
        self._items = {item.item_id: item for item in world.items}
        self.orders: list[Row] = []
        self.order_lines: list[Row] = []
        self.refunds: list[Row] = []
        #: The lines that refunds are of, as silver.refund_lines has them, of the channels that reckon them.
        self.refund_lines: list[Row] = []
        self.payments: list[Row] = []
        self.fees: list[Row] = []
        self.payouts: list[Row] = []
        #: (channel, order id) -> a name for who bought, the same wherever the platform can know it for one person.
        self.buyers: dict[tuple[str, str], str] = {}
        #: Names of everybody the faces tell of, buyers or not.
        self.persons: set[str] = set()
        #: (channel, listing id) of every listing that the faces show.
        self.listings: set[tuple[str, str]] = set()
        #: item id -> every time that it came back.
        self.restocks: dict[str, list[Restock]] = {}
        #: What stands where, as the faces count it: channel, location_id, item_id, available.
        self.stock: list[Row] = []
        #: Every piece that the faces show.
        self.shown_items: set[str] = set()

    def rate(self, currency: str, day: date) -> Decimal | None:
        """EUR per unit of ``currency`` on ``day``, to twelve decimals; None when the last rate is too old."""
        found = self._fx.per_euro(currency, day)
        return None if found is None else (1 / found[0]).quantize(TWELVE, ROUND_HALF_UP)

    def based(self, row: Row, currency: str, day: date, names: Iterable[str]) -> Row:
        """Add ``<name>_base`` for every ``<name>_amount``."""
        rate = self.rate(currency, day)
        for name in names:
            row[f"{name}_base"] = None if rate is None else four(row[f"{name}_amount"] * rate)
        return row

    def item_cost(self, item_id: str) -> Decimal | None:
        """What the piece cost, in EUR at the rate of the day it was bought."""
        item = self._items[item_id]
        rate = self.rate(item.cost_currency, item.acquired_on)
        return None if rate is None else four(item.cost * rate)

    def restocked(self, item_id: str, channel: str, at: datetime, order_id: str | None, line_id: str | None) -> None:
        """Note that a piece came back into stock."""
        self.restocks.setdefault(item_id, []).append(Restock(channel, order_id, line_id, at_utc(at)))

    def refund_row(
        self,
        channel: str,
        refund_id: str,
        order_id: str | None,
        at: datetime,
        currency: str,
        amount: Decimal,
        tax: Decimal,
        shipping: Decimal,
        surcharges: Decimal = ZERO,
        *,
        is_restocked: bool,
        is_counted: bool,
    ) -> Row:
        day = business_date(at)
        row = {
            "channel": channel,
            "refund_id": refund_id,
            "order_id": order_id,
            "refunded_at": utc(at),
            "business_date": day.isoformat(),
            "is_counted": is_counted,
            "is_restocked": is_restocked,
            "currency": currency,
            "refund_amount": amount,
            "refund_tax_amount": tax,
            "refund_ex_tax_amount": amount - tax - surcharges,
            "refund_shipping_amount": shipping,
            "refund_surcharge_amount": surcharges,
        }
        return self.based(
            row, currency, day, ["refund", "refund_tax", "refund_ex_tax", "refund_shipping", "refund_surcharge"]
        )


def with_refunds(row: Row, refunds: list[Row], lines: list[Row]) -> Row:
    """Add what was given back, what is left, and what the pieces cost."""
    for kind in ("amount", "base"):
        for name in ("refund", "refund_tax"):
            row[f"{name}_{kind}"] = _sum(refund[f"{name}_{kind}"] for refund in refunds)
        back = _sum(refund[f"refund_ex_tax_{kind}"] for refund in refunds)
        gross, discount, shipping = (row[f"{name}_{kind}"] for name in ("gross", "discount", "shipping"))
        known = None not in (back, gross, discount, shipping)
        row[f"net_{kind}"] = gross - discount + shipping - back if known else None
    costs = [line["item_cost_base"] for line in lines if line["item_cost_base"] is not None]
    row["item_cost_base"] = sum(costs, ZERO)
    return row


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    """A sum that is unknown as soon as one part is."""
    total = ZERO
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total
