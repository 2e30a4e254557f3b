"""What becomes of an online order: paid or not, cancelled, sent, delivered, given back.

What belongs here: the order's later events, all drawn when it is placed and each with its own time, so that the
world can be seen as of any moment. What does not: the order itself (``world_orders``) and the payouts (``world_till``
and ``world_payouts`` have the rest).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from retreasure_assets.sandbox.world_fx import rounded
from retreasure_assets.sandbox.world_ids import Ids
from retreasure_assets.sandbox.world_order_types import (
    BalanceTransaction,
    Fulfilment,
    Order,
    OrderLine,
    Refund,
    RefundLine,
    Transaction,
)
from retreasure_assets.sandbox.world_random import chance, hours, pick, seconds, weighted
from retreasure_assets.sandbox.world_stock_words import CARRIERS
from retreasure_assets.sandbox.world_types import Item, StockMove

ZERO = Decimal(0)
PAYMENTS = "shopify_payments"

#: Share of a card payment that Shopify Payments keeps, plus 0.25.
_FEE_RATES = {"EEA": Decimal("0.015"), "elsewhere": Decimal("0.029")}
_FLAT_FEE = Decimal("0.25")
_EEA = ("IE", "DE", "FR", "NL")


@dataclass(slots=True)
class Later:
    """What an order's life brings about outside itself: account movements, and pieces that come back."""

    balance: list[BalanceTransaction] = field(default_factory=list)
    returns: list[tuple[datetime, str, int]] = field(default_factory=list)


