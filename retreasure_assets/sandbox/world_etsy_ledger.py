"""The payment account of the shop on Etsy: every charge, fee, refund and disbursement, one entry each.

What belongs here: what Etsy books when. What does not: receipts (``world_etsy``).

Types and references as Etsy's own ledger has them, as far as its contract and its users' reports
(github.com/etsy/open-api issues 302, 442, 751) tell: fees of a sale refer to its transaction, its receipt or its
payment, refunds to the payment's adjustment, VAT on fees only to the entry that it is charged on.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from retreasure_assets.sandbox.world import WORLD_START, World
from retreasure_assets.sandbox.world_etsy_types import EtsyEntry, EtsyReceipt
from retreasure_assets.sandbox.world_random import chance, hours, stream
from retreasure_assets.sandbox.world_types import Listing

LEDGER_ID = 8_080_291_933
_ENTRY_BASE = 11_377_000_000
_ENTRY_STEP = 17

#: The listing fee of 0.20 USD, in cents of EUR.
_LISTING_FEE = 18
_SALE_FEE = Decimal("0.065")
_PROCESSING = Decimal("0.04")
_PROCESSING_FLAT = 30
_ADS = Decimal("0.15")
_VAT = Decimal("0.23")
#: A listing ends after four months and is renewed at once.
_LISTING_LIFE = timedelta(days=121)
#: Payments become available for a disbursement after two days.
_PENDING = timedelta(days=2)
#: A type that no documentation names, as Etsy invents one from time to time.
UNKNOWN_TYPE = "seller_protection_adjustment"


def ledger(world: World, receipts: list[EtsyReceipt], listings: list[Listing]) -> list[EtsyEntry]:
    """All entries before the clock, in order.

    Args:
        world: for its seed and clock.
        receipts: with all that is still to come.
        listings: the shop's listings.
    """
    start = datetime(WORLD_START.year, WORLD_START.month, WORLD_START.day, tzinfo=UTC)
    entries = [entry for receipt in receipts for entry in _of_receipt(world.seed, receipt)]
    entries += [entry for listing in listings for entry in _of_listing(listing, start, world.clock)]
    entries += _oddities(start, world.clock)
    past = sorted((entry for entry in entries if entry.at < world.clock), key=lambda entry: (entry.at, entry.key))
    return _booked(past, start, world.clock)


def settled(receipt: EtsyReceipt, amount: Decimal) -> int:
    """An amount of a receipt in cents of EUR at Etsy's rate."""
    return int((amount / receipt.per_euro * 100).quantize(Decimal(1), ROUND_HALF_UP))


def _part(cents: int, share: Decimal) -> int:
    return int((cents * share).quantize(Decimal(1), ROUND_HALF_UP))


def _with_vat(entry: EtsyEntry) -> Iterator[EtsyEntry]:
    """A fee and the VAT on it, which refers to nothing but its parent."""
    yield entry
    vat = _part(-entry.amount, _VAT)
    if vat:
        kind = "vat_seller_services" if entry.amount < 0 else "vat_seller_services_refund"
        after = entry.at + timedelta(seconds=1)
        yield EtsyEntry(after, f"{entry.key}-vat", kind, -vat, "etsy", 0, entry.order_id, parent=entry)


