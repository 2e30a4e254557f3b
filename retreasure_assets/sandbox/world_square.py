"""The shop's second register, which is a Square one: what passes through it, and what Square makes of it.

What belongs here: reckoning that register's books from the world's receipts and listings. What does not: the records
(``world_square_types``), their ids (``world_square_ids``), and the other register (``till``).

Everything is a pure function of the world: what is drawn besides comes from a stream of its own for each receipt, and
everything carries its time, so that the books of N days are the first part of every longer world's.
"""

from __future__ import annotations

from bisect import bisect_left
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal

from retreasure_assets.sandbox.world import WORLD_START, World
from retreasure_assets.sandbox.world_random import chance, pick, stream, weighted
from retreasure_assets.sandbox.world_square_ids import CAPITALS, opaque, uuid
from retreasure_assets.sandbox.world_square_types import (
    ARRIVES,
    REFUND_SETTLES,
    Entry,
    Fee,
    PlasticCard,
    Shelf,
    SquareCustomer,
    SquarePayout,
    SquareReturn,
    SquareSale,
)
from retreasure_assets.sandbox.world_types import Person, Receipt

#: The register whose receipts go through Square; the till's files have all the others.
SQUARE_REGISTER = "R2"

#: Square's fee of a card payment in Ireland, and what some cards cost besides, as it turns out a day later.
_CARD_RATE = Decimal("0.0175")
_SURCHARGE_RATE = Decimal("0.0050")
_FEE_DELAY = timedelta(hours=2)
_SURCHARGE_DELAY = timedelta(hours=26)
_PAYOUT_HOUR = 5
#: What the shop pays for Square itself, with the first payout of a month.
_SUBSCRIPTION = Decimal("29.00")


def through_square(receipt: Receipt) -> bool:
    """Whether a receipt is of the Square register."""
    return receipt.register_id == SQUARE_REGISTER


def _share(amount: Decimal, rate: Decimal) -> Decimal:
    return (amount * rate).quantize(Decimal("0.01"), ROUND_HALF_UP)


