"""What an online order consists of, and what is paid out for it.

What belongs here: the records of the online shop. What does not: people, items and the till (``world_types``).

Money is Decimal in the currency that the field's comment names; times are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from retreasure_assets.sandbox.world_types import Address


@dataclass(slots=True)
class Tax:
    """A tax line; ``amount`` in the order's currency."""

    title: str
    rate: Decimal
    amount: Decimal


@dataclass(slots=True)
class OrderLine:
    """A line of an online order; amounts in the order's currency, with tax where the order's prices include it."""

    line_id: int
    item_id: str
    product_id: int
    variant_id: int
    title: str
    vendor: str
    taxable: bool
    quantity: int
    unit_price: Decimal
    discounts: tuple[Decimal, ...]
    taxes: tuple[Tax, ...]

    @property
    def discount(self) -> Decimal:
        """Everything taken off the line, its share of order-wide discounts included."""
        return sum(self.discounts, Decimal(0))

    @property
    def tax(self) -> Decimal:
        """All taxes on the line."""
        return sum((tax.amount for tax in self.taxes), Decimal(0))

    @property
    def paid(self) -> Decimal:
        """Price times quantity less discounts: the line's share of the order's subtotal."""
        return self.unit_price * self.quantity - self.discount


@dataclass(slots=True)
class Shipping:
    """The order's delivery; amounts in the order's currency, with tax where prices include it."""

    shipping_id: int
    title: str
    code: str
    price: Decimal
    discount: Decimal
    taxes: tuple[Tax, ...]

    @property
    def paid(self) -> Decimal:
        """The price less its discount."""
        return self.price - self.discount

    @property
    def tax(self) -> Decimal:
        """All taxes on the delivery."""
        return sum((tax.amount for tax in self.taxes), Decimal(0))


@dataclass(frozen=True, slots=True)
class Surcharges:
    """What is charged beside goods, delivery and tax; amounts in the order's currency."""

    tip: Decimal = Decimal(0)
    duties: Decimal = Decimal(0)
    #: Whether the prices contain the duties, which then are not charged beside them.
    duties_included: bool = False
    additional_fees: Decimal = Decimal(0)

    @property
    def duties_charged(self) -> Decimal:
        """The duties that are charged beside the prices."""
        return Decimal(0) if self.duties_included else self.duties

    @property
    def total(self) -> Decimal:
        """All that is charged beside goods, delivery and tax."""
        return self.tip + self.duties_charged + self.additional_fees


@dataclass(slots=True)
class Transaction:
    """Money asked for, taken or given back; ``amount`` in the order's currency, never negative."""

    transaction_id: int
    at: datetime
    kind: str
    status: str
    gateway: str
    amount: Decimal
    parent_id: int | None
    test: bool
    #: Shopify Payments' own fee in the shop's currency, None where somebody else took the payment.
    fee: Decimal | None = None
    fee_rate: Decimal | None = None


@dataclass(slots=True)
class RefundLine:
    """A line given back; ``subtotal`` contains the tax where the order's prices do."""

    refund_line_id: int
    line_id: int
    item_id: str
    quantity: int
    subtotal: Decimal
    tax: Decimal
    restock_type: str


@dataclass(slots=True)
class Refund:
    """Money given back on one occasion; amounts in the order's currency."""

    refund_id: int
    at: datetime
    note: str | None
    lines: tuple[RefundLine, ...]
    #: Delivery given back (with tax where prices include it) and the tax on it.
    shipping: Decimal
    shipping_tax: Decimal
    shipping_line_id: int | None
    #: Goodwill: money given back that no line accounts for.
    goodwill: Decimal
    #: Duties given back.
    duties: Decimal
    #: Tips and additional fees given back: only with a whole order.
    extras: Decimal
    amount: Decimal
    tax: Decimal

    @property
    def restocked(self) -> bool:
        """Whether anything went back on sale."""
        return any(line.restock_type in ("RETURN", "CANCEL") for line in self.lines)


@dataclass(slots=True)
class Fulfilment:
    """A parcel, or a collection in the shop (no carrier)."""

    fulfilment_id: int
    at: datetime
    quantity: int
    carrier: str | None
    tracking_number: str | None
    in_transit_at: datetime | None
    delivered_at: datetime | None
    estimated_at: datetime | None


@dataclass(slots=True)
class Order:
    """An order of the online shop."""

    order_id: int
    number: int
    at: datetime
    person: int | None
    email: str | None
    phone: str | None
    locale: str
    currency: str
    #: Shop currency per unit of the order's currency: the platform's own rate.
    rate: Decimal
    taxes_included: bool
    test: bool
    source_name: str
    client_ip: str | None
    note: str | None
    discount_codes: tuple[str, ...]
    ship_to: Address | None
    bill_to: Address | None
    lines: tuple[OrderLine, ...]
    shipping: Shipping | None
    surcharges: Surcharges = Surcharges()
    transactions: list[Transaction] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    fulfilments: list[Fulfilment] = field(default_factory=list)
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None

    @property
    def name(self) -> str:
        """The number as people see it."""
        return f"#{self.number}"

    @property
    def subtotal(self) -> Decimal:
        """All lines after discounts, with tax where prices include it."""
        return sum((line.paid for line in self.lines), Decimal(0))

    @property
    def tax(self) -> Decimal:
        """All taxes, delivery included."""
        lines = sum((line.tax for line in self.lines), Decimal(0))
        return lines + (self.shipping.tax if self.shipping else Decimal(0))

    @property
    def total(self) -> Decimal:
        """What the customer was charged, before anything was given back."""
        shipping = self.shipping.paid if self.shipping else Decimal(0)
        tax = Decimal(0) if self.taxes_included else self.tax
        return self.subtotal + shipping + tax + self.surcharges.total


@dataclass(slots=True)
class BalanceTransaction:
    """A movement on the Shopify Payments account, in the shop's currency; what comes in is positive."""

    balance_id: int
    at: datetime
    type: str
    amount: Decimal
    fee: Decimal
    order_id: int | None
    order_name: str | None
    transaction_id: int | None
    source_id: int
    reason: str | None
    payout_id: int | None = None

    @property
    def net(self) -> Decimal:
        """What the movement adds to the account."""
        return self.amount - self.fee


@dataclass(slots=True)
class Payout:
    """A transfer to the bank, in the shop's currency: ``net`` is the sum of its transactions' nets."""

    payout_id: int
    at: datetime
    paid_at: datetime
    charges: Decimal
    charges_fee: Decimal
    refunds: Decimal
    refunds_fee: Decimal
    adjustments: Decimal
    adjustments_fee: Decimal

    @property
    def gross(self) -> Decimal:
        """All amounts before fees."""
        return self.charges + self.refunds + self.adjustments

    @property
    def fees(self) -> Decimal:
        """All fees."""
        return self.charges_fee + self.refunds_fee + self.adjustments_fee

    @property
    def net(self) -> Decimal:
        """What reaches the bank."""
        return self.gross - self.fees
