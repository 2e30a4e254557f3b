"""All facts of a world: what gold must arrive at, row by row, to the cent.

What belongs here: the till's facts, added to the online shop's, and the list of the other channels. What does not:
daily figures and KPIs (``truth``).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from decimal import Decimal

from retreasure_assets.sandbox.truth_ebay import add_ebay
from retreasure_assets.sandbox.truth_etsy import add_etsy
from retreasure_assets.sandbox.truth_ledger import ZERO, Row, business_date, four, utc, with_refunds
from retreasure_assets.sandbox.truth_online import OnlineFacts
from retreasure_assets.sandbox.truth_square import add_square
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_square import through_square
from retreasure_assets.sandbox.world_types import Receipt, ReceiptLine

#: What adds the rows of one more channel to the facts.
CHANNELS: tuple[Callable[[OnlineFacts], None], ...] = (add_ebay, add_etsy, add_square)


class Facts(OnlineFacts):
    """The rows of all channels."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        for receipt in world.receipts:
            if through_square(receipt):
                continue
            if receipt.lines[0].kind == "return":
                self._return(receipt)
            else:
                self._sale(receipt)
            # No face ties a loyalty card to an e-mail address: it is a person of its own, known once it was shown.
            if receipt.loyalty_id is not None:
                card = f"card {receipt.loyalty_id}"
                self.buyers["pos", receipt.receipt_id] = card
                self.persons.add(card)
        self.shown_items |= {listing.item_id for listing in world.listings if listing.channel == "pos"}
        for add_channel in CHANNELS:
            add_channel(self)

    def _sale(self, receipt: Receipt) -> None:
        day = business_date(receipt.at)
        lines = [self._receipt_line(receipt, line, day) for line in receipt.lines]
        self.order_lines += lines
        row: Row = {
            "channel": "pos",
            "order_id": receipt.receipt_id,
            "order_name": receipt.receipt_id,
            "ordered_at": utc(receipt.at),
            "business_date": day.isoformat(),
            "status": "completed",
            "payment_status": "paid",
            "fulfilment_status": "fulfilled",
            "is_test": False,
            "is_paid": True,
            "is_sale": True,
            "cancelled_at": None,
            "units": sum(line.quantity for line in receipt.lines),
            "currency": "EUR",
            "gross_amount": sum((line["gross_amount"] for line in lines), ZERO),
            "discount_amount": sum((line["discount_amount"] for line in lines), ZERO),
            "shipping_amount": ZERO,
            "tax_amount": sum((line["tax_amount"] for line in lines), ZERO),
            "total_amount": sum((line["line_total_amount"] for line in lines), ZERO),
            "fee_amount": ZERO,
            "fee_base": ZERO,
        }
        self.based(row, "EUR", day, ["gross", "discount", "shipping", "tax", "total"])
        self.orders.append(with_refunds(row, [], lines))
        self._till_payment(receipt, receipt.receipt_id, receipt.receipt_id, "sale", row["total_amount"])

    def _receipt_line(self, receipt: Receipt, line: ReceiptLine, day: date) -> Row:
        gross = line.total + line.discount - (line.tax if receipt.tax_included else ZERO)
        cost = self.item_cost(line.item_id)
        row: Row = {
            "channel": "pos",
            "order_id": receipt.receipt_id,
            "line_id": str(line.line_id),
            "item_id": line.item_id,
            "product_id": None,
            "title": line.title,
            "business_date": day.isoformat(),
            "quantity": line.quantity,
            "currency": "EUR",
            "price_amount": four(gross / line.quantity),
            "gross_amount": gross,
            "discount_amount": line.discount,
            "tax_amount": line.tax,
            "line_total_amount": gross - line.discount + line.tax,
            "item_cost_base": None if cost is None else cost * line.quantity,
        }
        return self.based(row, "EUR", day, ["price", "gross", "discount", "tax", "line_total"])

    def _return(self, receipt: Receipt) -> None:
        """A receipt of returns does not say which sale it takes back."""
        for line in receipt.lines:
            self.restocked(line.item_id, "pos", receipt.at, None, None)
        tax = -sum((line.tax for line in receipt.lines), ZERO)
        amount = -sum((line.total for line in receipt.lines), ZERO) + (ZERO if receipt.tax_included else tax)
        self.refunds.append(
            self.refund_row(
                "pos",
                receipt.receipt_id,
                None,
                receipt.at,
                "EUR",
                amount,
                tax,
                ZERO,
                is_restocked=True,
                is_counted=True,
            )
        )
        self._till_payment(receipt, f"{receipt.receipt_id}:return", None, "refund", amount)

    def _till_payment(
        self, receipt: Receipt, payment_id: str, order_id: str | None, kind: str, amount: Decimal
    ) -> None:
        day = business_date(receipt.at)
        row: Row = {
            "channel": "pos",
            "payment_id": payment_id,
            "order_id": order_id,
            "paid_at": utc(receipt.at),
            "business_date": day.isoformat(),
            "kind": kind,
            "status": "success",
            "gateway": receipt.payment_method,
            "is_test": False,
            "currency": "EUR",
            "payment_amount": amount,
        }
        self.payments.append(self.based(row, "EUR", day, ["payment"]))
