"""The facts of the shop on Etsy: orders, lines, refunds, payments, fees and payouts.

What belongs here: what gold must arrive at for the channel ``etsy``, from the world's own events. What does not:
Etsy's way of showing these things; nothing here looks at a face.

Rules: discount and tax of a receipt are shared among its lines by price, and between goods and delivery (gift wrapping
with it) by what was paid for each; each share is the difference of two running shares of four decimals. A refund has
the share of tax that its receipt had.
"""

from __future__ import annotations

from collections.abc import Sequence
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
from retreasure_assets.sandbox.world_etsy import etsy_shop, shown_email
from retreasure_assets.sandbox.world_etsy_ledger import UNKNOWN_TYPE, settled
from retreasure_assets.sandbox.world_etsy_types import EtsyEntry, EtsyReceipt, EtsyRefund

_RENAMED = {
    "PAYMENT_PROCESSING_FEE": "processing_fee",
    "REFUND_PROCESSING_FEE": "processing_fee_refund",
    UNKNOWN_TYPE: "suspense",
}
#: What moves money and is no cost: sales, refunds, tax that Etsy passes on, and the way to the bank.
_NO_FEES = ("PAYMENT_GROSS", "REFUND_GROSS", "sales_tax", "sales_tax_refund", "DISBURSE2")
_CENT = Decimal("0.01")


def add_etsy(facts: Ledger) -> None:
    """Add the rows of the channel to ``facts``."""
    shop = etsy_shop(facts.world)
    fees = [_fee(facts, entry) for entry in shop.entries if entry.ledger_type not in _NO_FEES]
    facts.fees += fees
    _payouts(facts, shop.entries, fees)
    of_order: dict[str, list[Row]] = {}
    for fee in fees:
        of_order.setdefault(fee["order_id"] or "", []).append(fee)
    people = {person.number: person for person in facts.world.people}
    for receipt in shop.receipts:
        _order(facts, receipt, of_order.get(str(receipt.receipt_id), []))
        person = people[receipt.person]
        # Without an e-mail address nothing ties the person on Etsy to the one in the online shop.
        shown = shown_email(facts.world, person) is not None
        buyer = person_name(person.number) if shown else f"etsy user {person.number}"
        facts.buyers["etsy", str(receipt.receipt_id)] = buyer
        facts.persons.add(buyer)
    facts.listings |= {("etsy", str(listing.listing_id)) for listing in shop.listings}


def _order(facts: Ledger, receipt: EtsyReceipt, fees: Sequence[Row]) -> None:
    day, order_id = business_date(receipt.at), str(receipt.receipt_id)
    currency, total = receipt.currency, receipt.total
    paid = receipt.paid_at is not None
    delivery = receipt.shipping + receipt.gift_wrap
    base = receipt.goods - receipt.discount + delivery
    included = receipt.vat if receipt.vat_included else ZERO
    included_delivery = four(included * delivery / base)
    goods_tax = included - included_delivery, receipt.added_tax - four(receipt.added_tax * delivery / base)
    lines = _lines(facts, receipt, day, goods_tax)
    facts.order_lines += lines
    refunds = [_refund(facts, receipt, place) for place in range(len(receipt.refunds))]
    facts.refunds += refunds
    for place, refund in enumerate(receipt.refunds):
        facts.refund_lines += _refund_lines(receipt, refund, f"{order_id}:{place + 1}", lines)
    _payments(facts, receipt)
    own_rate = (Decimal(settled(receipt, total)) * _CENT / total).quantize(TWELVE, ROUND_HALF_UP) if paid else None
    row: Row = {
        "channel": "etsy",
        "order_id": order_id,
        "order_name": order_id,
        "ordered_at": utc(receipt.at),
        "business_date": day.isoformat(),
        **_states(receipt),
        "fulfilment_status": "fulfilled" if receipt.parcels else "unfulfilled",
        "is_test": False,
        "is_paid": paid,
        "is_sale": paid,
        **destination(receipt.ship_to, day),
        "cancelled_at": utc(receipt.cancelled_at),
        "units": sum(line.quantity for line in receipt.lines),
        "currency": currency,
        "gross_amount": receipt.goods - goods_tax[0],
        "discount_amount": receipt.discount,
        "shipping_amount": delivery - included_delivery,
        "tax_amount": included + receipt.added_tax,
        "total_amount": total,
        "fee_amount": sum((_in_currency(fee["fee_amount"], currency, own_rate) for fee in fees), ZERO),
    }
    facts.based(row, currency, day, ["gross", "discount", "shipping", "tax", "total"])
    row["fee_base"] = sum((fee["fee_base"] for fee in fees), ZERO)
    facts.orders.append(with_refunds(row, refunds, lines))


def _states(receipt: EtsyReceipt) -> Row:
    back = sum((refund.amount for refund in receipt.refunds), ZERO)
    if receipt.paid_at is None:
        payment = "pending" if receipt.cancelled_at is None else "voided"
    else:
        payment = "paid" if not back else "refunded" if back >= receipt.total else "partially_refunded"
    if receipt.cancelled_at is not None:
        status = "cancelled"
    elif back:
        status = payment
    else:
        status = "completed" if receipt.parcels else "open"
    return {"status": status, "payment_status": payment}


def _in_currency(amount: Decimal, currency: str, own_rate: Decimal | None) -> Decimal:
    """A fee in the receipt's currency at Etsy's own rate."""
    return amount if currency == "EUR" or own_rate is None else four(amount / own_rate)


