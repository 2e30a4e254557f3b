"""What the world's shop on Etsy consists of: receipts and the entries of its payment account.

What belongs here: the records. What does not: how they come about (``world_etsy``, ``world_etsy_ledger``) and how Etsy
shows them (``etsy``).

Money is Decimal in the currency that the field's comment names; times are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from retreasure_assets.sandbox.world_types import Address, Listing

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class EtsyLine:
    """One transaction of a receipt; Etsy sells only one-off pieces of this shop. ``price`` in the receipt's
    currency.
    """

    transaction_id: int
    listing_id: int
    item_id: str
    title: str
    quantity: int
    price: Decimal


@dataclass(frozen=True, slots=True)
class EtsyRefund:
    """Money given back; ``amount`` in the receipt's currency.

    ``surfaces``: ``at once`` where the receipt's time of change tells of it, ``silently`` where only the receipt's
    content does, ``never`` where only the payment and the ledger know.
    """

    adjustment_id: int
    at: datetime
    amount: Decimal
    reason: str
    note: str | None
    surfaces: str
    #: The transaction that it is of, where the seller gave back something of one alone.
    transaction_id: int | None = None


@dataclass(frozen=True, slots=True)
class EtsyParcel:
    """A shipment that the seller told Etsy of."""

    parcel_id: int
    at: datetime
    carrier: str
    tracking_code: str


@dataclass(slots=True)
class EtsyReceipt:
    """An order on Etsy. All amounts but the rate are in ``currency``.

    ``vat`` is part of the prices where ``vat_included``, else added like ``tax``, and then Etsy remits both itself.
    """

    receipt_id: int
    at: datetime
    person: int
    user_id: int
    email: str | None
    ship_to: Address
    currency: str
    #: Units of the receipt's currency per euro: Etsy's own rate.
    per_euro: Decimal
    lines: tuple[EtsyLine, ...]
    discount: Decimal
    shipping: Decimal
    gift_wrap: Decimal
    tax: Decimal
    vat: Decimal
    vat_included: bool
    message: str | None
    is_gift: bool
    gift_message: str
    gift_sender: str
    payment_id: int
    paid_at: datetime | None = None
    cancelled_at: datetime | None = None
    #: Whether the cancellation moves the receipt's time of change.
    cancelled_silently: bool = False
    refunds: list[EtsyRefund] = field(default_factory=list)
    parcels: list[EtsyParcel] = field(default_factory=list)

    @property
    def goods(self) -> Decimal:
        """Price times quantity of all lines."""
        return sum((line.price * line.quantity for line in self.lines), ZERO)

    @property
    def added_tax(self) -> Decimal:
        """What is charged on top of the prices: Etsy collects and remits it."""
        return self.tax + (ZERO if self.vat_included else self.vat)

    @property
    def total(self) -> Decimal:
        """What the buyer pays."""
        return self.goods - self.discount + self.shipping + self.gift_wrap + self.added_tax

    @property
    def updated_at(self) -> datetime:
        """The receipt's own time of change, which misses what surfaces silently or never."""
        moments = [self.at, *(parcel.at for parcel in self.parcels)]
        moments += [refund.at for refund in self.refunds if refund.surfaces == "at once"]
        if self.paid_at is not None:
            moments.append(self.paid_at)
        if self.cancelled_at is not None and not self.cancelled_silently:
            moments.append(self.cancelled_at)
        return max(moments)


@dataclass(slots=True)
class EtsyEntry:
    """An entry of the payment account in cents of EUR; what comes in is positive.

    ``order_id`` is the receipt it is about as far as the ledger itself, with the payments, tells.
    """

    at: datetime
    #: Decides between entries of one second; unique.
    key: str
    ledger_type: str
    amount: int
    reference_type: str
    reference_id: int
    order_id: int | None = None
    parent: EtsyEntry | None = None
    adjustment: tuple[EtsyReceipt, EtsyRefund] | None = None
    entry_id: int = 0
    sequence: int = 0
    balance: int = 0
    #: The disbursement that paid it out; None while it waits.
    payout_id: int | None = None


@dataclass(slots=True)
class EtsyShop:
    """The shop as of the world's clock."""

    receipts: list[EtsyReceipt]
    entries: list[EtsyEntry]
    listings: list[Listing]
