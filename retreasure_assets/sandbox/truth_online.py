"""The facts of the online shop: orders, lines, refunds, payments, fees and payouts.

What belongs here: what gold must arrive at for the channel ``shopify``, from the world's own events. What does not:
the platform's way of showing these things; nothing here looks at a face.
"""

from __future__ import annotations

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from retreasure_assets.sandbox.truth_ledger import (
    TWELVE,
    ZERO,
    Ledger,
    Row,
    business_date,
    four,
    person_name,
    utc,
    with_refunds,
)
from retreasure_assets.sandbox.truth_zones import destination
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_order_types import BalanceTransaction, Order, OrderLine, Refund, Transaction


class OnlineFacts(Ledger):
    """The online shop's rows, and those of its payments account."""

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self.fees = [self._fee(movement) for movement in world.movements if movement.fee]
        self.payouts = self._payouts()
        fees: dict[str, list[Row]] = {}
        for fee in self.fees:
            if fee["order_id"] is not None:
                fees.setdefault(fee["order_id"], []).append(fee)
        for order in world.orders:
            self._order(order, fees.get(str(order.order_id), []))
        self._name_people()
        on_shopify = [listing for listing in world.listings if listing.channel == "shopify"]
        self.listings |= {("shopify", str(listing.listing_id)) for listing in on_shopify}
        self.shown_items |= {listing.item_id for listing in on_shopify}

    def _name_people(self) -> None:
        """Accounts and e-mail addresses that belong together are one person; an order says who by either."""
        known = {person.email.lower(): person.number for person in self.world.people}
        self.persons |= {person_name(person.number) for person in self.world.people if person.shopify_id is not None}
        for order in self.world.orders:
            address = (order.email or "").lower()
            number = order.person if order.person is not None else known.get(address)
            if number is not None:
                self.buyers["shopify", str(order.order_id)] = person_name(number)
            if address:
                self.persons.add(person_name(known[address]) if address in known else f"address {address}")

    def _order(self, order: Order, fees: list[Row]) -> None:
        day, order_id = business_date(order.at), str(order.order_id)
        paid = _paid(order)
        lines = [self._line(order, line, day) for line in order.lines]
        self.order_lines += lines
        refunds = [self._refund(order, refund) for refund in order.refunds]
        self.refunds += refunds
        self.payments += [self._payment(order, transaction) for transaction in order.transactions]
        tax = sum((line.tax for line in order.lines), ZERO)
        shipping_tax = order.shipping.tax if order.shipping else ZERO
        shipping = (order.shipping.paid if order.shipping else ZERO) - (shipping_tax if order.taxes_included else ZERO)
        # What the platform itself counted the order at, in the shop's currency.
        settled = (order.total * order.rate).quantize(Decimal("0.01"), ROUND_HALF_UP)
        own_rate = (settled / order.total).quantize(TWELVE, ROUND_HALF_UP) if order.total else None
        payment, sent = _payment_status(order), _fulfilment_status(order)
        row: Row = {
            "channel": "shopify",
            "order_id": order_id,
            "order_name": order.name,
            "ordered_at": utc(order.at),
            "business_date": day.isoformat(),
            "status": _status(order, payment, sent),
            "payment_status": payment,
            "fulfilment_status": sent,
            "is_test": order.test,
            "is_paid": paid,
            "is_sale": paid and not order.test,
            **destination(order.ship_to, day),
            "cancelled_at": utc(order.cancelled_at),
            "units": sum(line.quantity for line in order.lines),
            "currency": order.currency,
            "gross_amount": sum((line["gross_amount"] for line in lines), ZERO),
            "discount_amount": sum((line.discount for line in order.lines), ZERO),
            "shipping_amount": shipping,
            "tax_amount": tax + shipping_tax,
            "surcharge_amount": order.surcharges.total,
            "total_amount": order.total,
            "fee_amount": sum((self._fee_of(order, fee, own_rate) for fee in fees), ZERO),
        }
        self.based(row, order.currency, day, ["gross", "discount", "shipping", "tax", "surcharge", "total"])
        row["fee_base"] = sum((fee["fee_base"] for fee in fees), ZERO)
        self.orders.append(with_refunds(row, refunds, lines))

    def _payment(self, order: Order, transaction: Transaction) -> Row:
        day = business_date(transaction.at)
        row: Row = {
            "channel": "shopify",
            "payment_id": str(transaction.transaction_id),
            "order_id": str(order.order_id),
            "paid_at": utc(transaction.at),
            "business_date": day.isoformat(),
            "kind": transaction.kind.lower(),
            "status": transaction.status.lower(),
            "gateway": transaction.gateway,
            "is_test": order.test,
            "currency": order.currency,
            "payment_amount": transaction.amount,
        }
        return self.based(row, order.currency, day, ["payment"])

    @staticmethod
    def _fee_of(order: Order, fee: Row, own_rate: Decimal | None) -> Decimal:
        """A fee in the order's currency, at the platform's own rate."""
        amount: Decimal = fee["fee_amount"]
        if order.currency == fee["currency"] or own_rate is None:
            return amount
        return four(amount / own_rate)

    def _line(self, order: Order, line: OrderLine, day: date) -> Row:
        gross = line.unit_price * line.quantity - (line.tax if order.taxes_included else ZERO)
        cost = self.item_cost(line.item_id)
        row: Row = {
            "channel": "shopify",
            "order_id": str(order.order_id),
            "line_id": str(line.line_id),
            "item_id": line.item_id,
            "product_id": str(line.product_id),
            "title": line.title,
            "business_date": day.isoformat(),
            "quantity": line.quantity,
            "currency": order.currency,
            "price_amount": four(gross / line.quantity),
            "gross_amount": gross,
            "discount_amount": line.discount,
            "tax_amount": line.tax,
            "line_total_amount": gross - line.discount + line.tax,
            "item_cost_base": None if cost is None else cost * line.quantity,
        }
        return self.based(row, order.currency, day, ["price", "gross", "discount", "tax", "line_total"])

    def _refund(self, order: Order, refund: Refund) -> Row:
        for line in refund.lines:
            if line.restock_type in ("RETURN", "CANCEL"):
                self.restocked(line.item_id, "shopify", refund.at, str(order.order_id), str(line.line_id))
        return self.refund_row(
            "shopify",
            str(refund.refund_id),
            str(order.order_id),
            refund.at,
            order.currency,
            refund.amount,
            refund.tax,
            refund.shipping - (refund.shipping_tax if order.taxes_included else ZERO),
            refund.duties + refund.extras,
            is_restocked=refund.restocked,
            is_counted=_paid(order) and not order.test,
        )

    def _fee(self, movement: BalanceTransaction) -> Row:
        day = business_date(movement.at)
        row: Row = {
            "channel": "shopify",
            "fee_id": f"{movement.balance_id}:processing_fee",
            "order_id": None if movement.order_id is None else str(movement.order_id),
            "payout_id": None if movement.payout_id is None else str(movement.payout_id),
            "fee_type": "processing_fee",
            "charged_at": utc(movement.at),
            "business_date": day.isoformat(),
            "currency": "EUR",
            "fee_amount": movement.fee,
        }
        return self.based(row, "EUR", day, ["fee"])

    def _payouts(self) -> list[Row]:
        sums: dict[int, Decimal] = {}
        for movement in self.world.movements:
            if movement.payout_id is not None and movement.type != "TRANSFER":
                sums[movement.payout_id] = sums.get(movement.payout_id, ZERO) + movement.net
        rows = []
        for payout in self.world.payouts:
            day = business_date(payout.at)
            row: Row = {
                "channel": "shopify",
                "payout_id": str(payout.payout_id),
                "issued_at": utc(payout.at),
                "business_date": day.isoformat(),
                "status": "paid" if payout.paid_at < self.world.clock else "scheduled",
                "currency": "EUR",
                "gross_amount": payout.gross,
                "fee_amount": payout.fees,
                "net_amount": payout.net,
                "_ledger_net_amount": sums.get(payout.payout_id, ZERO),
            }
            rows.append(self.based(row, "EUR", day, ["gross", "fee", "net"]))
        return rows


def _paid(order: Order) -> bool:
    return any(t.kind in ("SALE", "CAPTURE") and t.status == "SUCCESS" for t in order.transactions)


def _payment_status(order: Order) -> str:
    if _paid(order):
        back = sum((refund.amount for refund in order.refunds), ZERO)
        return "paid" if not back else "refunded" if back == order.total else "partially_refunded"
    if order.cancelled_at is not None:
        return "voided"
    return "authorized" if any(t.kind == "AUTHORIZATION" for t in order.transactions) else "pending"


def _fulfilment_status(order: Order) -> str:
    sent = sum(parcel.quantity for parcel in order.fulfilments)
    if not sent:
        return "unfulfilled"
    return "fulfilled" if sent == sum(line.quantity for line in order.lines) else "partially_fulfilled"


def _status(order: Order, payment: str, sent: str) -> str:
    if order.cancelled_at is not None:
        return "cancelled"
    if payment in ("refunded", "partially_refunded"):
        return payment
    return "completed" if sent == "fulfilled" else "open"
