"""eBay's ledger: what each order brings in and costs, what is charged later, and the payouts.

What belongs here: entries and payouts, drawn from the orders. What does not: the orders (``world_ebay``) and how
the Finances API shows all this (``ebay_finances``).

An entry counts from its own time on, and a payout takes up what is two days old, so the ledger of a shorter world is
the first part of that of a longer one.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from decimal import Decimal

from retreasure_assets.sandbox.world import WORLD_START, World
from retreasure_assets.sandbox.world_ebay import forget_future, whole_orders
from retreasure_assets.sandbox.world_ebay_types import (
    ZERO,
    EbayBusiness,
    EbayEntry,
    EbayFee,
    EbayLine,
    EbayOrder,
    EbayPayout,
)
from retreasure_assets.sandbox.world_fx import is_bank_day, next_bank_day, rounded
from retreasure_assets.sandbox.world_random import cents, chance, hours, moment, pick, seconds, stream

#: Shares of what the buyer paid, tax included (eBay takes its fee on that too).
_FINAL_VALUE = Decimal("0.128")
_INTERNATIONAL = Decimal("0.016")
_REGULATORY = Decimal("0.0035")
_FIXED = Decimal("0.35")
_ADVERT = Decimal("0.06")
#: Home markets, without the fee for sales abroad.
_EURO = ("EBAY_IE", "EBAY_DE")
_HOLD = timedelta(days=2)


def ebay_business(world: World) -> EbayBusiness:
    """Orders, ledger and payouts before the world's clock."""
    orders = whole_orders(world)
    entries = [entry for order in orders for entry in _of_order(world.seed, order)]
    for order in orders:
        forget_future(order, world.clock)
    entries += _of_days(world)
    entries = sorted((e for e in entries if e.at < world.clock), key=lambda e: (e.at, e.entry_id, e.credit))
    return EbayBusiness(orders, entries, _pay_out(world, entries))


def _fees(order: EbayOrder, line: EbayLine, *, first: bool) -> Iterator[EbayFee]:
    basis = (line.due + line.remitted_tax) * order.rate
    yield EbayFee(line.line_id, "FINAL_VALUE_FEE", rounded(basis * _FINAL_VALUE, "EUR"))
    if first:
        yield EbayFee(line.line_id, "FINAL_VALUE_FEE_FIXED_PER_ORDER", _FIXED)
    if order.marketplace not in _EURO:
        yield EbayFee(line.line_id, "INTERNATIONAL_FEE", rounded(basis * _INTERNATIONAL, "EUR"))
    if order.marketplace == "EBAY_GB":
        yield EbayFee(line.line_id, "REGULATORY_OPERATING_FEE", rounded(basis * _REGULATORY, "EUR"))


def _of_order(seed: int, order: EbayOrder) -> Iterator[EbayEntry]:
    """Everything that a whole order ever brings about in the ledger."""
    if order.paid_at is None:
        return
    rng = stream(seed, "ebay", "ledger", order.order_id)
    number = order.order_id.replace("-", "")
    fees = tuple(fee for index, line in enumerate(order.lines) for fee in _fees(order, line, first=index == 0))
    gross, tax = rounded(order.total * order.rate, "EUR"), rounded(order.remitted_tax * order.rate, "EUR")
    sale = EbayEntry(
        entry_id=f"2{number}",
        kind="SALE",
        credit=True,
        at=order.paid_at,
        amount=gross - sum((fee.amount for fee in fees), ZERO),
        fees=fees,
        remitted_tax=tax,
        order=order,
    )
    yield sale
    advertised = [line for line in order.lines if line.advertised]
    if advertised:
        amount = sum((rounded(line.due * order.rate * _ADVERT, "EUR") for line in advertised), ZERO)
        yield EbayEntry(
            f"FEE-{number}-1", "NON_SALE_CHARGE", False, order.paid_at + hours(rng, 2, 60), amount,
            fee_kind="AD_FEE", order=order, referred=True, memo="Promoted Listings",
        )  # fmt: skip
    if chance(rng, 0.03):
        # Found out late: delivery abroad, performance below standard.
        yield EbayEntry(
            f"FEE-{number}-2", "NON_SALE_CHARGE", False, order.paid_at + hours(rng, 200, 900), cents(rng, 1, 6) + 1,
            fee_kind="HIGH_ITEM_NOT_AS_DESCRIBED_FEE", order=order, referred=True,
        )  # fmt: skip
    if order.parcels and chance(rng, 0.3):
        label = cents(rng, 4, 19)
        at = order.parcels[0].at - timedelta(minutes=30)
        yield EbayEntry(f"5{number}", "SHIPPING_LABEL", False, at, label, order=order, memo="purchase")
        if chance(rng, 0.08):
            # A voided label carries the label's own id; only the booking tells them apart.
            yield EbayEntry(
                f"5{number}", "SHIPPING_LABEL", True, at + hours(rng, 1, 40), label, order=order, memo="void"
            )
    for refund in order.refunds:
        share = refund.amount / order.total
        back = tuple(
            EbayFee(fee.line_id, fee.kind, rounded(fee.amount * share, "EUR"))
            for fee in fees
            if fee.kind != "FINAL_VALUE_FEE_FIXED_PER_ORDER"
        )
        back = tuple(fee for fee in back if fee.amount)
        yield EbayEntry(
            entry_id=refund.refund_id,
            kind="REFUND",
            credit=False,
            at=refund.at + timedelta(seconds=2),
            amount=rounded(refund.amount * order.rate, "EUR") - sum((fee.amount for fee in back), ZERO),
            fees=back,
            remitted_tax=rounded(tax * share, "EUR"),
            order=order,
        )
    if order.parcels and not order.refunds and chance(rng, 0.012):
        amount = rounded(order.total * order.rate / 2, "EUR")
        lost = order.parcels[-1].at + hours(rng, 300, 700)
        yield EbayEntry(f"8{number}", "DISPUTE", False, lost, amount, order=order)
        yield EbayEntry(
            f"FEE-{number}-3", "NON_SALE_CHARGE", False, lost + timedelta(seconds=5), Decimal("18.00"),
            fee_kind="PAYMENT_DISPUTE_FEE", order=order, referred=True,
        )  # fmt: skip