def _of_receipt(seed: int, receipt: EtsyReceipt) -> Iterator[EtsyEntry]:
    if receipt.paid_at is None:
        return
    rng = stream(seed, "etsy ledger", receipt.receipt_id)
    number, at = receipt.receipt_id, receipt.paid_at + timedelta(seconds=2)
    total = settled(receipt, receipt.total)

    def entry(at: datetime, name: str, kind: str, amount: int, to: str, what: int) -> EtsyEntry:
        return EtsyEntry(at, f"{number}-{name}", kind, amount, to, what, number)

    processing = _part(total, _PROCESSING) + _PROCESSING_FLAT
    yield entry(at, "gross", "PAYMENT_GROSS", total, "shop_payment", receipt.payment_id)
    yield entry(at, "processing", "PAYMENT_PROCESSING_FEE", -processing, "shop_payment", receipt.payment_id)
    tax = settled(receipt, receipt.added_tax)
    if tax:
        yield entry(at, "tax", "sales_tax", -tax, "receipt", number)
    for line in receipt.lines:
        fee = _part(settled(receipt, line.price), _SALE_FEE)
        sale = entry(at, f"sale-{line.transaction_id}", "transaction", -fee, "transaction", line.transaction_id)
        yield from _with_vat(sale)
    if receipt.shipping:
        fee = _part(settled(receipt, receipt.shipping), _SALE_FEE)
        yield from _with_vat(entry(at, "shipping", "shipping_transaction", -fee, "receipt", number))
    if receipt.gift_wrap:
        fee = _part(settled(receipt, receipt.gift_wrap), _SALE_FEE)
        yield entry(at, "wrap", "gift_wrap_fees", -fee, "receipt", number)
    if chance(rng, 0.1):
        fee = _part(settled(receipt, receipt.goods - receipt.discount), _ADS)
        late = at + hours(rng, 20, 300)
        yield from _with_vat(entry(late, "ads", "offsite_ads_fee", -fee, "receipt", number))
    for parcel in receipt.parcels:
        if chance(rng, 0.35):
            # The label's own number leads nowhere: its cost cannot be tied to the receipt.
            price = 450 + int(rng.random() * 1500)
            label = 5_000_000_000 + number
            yield EtsyEntry(parcel.at, f"{number}-label", "shipping_labels", -price, "shipping_label", label)
    for place, refund in enumerate(receipt.refunds):
        back = settled(receipt, refund.amount)
        after = refund.at + timedelta(seconds=5)
        gross = entry(after, f"back-{place}", "REFUND_GROSS", -back, "payment_adjustment", refund.adjustment_id)
        gross.adjustment = (receipt, refund)
        yield gross
        share = refund.amount / receipt.total
        given = entry(
            after,
            f"back-{place}-processing",
            "REFUND_PROCESSING_FEE",
            _part(processing, share),
            "payment_adjustment",
            refund.adjustment_id,
        )
        given.adjustment = (receipt, refund)
        yield given
        if refund.amount == receipt.total:
            if tax:
                yield entry(after, f"back-{place}-tax", "sales_tax_refund", tax, "receipt", number)
            for line in receipt.lines:
                fee = _part(settled(receipt, line.price), _SALE_FEE)
                name = f"back-{place}-{line.transaction_id}"
                yield from _with_vat(entry(after, name, "transaction_refund", fee, "transaction", line.transaction_id))


def _of_listing(listing: Listing, start: datetime, clock: datetime) -> Iterator[EtsyEntry]:
    number = listing.listing_id
    listed = listing.versions[0].at
    if listed >= start:
        yield EtsyEntry(listed, f"listing-{number}", "listing", -_LISTING_FEE, "listing", number)
    renewal = listed + _LISTING_LIFE
    turn = 1
    while renewal < clock:
        state = [version for version in listing.versions if version.at < renewal][-1].state
        if state == "active" and renewal >= start:
            entry = EtsyEntry(
                renewal, f"renewal-{number}-{turn}", "auto_renew_expired", -_LISTING_FEE, "listing", number
            )
            yield from _with_vat(entry)
        renewal, turn = renewal + _LISTING_LIFE, turn + 1


def _oddities(start: datetime, clock: datetime) -> list[EtsyEntry]:
    """Every ninth day an entry of a type that nobody knows."""
    entries = []
    for day in range(4, (clock - start).days + 1, 9):
        at = start + timedelta(days=day, hours=11)
        entries.append(EtsyEntry(at, f"odd-{day}", UNKNOWN_TYPE, -(150 + day), "etsy", 0))
    return entries


def _booked(entries: list[EtsyEntry], start: datetime, clock: datetime) -> list[EtsyEntry]:
    """Number the entries, keep the balance, and pay out what is available every Monday morning."""
    booked: list[EtsyEntry] = []
    unpaid: list[EtsyEntry] = []
    balance = 0

    def book(entry: EtsyEntry) -> None:
        nonlocal balance
        balance += entry.amount
        entry.sequence = len(booked) + 1
        entry.entry_id = _ENTRY_BASE + _ENTRY_STEP * entry.sequence
        entry.balance = balance
        booked.append(entry)
        unpaid.append(entry)

    def pay_out(at: datetime) -> None:
        pending = sum(
            entry.amount for entry in unpaid if entry.ledger_type == "PAYMENT_GROSS" and entry.at > at - _PENDING
        )
        if balance - pending <= 0:
            return
        paid = EtsyEntry(at, f"paid-{at.isoformat()}", "DISBURSE2", -(balance - pending), "disbursement", len(booked))
        book(paid)
        for entry in unpaid:
            entry.payout_id = paid.entry_id
        unpaid.clear()

    monday = start + timedelta(days=(7 - start.weekday()) % 7, hours=6)
    for entry in entries:
        while monday <= entry.at:
            pay_out(monday)
            monday += timedelta(days=7)
        book(entry)
    while monday < clock:
        pay_out(monday)
        monday += timedelta(days=7)
    return booked