class Life:
    """Draws one order's later events.

    Args:
        rng: the day's stream.
        ids: the world's counters.
        item: finds an item by its id.
    """

    def __init__(self, rng: Random, ids: Ids, item: Callable[[str], Item]) -> None:
        self._rng = rng
        self._ids = ids
        self._item = item
        self._later = Later()

    def live(self, order: Order, *, oversold: bool) -> Later:
        """Fill in the order's transactions, fulfilments and refunds; return what concerns the rest of the world."""
        paid = self._pay(order)
        if paid is None:
            self._move(order, order.cancelled_at, sent=False, relist=not oversold)
            return self._later
        rng = self._rng
        if oversold or chance(rng, 0.018):
            order.cancelled_at = paid.at + hours(rng, 1, 16)
            order.cancel_reason = "INVENTORY" if oversold else pick(rng, ("CUSTOMER", "FRAUD", "OTHER"))
            self._refund(order, paid, order.cancelled_at, "CANCEL", [(line, line.quantity) for line in order.lines])
            self._move(order, order.cancelled_at, sent=False, relist=not oversold)
            return self._later
        done = self._send(order, paid.at)
        self._give_back(order, paid, done)
        return self._later

    # --- payment ---------------------------------------------------------------------------------------------

    def _pay(self, order: Order) -> Transaction | None:
        """The transaction that took the money; None when the order was cancelled before anybody paid."""
        rng, at, total = self._rng, order.at, order.total
        if order.test:
            return self._transact(order, at, "SALE", "SUCCESS", "bogus", total)
        gateway = weighted(rng, ((PAYMENTS, 80), ("paypal", 13), ("Bank Deposit", 7 if order.currency == "EUR" else 0)))
        if gateway == "Bank Deposit":
            pending = self._transact(order, at, "SALE", "PENDING", gateway, total)
            if chance(rng, 0.3):
                self._abandon(order, at + timedelta(days=6) + hours(rng, 1, 9), pending)
                return None
            return self._transact(order, at + hours(rng, 20, 130), "SALE", "SUCCESS", gateway, total, pending)
        if gateway == PAYMENTS and chance(rng, 0.04):
            self._transact(order, at, "SALE", "FAILURE", gateway, total)
        if gateway == PAYMENTS and chance(rng, 0.09):
            held = self._transact(order, at + timedelta(seconds=6), "AUTHORIZATION", "SUCCESS", gateway, total)
            if chance(rng, 0.1):
                self._abandon(order, at + hours(rng, 6, 60), held)
                return None
            return self._transact(order, at + hours(rng, 4, 44), "CAPTURE", "SUCCESS", gateway, total, held)
        return self._transact(order, at + timedelta(seconds=6), "SALE", "SUCCESS", gateway, total)

    def _abandon(self, order: Order, at: datetime, parent: Transaction) -> None:
        """Cancelled before anybody paid."""
        self._transact(order, at, "VOID", "SUCCESS", parent.gateway, order.total, parent)
        order.cancelled_at = at
        order.cancel_reason = "DECLINED" if parent.kind == "AUTHORIZATION" else "OTHER"

    def _transact(
        self,
        order: Order,
        at: datetime,
        kind: str,
        status: str,
        gateway: str,
        amount: Decimal,
        parent: Transaction | None = None,
    ) -> Transaction:
        transaction = Transaction(
            transaction_id=self._ids.next("transaction"),
            at=at,
            kind=kind,
            status=status,
            gateway=gateway,
            amount=amount,
            parent_id=None if parent is None else parent.transaction_id,
            test=order.test,
        )
        order.transactions.append(transaction)
        if gateway == PAYMENTS and status == "SUCCESS" and kind in ("SALE", "CAPTURE", "REFUND"):
            self._book(order, transaction)
        return transaction

    def _book(self, order: Order, transaction: Transaction) -> None:
        """Shopify Payments books the movement and keeps its fee; fees are not given back with a refund."""
        amount = rounded(transaction.amount * order.rate, "EUR")
        fee = Decimal("0.00")
        if transaction.kind != "REFUND":
            country = order.bill_to.country_code if order.bill_to else "IE"
            transaction.fee_rate = _FEE_RATES["EEA" if country in _EEA else "elsewhere"]
            transaction.fee = fee = rounded(amount * transaction.fee_rate + _FLAT_FEE, "EUR")
        self._later.balance.append(
            BalanceTransaction(
                balance_id=self._ids.next("balance"),
                at=transaction.at + timedelta(seconds=2),
                type="REFUND" if transaction.kind == "REFUND" else "CHARGE",
                amount=-amount if transaction.kind == "REFUND" else amount,
                fee=fee,
                order_id=order.order_id,
                order_name=order.name,
                transaction_id=transaction.transaction_id,
                source_id=transaction.transaction_id,
                reason=None,
            )
        )

    # --- delivery --------------------------------------------------------------------------------------------

    def _send(self, order: Order, paid_at: datetime) -> datetime:
        """Parcels, and the time at which the last one arrived."""
        rng = self._rng
        pieces = sum(line.quantity for line in order.lines)
        first = 1 if len(order.lines) > 1 and chance(rng, 0.2) else pieces
        done = at = paid_at + hours(rng, 4, 72)
        for quantity in (first, pieces - first):
            if not quantity:
                continue
            carrier = pick(rng, CARRIERS)[0] if order.shipping is not None else None
            in_transit = at + hours(rng, 2, 20) if carrier else None
            delivered: datetime | None = in_transit + hours(rng, 20, 220) if in_transit else at + timedelta(seconds=1)
            if carrier and chance(rng, 0.02):
                delivered = None  # Never scanned at the door.
            order.fulfilments.append(
                Fulfilment(
                    fulfilment_id=self._ids.next("fulfilment"),
                    at=at,
                    quantity=quantity,
                    carrier=carrier,
                    tracking_number=f"RT{int(rng.random() * 10**9):09d}IE" if carrier else None,
                    in_transit_at=in_transit,
                    delivered_at=delivered,
                    estimated_at=at + timedelta(days=5) if carrier else None,
                )
            )
            done = max(done, delivered or at + timedelta(days=12))
            at = at + hours(rng, 20, 70)
        self._move(order, order.fulfilments[-1].at, sent=True)
        return done

    def _move(self, order: Order, at: datetime | None, *, sent: bool, relist: bool = True) -> None:
        """Committed pieces leave the building, or go back on the shelf."""
        if order.test or at is None:
            return
        for line in order.lines:
            quantity = line.quantity
            self._item(line.item_id).moves.append(
                StockMove(at, 0, -quantity, -quantity) if sent else StockMove(at, quantity, -quantity, 0)
            )
            if not sent and relist:
                self._later.returns.append((at + hours(self._rng, 1, 8), line.item_id, quantity))

    # --- giving back -----------------------------------------------------------------------------------------

    def _give_back(self, order: Order, paid: Transaction, delivered: datetime) -> None:
        """One order in nine: everything, a line, goodwill, or the delivery; seldom twice."""
        rng = self._rng
        if not chance(rng, 0.11):
            return
        at = delivered + hours(rng, 30, 330)
        restock = "RETURN" if chance(rng, 0.75) else "NO_RESTOCK"
        kind = rng.random()
        if kind < 0.45:
            everything = [(line, line.quantity) for line in order.lines]
            self._refund(order, paid, at, restock, everything, shipping=chance(rng, 0.5))
        elif kind < 0.72:
            line = pick(rng, order.lines)
            part = line.quantity // 2 if line.quantity > 1 and chance(rng, 0.5) else line.quantity
            self._refund(order, paid, at, restock, [(line, part)])
            rest = [other for other in order.lines if other is not line]
            if rest and chance(rng, 0.3):
                self._refund(order, paid, at + hours(rng, 24, 96), restock, [(rest[0], rest[0].quantity)])
        elif kind < 0.9 or order.shipping is None or not order.shipping.paid:
            goodwill = rounded(order.total * Decimal(5 + int(rng.random() * 15)) / 100, order.currency)
            self._refund(order, paid, at, "NO_RESTOCK", [], goodwill=goodwill)
        else:
            self._refund(order, paid, at, "NO_RESTOCK", [], shipping=True)

    def _refund(
        self,
        order: Order,
        paid: Transaction,
        at: datetime,
        restock: str,
        lines: list[tuple[OrderLine, int]],
        *,
        shipping: bool | None = None,
        goodwill: Decimal = ZERO,
    ) -> None:
        """Give back ``lines`` (with how many of each), the delivery (always when cancelled) and ``goodwill``."""
        rng = self._rng
        given = order.shipping if (restock == "CANCEL" or shipping) else None
        back = tuple(
            RefundLine(
                refund_line_id=self._ids.next("refund_line"),
                line_id=line.line_id,
                item_id=line.item_id,
                quantity=quantity,
                subtotal=rounded(line.paid * quantity / line.quantity, order.currency),
                tax=rounded(line.tax * quantity / line.quantity, order.currency),
                restock_type=restock,
            )
            for line, quantity in lines
        )
        paid_shipping, shipping_tax = (given.paid, given.tax) if given else (ZERO, ZERO)
        tax = sum((line.tax for line in back), ZERO) + shipping_tax
        # Duties come back with the whole of the goods; tips and fees only when the order never happened.
        everything = bool(lines) and sum(n for _, n in lines) == sum(line.quantity for line in order.lines)
        duties = order.surcharges.duties_charged if everything else ZERO
        extras = order.surcharges.tip + order.surcharges.additional_fees if restock == "CANCEL" else ZERO
        amount = sum((line.subtotal for line in back), ZERO) + paid_shipping + goodwill + duties + extras
        if not order.taxes_included:
            amount += tax
        if not amount:
            return
        address = order.bill_to
        who = address.name if address else "the buyer"
        order.refunds.append(
            Refund(
                refund_id=self._ids.next("refund"),
                at=at,
                note=f"Agreed with {who} by phone" if chance(rng, 0.2) else None,
                lines=back,
                shipping=paid_shipping,
                shipping_tax=shipping_tax,
                shipping_line_id=given.shipping_id if given and given.paid else None,
                goodwill=goodwill,
                duties=duties,
                extras=extras,
                amount=amount,
                tax=tax,
            )
        )
        self._transact(order, at, "REFUND", "SUCCESS", paid.gateway, amount, paid)
        if restock == "RETURN" and not order.test:
            for piece in back:
                # The parcel is opened, looked at and put back some hours after the money went out.
                again = at + hours(rng, 2, 30) + seconds(rng, 0, 60)
                self._item(piece.item_id).moves.append(StockMove(again, piece.quantity, 0, piece.quantity))
                self._later.returns.append((again, piece.item_id, piece.quantity))