def _of_days(world: World) -> Iterator[EbayEntry]:
    """What is nobody's order: the store's subscription, credits, and money moved to settle a debt."""
    start = datetime(WORLD_START.year, WORLD_START.month, WORLD_START.day, tzinfo=world.clock.tzinfo)
    for number in range((world.clock - start).days):
        day = start + timedelta(days=number)
        rng = stream(world.seed, "ebay", "day", number)
        if number % 30 == 1:
            yield EbayEntry(
                f"FEE-{90_000_000 + number}", "NON_SALE_CHARGE", False, moment(rng, day, 1, 5), Decimal("27.95"),
                fee_kind="OTHER_FEES", memo="Store subscription",
            )  # fmt: skip
        if chance(rng, min(0.9, 0.06 * world.scale)):
            yield EbayEntry(
                f"CREDIT-{80_000_000 + number}", "CREDIT", True, moment(rng, day, 8, 20), cents(rng, 2, 30) + 1,
                memo=pick(rng, ("Courtesy credit", "Fee correction")),
            )  # fmt: skip
        if chance(rng, min(0.9, 0.04 * world.scale)):
            yield EbayEntry(
                f"TRX-{70_000_000 + number}", "TRANSFER", False, moment(rng, day, 8, 20), cents(rng, 3, 40) + 1,
                memo="Amount owed, taken from available funds",
            )  # fmt: skip


def _pay_out(world: World, entries: list[EbayEntry]) -> list[EbayPayout]:
    """A payout on each bank day with something to pay; entries are marked with theirs."""
    waiting = list(entries)
    payouts: list[EbayPayout] = []
    number = 0
    day = WORLD_START
    while day < world.clock.date():
        day, current = day + timedelta(days=1), day
        if not is_bank_day(current):
            continue
        due = [entry for entry in waiting if entry.at.date() <= current - _HOLD]
        net = sum((entry.signed for entry in due), ZERO)
        if net <= 5:
            continue  # What is owed waits for better days.
        number += 1
        rng = stream(world.seed, "ebay", "payout", current.isoformat())
        payout = _payout(world, current, number, net, len(due), express=chance(rng, 0.06), fails=chance(rng, 0.05))
        payouts.append(payout)
        for entry in due:
            entry.payout_id = payout.payout_id
        taken = {id(entry) for entry in due}
        waiting = [entry for entry in waiting if id(entry) not in taken]
    return payouts


def _payout(
    world: World, day: date, number: int, net: Decimal, entries: int, *, express: bool, fails: bool
) -> EbayPayout:
    rng = stream(world.seed, "ebay", "payout", day.isoformat(), "bank")
    at = datetime(day.year, day.month, day.day, 4, tzinfo=world.clock.tzinfo) + seconds(rng, 0, 3600)
    fee = Decimal("2.00") if express else ZERO
    again = datetime.combine(next_bank_day(day), at.timetz())
    settled = datetime.combine(next_bank_day(again.date()), at.timetz()) if fails else again
    return EbayPayout(
        payout_id=str(5_400_000_000 + 7_919 * number),
        at=at,
        amount=net - fee,
        express_fee=fee,
        entries=entries,
        failed_until=again if fails else None,
        settled_at=settled,
    )
