"""The shop's till: receipts of sales and, days later, of returns.

What belongs here: receipts. What does not: the files they are written to (``till``).
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal
from random import Random
from zoneinfo import ZoneInfo

from retreasure_assets.sandbox.world_fx import rounded
from retreasure_assets.sandbox.world_items import Stock
from retreasure_assets.sandbox.world_orders import Market
from retreasure_assets.sandbox.world_random import chance, hours, pick, weighted
from retreasure_assets.sandbox.world_types import Item, Receipt, ReceiptLine, StockMove

SHOP_ZONE = ZoneInfo("Europe/Dublin")
STORE_ID = "DUB1"
VAT = Decimal("0.23")
ZERO = Decimal(0)

#: The shop's own holidays, as (month, day); on Sundays it is closed too.
_CLOSED = ((1, 1), (3, 17), (12, 25), (12, 26))


def is_open(day: date) -> bool:
    """Whether the shop is open that day."""
    return day.weekday() != 6 and (day.month, day.day) not in _CLOSED


def local_midnight(day: date) -> datetime:
    """The start of ``day`` in the shop's zone."""
    return datetime.combine(day, time(), SHOP_ZONE)


class Till:
    """Writes receipts; knows which ones may come back."""

    def __init__(self, market: Market) -> None:
        self._market = market
        self._serial: dict[date, int] = {}

    def sale(self, rng: Random, at: datetime) -> tuple[Receipt, tuple[datetime, Receipt] | None] | None:
        """A sale at ``at``, with the return that it will lead to, if any; None when there was nothing to buy.

        One in fifty is to the trade, with VAT added to the price; one in thirty is taken out of the country untaxed.
        """
        kind = rng.random()
        included, taxed = kind >= 0.02, not 0.02 <= kind < 0.05
        lines: list[ReceiptLine] = []
        for _ in range(weighted(rng, ((1, 72), (2, 18), (3, 7), (5, 3)))):
            drawn = self._choose(rng, at)
            if drawn is None or any(line.item_id == drawn[0].item_id for line in lines):
                continue
            item, quantity = drawn
            lines.append(self._line(rng, item, quantity, len(lines) + 1, included, taxed))
            self._market.stock.sell(rng, item, "pos", at, quantity)
        if not lines:
            return None
        card = None
        if chance(rng, 0.35):
            card = self._market.crowd.cardholder(rng, at).loyalty_id
        method = weighted(rng, (("card", 66), ("cash", 24), ("contactless", 8), ("voucher", 2)))
        receipt = self._receipt(rng, at, method, card, included, tuple(lines))
        return receipt, self._later_return(rng, receipt) if chance(rng, 0.04) else None

    def book_return(self, stock: Stock, at: datetime, planned: Receipt, items: dict[str, Item]) -> Receipt:
        """The receipt of a return that was planned when the sale was made; the pieces go back on sale."""
        for line in planned.lines:
            item = items[line.item_id]
            item.moves.append(StockMove(at, -line.quantity, 0, -line.quantity))
            stock.restock(item, at + timedelta(minutes=20), -line.quantity)
        planned.receipt_id = self._number(at)
        return planned

    def _choose(self, rng: Random, at: datetime) -> tuple[Item, int] | None:
        stock = self._market.stock
        if chance(rng, 0.35):
            quantity = weighted(rng, ((1, 55), (2, 28), (4, 10), (5, 7)))
            several = stock.choose_multiple(rng, "pos", quantity)
            if several is not None:
                return several, quantity
        item = stock.choose(rng, "pos", at)
        return None if item is None else (item, 1)

    def _line(self, rng: Random, item: Item, quantity: int, line_id: int, included: bool, taxed: bool) -> ReceiptLine:
        price = self._market.stock.price(item, "pos")
        if not included:
            price = rounded(price / (1 + VAT), "EUR")
        off = rounded(price * quantity * Decimal(pick(rng, (5, 10, 20))) / 100, "EUR") if chance(rng, 0.16) else ZERO
        net = price * quantity - off
        tax = Decimal("0.00")
        if taxed and item.taxable:
            tax = rounded(net * VAT / (1 + VAT) if included else net * VAT, "EUR")
        return ReceiptLine(
            line_id=line_id,
            item_id=item.item_id,
            title=item.title,
            quantity=quantity,
            unit_price=price,
            discount=off,
            tax=tax,
            total=net,
            kind="sale",
        )

    def _later_return(self, rng: Random, sold: Receipt) -> tuple[datetime, Receipt]:
        """All lines of a receipt or just one come back within a month, for what was paid for them."""
        back = sold.lines if chance(rng, 0.5) else (pick(rng, sold.lines),)
        day = sold.at.astimezone(SHOP_ZONE).date() + timedelta(days=1 + int(rng.random() * 24))
        while not is_open(day):
            day += timedelta(days=1)
        at = (local_midnight(day) + hours(rng, 10, 17)).astimezone(sold.at.tzinfo)
        lines = tuple(
            ReceiptLine(
                line_id=index + 1,
                item_id=line.item_id,
                title=line.title,
                quantity=-line.quantity,
                # What a piece was paid, so that the discount needs no line of its own.
                unit_price=rounded(line.total / line.quantity, "EUR"),
                discount=ZERO,
                tax=-line.tax,
                total=-line.total,
                kind="return",
            )
            for index, line in enumerate(back)
        )
        receipt = Receipt(
            "", at, STORE_ID, sold.register_id, "card", sold.loyalty_id, sold.tax_included, lines, sold.receipt_id
        )
        return at, receipt

    def _receipt(
        self,
        rng: Random,
        at: datetime,
        method: str,
        card: str | None,
        included: bool,
        lines: tuple[ReceiptLine, ...],
    ) -> Receipt:
        register = pick(rng, ("R1", "R1", "R2"))
        return Receipt(self._number(at), at, STORE_ID, register, method, card, included, lines)

    def _number(self, at: datetime) -> str:
        day = at.astimezone(SHOP_ZONE).date()
        self._serial[day] = self._serial.get(day, 0) + 1
        return f"{STORE_ID}-{day:%Y%m%d}-{self._serial[day]:04d}"
