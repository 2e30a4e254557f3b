"""What passes through the shop's Square register: sales, returns, fees, payouts, customers, shelves.

What belongs here: the records. What does not: how they come about (``world_square``) and how the interface writes them
(``square_orders``, ``square_money``, ``square_catalogue``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import pairwise

from retreasure_assets.sandbox.world_types import Item, Listing, Person, Receipt, ReceiptLine

REFUND_SETTLES = timedelta(seconds=60)
#: From a payout's start until it is at the bank.
ARRIVES = timedelta(hours=20)


@dataclass(slots=True)
class Fee:
    """What Square keeps of a payment, from ``at`` on; less than nothing is given back."""

    at: datetime
    kind: str
    amount: Decimal


@dataclass(slots=True)
class PlasticCard:
    """What the register read of a bank card."""

    brand: str
    last_4: str
    fingerprint: str
    holder: str


@dataclass(slots=True)
class SquareSale:
    """A sale: order and payment in one. Amounts in EUR.

    ``wrapping`` is a service charge; ``rounding`` is what a cash total was rounded up by.
    """

    receipt: Receipt
    order_id: str
    payment_id: str
    source_type: str
    wrapping: Decimal
    tip: Decimal
    rounding: Decimal
    customer_id: str | None
    email: str | None
    card: PlasticCard | None
    fees: list[Fee] = field(default_factory=list)
    returns: list[SquareReturn] = field(default_factory=list)

    @property
    def goods(self) -> Decimal:
        """What the pieces cost, with tax."""
        return sum((line_total(self.receipt, line) for line in self.receipt.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """All taxes."""
        return sum((line.tax for line in self.receipt.lines), Decimal(0))

    @property
    def discount(self) -> Decimal:
        """All discounts."""
        return sum((line.discount for line in self.receipt.lines), Decimal(0))

    @property
    def total(self) -> Decimal:
        """What was paid: goods, wrapping, tip and rounding."""
        return self.goods + self.wrapping + self.tip + self.rounding

    @property
    def refunded(self) -> Decimal:
        """What was given back so far."""
        return sum((back.amount for back in self.returns), Decimal(0))

    @property
    def changed_at(self) -> datetime:
        """When the payment last changed: it was made, charged for, or given back."""
        return max([self.receipt.at, *(fee.at for fee in self.fees), *(back.receipt.at for back in self.returns)])


@dataclass(slots=True)
class SquareReturn:
    """Lines of a sale given back: an order of its own, and a refund of the sale's payment."""

    receipt: Receipt
    sale: SquareSale
    order_id: str
    refund_id: str
    settled: bool
    fees: list[Fee] = field(default_factory=list)

    @property
    def amount(self) -> Decimal:
        """The money given back, with tax."""
        return -sum((line_total(self.receipt, line) for line in self.receipt.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """The tax in it."""
        return -sum((line.tax for line in self.receipt.lines), Decimal(0))

    @property
    def changed_at(self) -> datetime:
        """When the refund last changed."""
        settled = [self.receipt.at + REFUND_SETTLES] if self.settled else []
        return max([self.receipt.at, *settled, *(fee.at for fee in self.fees)])

    def sold(self, line: ReceiptLine) -> ReceiptLine:
        """The line of the sale that ``line`` takes back."""
        return next(other for other in self.sale.receipt.lines if other.item_id == line.item_id)


@dataclass(slots=True)
class Entry:
    """What a payout consists of; what comes in is positive, and the fee is part of the gross amount."""

    entry_id: str
    at: datetime
    kind: str
    gross: Decimal
    fee: Decimal
    order_id: str | None
    payment_id: str | None
    refund_id: str | None

    @property
    def net(self) -> Decimal:
        """What it adds to the payout."""
        return self.gross - self.fee


@dataclass(slots=True)
class SquarePayout:
    """A transfer to the bank."""

    payout_id: str
    at: datetime
    paid: bool
    entries: list[Entry]

    @property
    def net(self) -> Decimal:
        """What reaches the bank."""
        return sum((entry.net for entry in self.entries), Decimal(0))

    @property
    def changed_at(self) -> datetime:
        """When it last changed."""
        return self.at + ARRIVES if self.paid else self.at


@dataclass(slots=True)
class SquareCustomer:
    """Who showed a loyalty card at the register, from the first time on."""

    customer_id: str
    since: datetime
    person: Person


@dataclass(slots=True)
class Shelf:
    """An item of the catalogue, as it stands in the shop."""

    item: Item
    listing: Listing

    @property
    def counted_at(self) -> datetime:
        """When its quantity last changed."""
        versions = self.listing.versions
        changed = versions[0].at
        for before, after in pairwise(versions):
            if after.quantity != before.quantity:
                changed = after.at
        return changed


def line_total(receipt: Receipt, line: ReceiptLine) -> Decimal:
    """What was paid for a line: with tax, whether prices include it or not."""
    return line.total + (Decimal(0) if receipt.tax_included else line.tax)
