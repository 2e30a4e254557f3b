"""What happens on eBay, as plain records, each carrying the time at which it came to be.

What belongs here: orders, ledger entries, payouts. What does not: how they are drawn (``world_ebay``,
``world_ebay_ledger``) and how eBay's interface shows them (``ebay_*``).

Money is Decimal: in the order's currency where an order says it, in EUR (what eBay pays out) in ledger and payouts.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

ZERO = Decimal("0.00")


@dataclass(slots=True)
class EbayLine:
    """A line of an order; always one piece.

    Args:
        remitted_tax: what eBay adds for the buyer and hands to the tax office itself: no money of the seller's.
        tax_type: of that tax, None where there is none.
        advertised: whether it was sold through an ad campaign, which costs a fee of its own later.
    """

    line_id: str
    item_id: str
    listing_id: str
    title: str
    cost: Decimal
    discount: Decimal
    shipping: Decimal
    shipping_discount: Decimal
    remitted_tax: Decimal
    tax_type: str | None
    advertised: bool

    @property
    def due(self) -> Decimal:
        """What the seller gets for it before fees."""
        return self.cost - self.discount + self.shipping - self.shipping_discount


@dataclass(slots=True)
class EbayParcel:
    """A parcel with some of the lines."""

    at: datetime
    line_ids: tuple[str, ...]
    carrier: str
    tracking_number: str


@dataclass(slots=True)
class EbayRefund:
    """Money given back, without the tax that eBay gives back itself; ``lines`` says how much for which line."""

    refund_id: str
    at: datetime
    amount: Decimal
    lines: tuple[tuple[str, Decimal], ...]


@dataclass(slots=True)
class EbayCancellation:
    """Somebody's wish to cancel, and when it was granted (None while it is not, or was refused)."""

    request_id: str
    requested_at: datetime
    initiator: str
    reason: str
    refused_at: datetime | None
    granted_at: datetime | None


@dataclass(slots=True)
class EbayOrder:
    """An order; ``rate`` is eBay's own: EUR per unit of the order's currency, 1 for EUR."""

    order_id: str
    at: datetime
    person: int
    marketplace: str
    currency: str
    rate: Decimal
    lines: tuple[EbayLine, ...]
    paid_at: datetime | None = None
    note: str | None = None
    cancellation: EbayCancellation | None = None
    parcels: list[EbayParcel] = field(default_factory=list)
    refunds: list[EbayRefund] = field(default_factory=list)

    @property
    def total(self) -> Decimal:
        """What the seller gets before fees."""
        return sum((line.due for line in self.lines), ZERO)

    @property
    def remitted_tax(self) -> Decimal:
        """The tax that eBay collects and remits."""
        return sum((line.remitted_tax for line in self.lines), ZERO)

    @property
    def cancelled_at(self) -> datetime | None:
        """When it was cancelled; None while it is not."""
        return self.cancellation.granted_at if self.cancellation else None

    @property
    def changed_at(self) -> datetime:
        """When anything about it changed last."""
        times = [self.at, *(parcel.at for parcel in self.parcels), *(refund.at for refund in self.refunds)]
        if self.paid_at is not None:
            times.append(self.paid_at)
        if self.cancellation is not None:
            wish = self.cancellation
            times += [at for at in (wish.requested_at, wish.refused_at, wish.granted_at) if at is not None]
        return max(times)


@dataclass(frozen=True, slots=True)
class EbayFee:
    """A fee of one line, in EUR."""

    line_id: str
    kind: str
    amount: Decimal


@dataclass(slots=True)
class EbayEntry:
    """An entry of eBay's ledger, in EUR and always positive: ``credit`` says which way the money goes.

    Args:
        entry_id: eBay's id; a voided label has the id of the label.
        amount: what moves, after fees and without remitted tax.
        fees: what was kept back of a sale, or is given back with a refund, by line.
        fee_kind: for a charge of its own.
        remitted_tax: tax that eBay took in or gave back along with it.
        order: the order concerned, if any.
        referred: whether the order is named by reference alone, as eBay does for what it charges later.
    """

    entry_id: str
    kind: str
    credit: bool
    at: datetime
    amount: Decimal
    fees: tuple[EbayFee, ...] = ()
    fee_kind: str | None = None
    remitted_tax: Decimal = ZERO
    order: EbayOrder | None = None
    referred: bool = False
    memo: str | None = None
    payout_id: str | None = None

    @property
    def fee_total(self) -> Decimal:
        """All fees within it."""
        return sum((fee.amount for fee in self.fees), ZERO)

    @property
    def signed(self) -> Decimal:
        """What the seller's balance grows by."""
        return self.amount if self.credit else -self.amount


@dataclass(slots=True)
class EbayPayout:
    """A sum sent to the bank; ``express_fee`` is what a payout to a debit card costs.

    Args:
        amount: what reaches the account.
        failed_until: when a first attempt had failed, the time of the second; None where the first went through.
        settled_at: when it was on its way for good.
    """

    payout_id: str
    at: datetime
    amount: Decimal
    express_fee: Decimal
    entries: int
    failed_until: datetime | None
    settled_at: datetime

    def status(self, now: datetime) -> str:
        """eBay's word for its state at ``now``."""
        if self.settled_at < now:
            return "SUCCEEDED"
        return "RETRYABLE_FAILED" if self.failed_until is not None and self.failed_until >= now else "INITIATED"


@dataclass(frozen=True, slots=True)
class EbayBusiness:
    """Everything on eBay before a world's clock, each list in order of time."""

    orders: list[EbayOrder]
    entries: list[EbayEntry]
    payouts: list[EbayPayout]
