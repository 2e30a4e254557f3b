"""What a world consists of: plain records, each carrying the time at which it came to be.

What belongs here: people, items, listings, receipts. What does not: online orders (``world_order_types``), how records
are drawn (``world_*``), what a platform's interface shows of them (the faces) and what they add up to (``truth``).

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
    since: datetime
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
class ReceiptLine:
    """A line of a till receipt; a return is negative in quantity, tax and total.

    ``total`` is price times quantity less the discount: with the tax in it where the receipt's prices include tax.
    """

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
    #: The receipt of the sale that a return takes back; the till's own files do not say it.
    sale_id: str | None = None


@dataclass(slots=True)
class MarketplaceSale:
    """A sale on a marketplace: the seed of what its own interface tells about it; price in ``currency``."""

    channel: str
    sale_id: int
    at: datetime
    item_id: str
    person: int
    price: Decimal
    currency: str
