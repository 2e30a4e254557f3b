"""The Shopify Payments account: what is on it, and the payouts that empty it on bank days.

What belongs here: account movements between the bank and the shop. What does not: the fee of a payment
(``world_lives``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime, timedelta
from decimal import Decimal
from random import Random

from retreasure_assets.sandbox.world_fx import is_bank_day, next_bank_day
from retreasure_assets.sandbox.world_ids import Ids
from retreasure_assets.sandbox.world_order_types import BalanceTransaction, Payout
from retreasure_assets.sandbox.world_random import cents, chance, moment, pick

ZERO = Decimal("0.00")

#: Full days that a movement stays on the account before it may be paid out.
_HOLD = timedelta(days=2)


class Account:
    """Movements in, payouts out."""

    def __init__(self, ids: Ids) -> None:
        self._ids = ids
        self._waiting: dict[date, list[BalanceTransaction]] = {}
        self.movements: list[BalanceTransaction] = []
        self.payouts: list[Payout] = []

    def add(self, movements: Iterable[BalanceTransaction]) -> None:
        """Book movements; each counts from its own time on, which may lie ahead."""
        for movement in movements:
            self.movements.append(movement)
            self._waiting.setdefault(movement.at.date(), []).append(movement)

    def adjust(self, rng: Random, day: datetime, mean: float) -> None:
        """Now and then the platform corrects something: a credit, or a disputed amount with its fee."""
        if not chance(rng, min(mean, 0.9)):
            return
        disputed = chance(rng, 0.3)
        amount = -cents(rng, 20, 180) if disputed else cents(rng, 1, 25)
        self.add(
            [
                BalanceTransaction(
                    balance_id=self._ids.next("balance"),
                    at=moment(rng, day, 8, 20),
                    type="ADJUSTMENT",
                    amount=amount.quantize(ZERO),
                    fee=Decimal("15.00") if disputed else ZERO,
                    order_id=None,
                    order_name=None,
                    transaction_id=None,
                    source_id=self._ids.next("adjustment"),
                    reason="chargeback" if disputed else pick(rng, ("goodwill_credit", "fee_correction")),
                )
            ]
        )

    def pay_out(self, day: datetime) -> None:
        """The payout of a bank day, if it is one and there is something to pay; issued at 05:00 UTC."""
        if not is_bank_day(day.date()):
            return
        due = sorted(waiting for waiting in self._waiting if waiting <= day.date() - _HOLD)
        movements = [movement for waiting in due for movement in self._waiting[waiting]]
        if sum((movement.net for movement in movements), ZERO) <= 0:
            return  # A negative balance waits for better days.
        for waiting in due:
            del self._waiting[waiting]

        def total(kind: str, field: str) -> Decimal:
            return sum((getattr(movement, field) for movement in movements if movement.type == kind), ZERO)

        at = day + timedelta(hours=5)
        payout = Payout(
            payout_id=self._ids.next("payout"),
            at=at,
            paid_at=datetime.combine(next_bank_day(day.date()), at.timetz()) + timedelta(hours=4),
            charges=total("CHARGE", "amount"),
            charges_fee=total("CHARGE", "fee"),
            refunds=total("REFUND", "amount"),
            refunds_fee=total("REFUND", "fee"),
            adjustments=total("ADJUSTMENT", "amount"),
            adjustments_fee=total("ADJUSTMENT", "fee"),
        )
        self.payouts.append(payout)
        for movement in movements:
            movement.payout_id = payout.payout_id
        self.movements.append(
            BalanceTransaction(
                balance_id=self._ids.next("balance"),
                at=at,
                type="TRANSFER",
                amount=-payout.net,
                fee=ZERO,
                order_id=None,
                order_name=None,
                transaction_id=None,
                source_id=payout.payout_id,
                reason=None,
                payout_id=payout.payout_id,
            )
        )