class SquareBooks:
    """Everything that Square knows of the shop as of the world's clock.

    Args:
        world: the shop.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._seed = world.seed
        receipts = sorted(filter(through_square, world.receipts), key=lambda receipt: (receipt.at, receipt.receipt_id))
        cardholders = {person.loyalty_id: person for person in world.people}
        self._locals = [person for person in world.people if person.country == "IE"]
        self._since = [person.since for person in self._locals]
        self.customers = self._customers(receipts, cardholders)
        by_card = {customer.person.loyalty_id: customer.customer_id for customer in self.customers}
        self.sales = [self._sale(receipt, by_card) for receipt in receipts if receipt.sale_id is None]
        by_receipt = {sale.receipt.receipt_id: sale for sale in self.sales}
        self.returns = [
            self._return(receipt, by_receipt[receipt.sale_id]) for receipt in receipts if receipt.sale_id is not None
        ]
        self.payouts = self._payouts()
        items = {item.item_id: item for item in world.items}
        self.shelves = [
            Shelf(items[listing.item_id], listing) for listing in world.listings if listing.channel == "pos"
        ]

    def _customers(self, receipts: list[Receipt], cardholders: dict[str | None, Person]) -> list[SquareCustomer]:
        found: dict[str, SquareCustomer] = {}
        for receipt in receipts:
            card = receipt.loyalty_id
            if card is not None and card not in found:
                found[card] = SquareCustomer(
                    opaque(self._seed, "customer", card, 26, CAPITALS), receipt.at, cardholders[card]
                )
        return list(found.values())

    def _sale(self, receipt: Receipt, customers: dict[str | None, str]) -> SquareSale:
        rng = stream(self._seed, "square", receipt.receipt_id)
        source = {"cash": "CASH", "voucher": "EXTERNAL"}.get(receipt.payment_method, "CARD")
        wrapping = Decimal("3.50") if chance(rng, 0.05) else Decimal(0)
        tip = Decimal(pick(rng, (1, 2, 5))) if source == "CARD" and chance(rng, 0.06) else Decimal(0)
        known = receipt.loyalty_id is not None
        email = self._email(receipt.at, rng.random()) if chance(rng, 0.2) and source == "CARD" and not known else None
        card = None
        if source == "CARD":
            holder = pick(
                rng, ("MURPHY/AOIFE", "BYRNE/CONOR", "RYAN/NIAMH", "WALSH/SEAN", "DOYLE/CIARA", "NOLAN/PADRAIG")
            )
            brand = weighted(rng, (("VISA", 60), ("MASTERCARD", 35), ("AMERICAN_EXPRESS", 5)))
            last_4 = f"{int(rng.random() * 10_000):04d}"
            fingerprint = "sq-1-" + opaque(self._seed, "card", f"{holder}{last_4}", 60)
            card = PlasticCard(brand, last_4, fingerprint, holder)
        sale = SquareSale(
            receipt=receipt,
            order_id=opaque(self._seed, "order", receipt.receipt_id, 26) + "ZY",
            payment_id=opaque(self._seed, "payment", receipt.receipt_id, 26) + "ZY",
            source_type=source,
            wrapping=wrapping,
            tip=tip,
            rounding=Decimal(0),
            customer_id=customers[receipt.loyalty_id] if known else None,
            email=email,
            card=card,
        )
        if source == "CASH":
            # Coins of one and two cents are not used: what ends in 3, 4, 8 or 9 is rounded up; Square knows no other.
            cents = int(sale.goods * 100) % 5
            sale.rounding = Decimal(5 - cents) / 100 if cents >= 3 else Decimal(0)
        if source == "CARD":
            sale.fees.append(Fee(receipt.at + _FEE_DELAY, "INITIAL", _share(sale.total, _CARD_RATE)))
            if card is not None and card.brand == "AMERICAN_EXPRESS":
                surcharge = _share(sale.total, _SURCHARGE_RATE)
                sale.fees.append(Fee(receipt.at + _SURCHARGE_DELAY, "ADJUSTMENT", surcharge))
        sale.fees = [fee for fee in sale.fees if fee.amount and fee.at < self.world.clock]
        return sale

    def _email(self, at: datetime, share: float) -> str | None:
        """Somebody from here who gives an e-mail address for the receipt."""
        there = bisect_left(self._since, at)
        return self._locals[int(there * share)].email if there else None

    def _return(self, receipt: Receipt, sale: SquareSale) -> SquareReturn:
        back = SquareReturn(
            receipt=receipt,
            sale=sale,
            order_id=opaque(self._seed, "order", receipt.receipt_id, 26) + "ZY",
            refund_id=f"{sale.payment_id}_{opaque(self._seed, 'refund', receipt.receipt_id, 40)}",
            settled=receipt.at + REFUND_SETTLES < self.world.clock,
        )
        if sale.source_type == "CARD" and receipt.at + _FEE_DELAY < self.world.clock:
            returned = -_share(back.amount, _CARD_RATE)
            if returned:
                back.fees.append(Fee(receipt.at + _FEE_DELAY, "INITIAL", returned))
        sale.returns.append(back)
        return back

    def _entries(self) -> list[Entry]:
        """Everything that moves the balance, in order of time: cash and vouchers never reach it."""
        entries = []
        for sale in self.sales:
            for fee in sale.fees:
                first = fee.kind == "INITIAL"
                entries.append(
                    Entry(
                        entry_id="poe_" + opaque(self._seed, "entry", f"{sale.payment_id}{fee.kind}"),
                        at=fee.at,
                        kind="CHARGE" if first else "FEE",
                        gross=sale.total if first else -fee.amount,
                        fee=fee.amount if first else Decimal(0),
                        order_id=sale.order_id,
                        payment_id=sale.payment_id,
                        refund_id=None,
                    )
                )
        for back in self.returns:
            for fee in back.fees:
                entries.append(
                    Entry(
                        entry_id="poe_" + opaque(self._seed, "entry", back.refund_id),
                        at=fee.at,
                        kind="REFUND",
                        gross=-back.amount,
                        fee=fee.amount,
                        order_id=back.sale.order_id,
                        payment_id=back.sale.payment_id,
                        refund_id=back.refund_id,
                    )
                )
        return sorted(entries, key=lambda entry: (entry.at, entry.entry_id))

    def _payouts(self) -> list[SquarePayout]:
        """Each morning what the days before brought in; a day that brought in nothing has none."""
        waiting = self._entries()
        payouts: list[SquarePayout] = []
        billed: date | None = None
        day = datetime(WORLD_START.year, WORLD_START.month, WORLD_START.day, tzinfo=UTC) + timedelta(days=1)
        while (at := day + timedelta(hours=_PAYOUT_HOUR)) < self.world.clock:
            due = [entry for entry in waiting if entry.at < day]
            month = day.date().replace(day=1)
            if due and billed != month:
                due.append(self._subscription(day))
            if sum((entry.net for entry in due), Decimal(0)):
                payout_id = "po_" + uuid(self._seed, "payout", day.date())
                payouts.append(SquarePayout(payout_id, at, at + ARRIVES < self.world.clock, due))
                paid = {entry.entry_id for entry in due}
                waiting = [entry for entry in waiting if entry.entry_id not in paid]
                billed = month
            day += timedelta(days=1)
        return payouts

    def _subscription(self, day: datetime) -> Entry:
        return Entry(
            entry_id="poe_" + opaque(self._seed, "entry", f"subscription {day.date()}"),
            at=day - timedelta(seconds=1),
            kind="SUBSCRIPTION_FEE",
            gross=-_SUBSCRIPTION,
            fee=Decimal(0),
            order_id=None,
            payment_id=None,
            refund_id=None,
        )