def _lines(facts: Ledger, receipt: EtsyReceipt, day: date, goods_tax: tuple[Decimal, Decimal]) -> list[Row]:
    rows = []
    goods, so_far = receipt.goods, ZERO
    for line in sorted(receipt.lines, key=lambda line: str(line.transaction_id)):
        price = line.price * line.quantity
        shares = [
            four(whole * (so_far + price) / goods) - four(whole * so_far / goods)
            for whole in (receipt.discount, *goods_tax)
        ]
        so_far += price
        discount, included, added = shares
        cost = facts.item_cost(line.item_id)
        row: Row = {
            "channel": "etsy",
            "order_id": str(receipt.receipt_id),
            "line_id": str(line.transaction_id),
            "item_id": line.item_id,
            "product_id": str(line.listing_id),
            "title": line.title,
            "business_date": day.isoformat(),
            "quantity": line.quantity,
            "currency": receipt.currency,
            "price_amount": four((price - included) / line.quantity),
            "gross_amount": price - included,
            "discount_amount": discount,
            "tax_amount": included + added,
            "line_total_amount": price - discount + added,
            "item_cost_base": None if cost is None else cost * line.quantity,
        }
        rows.append(facts.based(row, receipt.currency, day, ["price", "gross", "discount", "tax", "line_total"]))
    return rows


def _refund(facts: Ledger, receipt: EtsyReceipt, place: int) -> Row:
    refund = receipt.refunds[place]
    tax = receipt.added_tax + (receipt.vat if receipt.vat_included else ZERO)
    return facts.refund_row(
        "etsy",
        f"{receipt.receipt_id}:{place + 1}",
        str(receipt.receipt_id),
        refund.at,
        receipt.currency,
        refund.amount,
        four(refund.amount * tax / receipt.total),
        ZERO,
        is_restocked=False,
        is_counted=receipt.paid_at is not None,
    )


def _refund_lines(receipt: EtsyReceipt, refund: EtsyRefund, refund_id: str, lines: Sequence[Row]) -> list[Row]:
    """The line that the refund names, else all by what was paid for them."""
    tax = receipt.added_tax + (receipt.vat if receipt.vat_included else ZERO)
    rows = []
    for line in lines:
        if refund.transaction_id is None:
            given = four(refund.amount * line["line_total_amount"] / receipt.total)
        else:
            given = refund.amount if line["line_id"] == str(refund.transaction_id) else ZERO
        if given:
            given_tax = four(given * tax / receipt.total)
            rows.append(
                {
                    "channel": "etsy",
                    "refund_id": refund_id,
                    "line_id": line["line_id"],
                    "item_id": line["item_id"],
                    "quantity": line["quantity"] if given >= line["line_total_amount"] else 0,
                    "refund_amount": given - given_tax,
                    "tax_amount": given_tax,
                }
            )
    return rows


def _payments(facts: Ledger, receipt: EtsyReceipt) -> None:
    if receipt.paid_at is None:
        return
    movements = [(str(receipt.payment_id), receipt.paid_at, "sale", "success", receipt.total)]
    movements += [
        (f"adjustment:{refund.adjustment_id}", refund.at, "refund", "success", refund.amount)
        for refund in receipt.refunds
    ]
    for payment_id, at, kind, status, amount in movements:
        day = business_date(at)
        row: Row = {
            "channel": "etsy",
            "payment_id": payment_id,
            "order_id": str(receipt.receipt_id),
            "paid_at": utc(at),
            "business_date": day.isoformat(),
            "kind": kind,
            "status": status,
            "gateway": "etsy_payments",
            "is_test": False,
            "currency": receipt.currency,
            "payment_amount": amount,
        }
        facts.payments.append(facts.based(row, receipt.currency, day, ["payment"]))


def _fee(facts: Ledger, entry: EtsyEntry) -> Row:
    day = business_date(entry.at)
    row: Row = {
        "channel": "etsy",
        "fee_id": str(entry.entry_id),
        "order_id": None if entry.order_id is None else str(entry.order_id),
        "payout_id": None if entry.payout_id is None else str(entry.payout_id),
        "fee_type": _RENAMED.get(entry.ledger_type, entry.ledger_type),
        "charged_at": utc(entry.at),
        "business_date": day.isoformat(),
        "currency": "EUR",
        "fee_amount": -entry.amount * _CENT,
    }
    return facts.based(row, "EUR", day, ["fee"])


def _payouts(facts: Ledger, entries: Sequence[EtsyEntry], fees: Sequence[Row]) -> None:
    """A payout equals its entries, what it found on the account and what it left there."""
    withheld: dict[str, Decimal] = {}
    for fee in fees:
        payout_id = fee["payout_id"] or ""
        withheld[payout_id] = withheld.get(payout_id, ZERO) + fee["fee_amount"]
    booked: dict[int, int] = {}
    found = left = 0
    for entry in entries:
        if entry.ledger_type != "DISBURSE2":
            booked[entry.payout_id or 0] = booked.get(entry.payout_id or 0, 0) + entry.amount
            continue
        found, left = left, entry.balance
        day, payout_id = business_date(entry.at), str(entry.entry_id)
        net, fee_amount = -entry.amount * _CENT, withheld.get(payout_id, ZERO)
        row: Row = {
            "channel": "etsy",
            "payout_id": payout_id,
            "issued_at": utc(entry.at),
            "business_date": day.isoformat(),
            "status": "paid",
            "currency": "EUR",
            "gross_amount": net + fee_amount,
            "fee_amount": fee_amount,
            "net_amount": net,
            "_ledger_net_amount": (booked.get(entry.entry_id, 0) + found - left) * _CENT,
        }
        facts.payouts.append(facts.based(row, "EUR", day, ["gross", "fee", "net"]))
