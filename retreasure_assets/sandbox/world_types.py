"""What a world consists of: plain records, each carrying the time at which it came to be.

What belongs here: the records. What does not: how they are drawn (``world_*``), what a platform's interface shows
of them (the faces) and what they add up to (``truth``).

Money is Decimal in the currency that the field's comment names; times are UTC; nothing is ever removed from a
record, so that a world can be seen as of any earlier moment.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal


@dataclass(slots=True)
class Address:
    """A postal address; invented, in a real town."""

    first_name: str
    last_name: str
    company: str | None
    address1: str
    address2: str | None
    city: str
    province: str | None
    province_code: str | None
    zip: str
    country: str
    country_code: str
    phone: str | None
    latitude: float
    longitude: float

    @property
    def name(self) -> str:
        """First and last name as one writes it."""
        return f"{self.first_name} {self.last_name}"


@dataclass(slots=True)
class Person:
    """Somebody who buys, on one channel or several, always with the same e-mail address."""

    number: int
    email: str
    phone: str | None
    address: Address
    locale: str
    consents: bool
    note: str | None
    #: From the first purchase with an account in the online shop; None until then.
    shopify_id: int | None = None
    shopify_since: datetime | None = None
    #: From the first purchase in the shop with a loyalty card; None until then.
    loyalty_id: str | None = None
    loyalty_since: datetime | None = None

    @property
    def country(self) -> str:
        """Two-letter country code."""
        return self.address.country_code


@dataclass(slots=True)
class Photo:
    """A listing photo's metadata."""

    alt: str
    width: int
    height: int


@dataclass(slots=True)
class StockMove:
    """A change of an item's stock as the online shop's inventory sees it."""

    at: datetime
    available: int
    committed: int
    on_hand: int


@dataclass(slots=True)
class Item:
    """A physical piece, or (``stock`` > 1) one of the few articles that there are several of."""

    item_id: str
    number: int
    title: str
    description_html: str
    category: str
    era: str
    maker: str
    material: str
    condition: str
    acquired_on: date
    cost: Decimal
    cost_currency: str
    taxable: bool
    stock: int
    photos: tuple[Photo, ...]
    #: Shelf price in EUR, VAT included where it is due, when first listed.
    price: Decimal
    listed_at: datetime
    in_shop: bool
    moves: list[StockMove] = field(default_factory=list)


@dataclass(slots=True)
class ListingVersion:
    """What a listing said from ``at`` on; the price in EUR."""

    at: datetime
    price: Decimal
    state: str
    quantity: int


@dataclass(slots=True)
class Listing:
    """An item on one channel."""

    channel: str
    listing_id: int
    item_id: str
    versions: list[ListingVersion]


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
        return self.subtotal + shipping + (Decimal(0) if self.taxes_included else self.tax)


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


@dataclass(slots=True)
class ReceiptLine:
    """A line of a till receipt; a return is negative in quantity, tax and total."""

    line_id: int
    item_id: str
    title: str
    quantity: int
    unit_price: Decimal
    discount: Decimal
    tax: Decimal
    total: Decimal
    kind: str


@dataclass(slots=True)
class Receipt:
    """A receipt of the shop's till, in EUR: sales or returns, never both."""

    receipt_id: str
    at: datetime
    store_id: str
    register_id: str
    payment_method: str
    loyalty_id: str | None
    tax_included: bool
    lines: tuple[ReceiptLine, ...]


@dataclass(slots=True)
class MarketplaceSale:
    """A sale on a marketplace whose own interface is not part of the sandbox yet; price in ``currency``."""

    channel: str
    sale_id: int
    at: datetime
    item_id: str
    person: int
    price: Decimal
    currency: str
