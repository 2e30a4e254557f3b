"""The facts of the shop's Square register: orders, lines, refunds, payments, fees, payouts and stock.

What belongs here: what gold must arrive at for the part of the channel ``pos`` that goes through Square. What does not:
the other register (``truth_facts``), and Square's way of showing these things.

What can be known: a return says which sale it takes back; a sale with a loyalty card is its holder's, and Square's
customers carry the card, so it is the same person as at the other register. Nobody there is tied to an e-mail address.
An address that was given for a receipt is on the payment alone, so the order has no buyer.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from retreasure_assets.sandbox.truth_ledger import ZERO, Row, business_date, four, utc, with_refunds
from retreasure_assets.sandbox.truth_online import OnlineFacts
from retreasure_assets.sandbox.world_square import SquareBooks
from retreasure_assets.sandbox.world_square_ids import location_id, variation_id
from retreasure_assets.sandbox.world_square_types import (
    Entry,
    Fee,
    SquarePayout,
    SquareReturn,
    SquareSale,
    line_total,
)
from retreasure_assets.sandbox.world_types import ReceiptLine


def add_square(facts: OnlineFacts) -> None:
    """Add the register's rows to ``facts``."""
    books = SquareBooks(facts.world)
    paid_out = _paid_out(books)
    for sale in books.sales:
        _sale(facts, sale, paid_out)
    for paid in books.payouts:
        _payout(facts, paid)
    people = {person.email: person.number for person in facts.world.people}
    facts.persons |= {f"person {people[sale.email]}" for sale in books.sales if sale.email is not None}
    facts.persons |= {f"card {known.person.loyalty_id}" for known in books.customers}
    facts.shown_items |= {shelf.item.item_id for shelf in books.shelves}
    facts.listings |= {("pos", variation_id(facts.world.seed, shelf.item.item_id)) for shelf in books.shelves}
    facts.stock += [
        {
            "channel": "pos",
            "location_id": location_id(facts.world.seed),
            "item_id": shelf.item.item_id,
            "available": max(0, shelf.listing.versions[-1].quantity),
        }
        for shelf in books.shelves
    ]


def _paid_out(books: SquareBooks) -> dict[tuple[str, str], str]:
    """(payment or refund, kind of fee) -> the payout that the fee was withheld from."""
    found: dict[tuple[str, str], str] = {}
    for paid in books.payouts:
        for entry in paid.entries:
            source = entry.refund_id or entry.payment_id
            if source is not None:
                found[source, "ADJUSTMENT" if entry.kind == "FEE" else "INITIAL"] = paid.payout_id
    return found


def _sale(facts: OnlineFacts, sale: SquareSale, paid_out: Mapping[tuple[str, str], str]) -> None:
    day = business_date(sale.receipt.at)
    lines = [_line(facts, sale, line) for line in sale.receipt.lines]
    refunds = [_refund(facts, back) for back in sale.returns]
    fees = [_fee(facts, sale, fee, sale.payment_id, number, paid_out) for number, fee in enumerate(sale.fees)]
    fees += [_fee(facts, sale, fee, back.refund_id, 0, paid_out) for back in sale.returns for fee in back.fees]
    facts.order_lines += lines
    facts.refunds += refunds
    facts.fees += fees
    _payment(facts, sale, sale.payment_id, "sale", sale.total)
    for back in sale.returns:
        _payment(facts, sale, back.refund_id, "refund", back.amount, back)
    row: Row = {
        "channel": "pos",
        "order_id": sale.order_id,
        "order_name": sale.order_id,
        "ordered_at": utc(sale.receipt.at),
        "business_date": day.isoformat(),
        "status": "completed",
        "payment_status": "paid",
        "fulfilment_status": "fulfilled",
        "is_test": False,
        "is_paid": True,
        "is_sale": True,
        "cancelled_at": None,
        "units": sum(line.quantity for line in sale.receipt.lines),
        "currency": "EUR",
        "gross_amount": sum((line["gross_amount"] for line in lines), ZERO),
        "discount_amount": sale.discount,
        # Gift wrapping is sold beside the goods. Tips and the rounding of cash are no part of the sale.
        "shipping_amount": sale.wrapping,
        "tax_amount": sale.tax,
        "total_amount": sale.goods + sale.wrapping,
        "fee_amount": sum((fee["fee_amount"] for fee in fees), ZERO),
    }
    facts.based(row, "EUR", day, ["gross", "discount", "shipping", "tax", "total"])
    row["fee_base"] = sum((fee["fee_base"] for fee in fees), ZERO)
    facts.orders.append(with_refunds(row, refunds, lines))
    if sale.customer_id is not None:
        facts.buyers["pos", sale.order_id] = f"card {sale.receipt.loyalty_id}"


def _line(facts: OnlineFacts, sale: SquareSale, line: ReceiptLine) -> Row:
    day = business_date(sale.receipt.at)
    total = line_total(sale.receipt, line)
    gross = total + line.discount - line.tax
    cost = facts.item_cost(line.item_id)
    row: Row = {
        "channel": "pos",
        "order_id": sale.order_id,
        "line_id": f"line-{line.line_id}",
        "item_id": line.item_id,
        "product_id": variation_id(facts.world.seed, line.item_id),
        "title": line.title,
        "business_date": day.isoformat(),
        "quantity": line.quantity,
        "currency": "EUR",
        "price_amount": four(gross / line.quantity),
        "gross_amount": gross,
        "discount_amount": line.discount,
        "tax_amount": line.tax,
        "line_total_amount": total,
        "item_cost_base": None if cost is None else cost * line.quantity,
    }
    return facts.based(row, "EUR", day, ["price", "gross", "discount", "tax", "line_total"])


def _refund(facts: OnlineFacts, back: SquareReturn) -> Row:
    for line in back.receipt.lines:
        sold = f"line-{back.sold(line).line_id}"
        facts.restocked(line.item_id, "pos", back.receipt.at, back.sale.order_id, sold)
    return facts.refund_row(
        "pos",
        f"{back.order_id}:{back.sale.order_id}",
        back.sale.order_id,
        back.receipt.at,
        "EUR",
        back.amount,
        back.tax,
        ZERO,
        is_restocked=True,
        is_counted=True,
    )


def _payment(
    facts: OnlineFacts,
    sale: SquareSale,
    payment_id: str,
    kind: str,
    amount: Decimal,
    back: SquareReturn | None = None,
) -> None:
    at = (back or sale).receipt.at
    day = business_date(at)
    row: Row = {
        "channel": "pos",
        "payment_id": payment_id,
        "order_id": sale.order_id,
        "paid_at": utc(at),
        "business_date": day.isoformat(),
        "kind": kind,
        "status": "success" if back is None or back.settled else "pending",
        "gateway": sale.source_type.lower(),
        "is_test": False,
        "currency": "EUR",
        "payment_amount": amount,
    }
    facts.payments.append(facts.based(row, "EUR", day, ["payment"]))


def _fee(
    facts: OnlineFacts, sale: SquareSale, fee: Fee, source_id: str, number: int, paid_out: Mapping[tuple[str, str], str]
) -> Row:
    kind = "processing_fee" if fee.kind == "INITIAL" else "processing_fee_adjustment"
    # The surcharge is the only adjustment, and follows the first fee.
    assert number == 0 or fee.kind != "INITIAL"
    day = business_date(fee.at)
    row: Row = {
        "channel": "pos",
        "fee_id": f"{source_id}:{kind}:1",
        "order_id": sale.order_id,
        "payout_id": paid_out.get((source_id, fee.kind)),
        "fee_type": kind,
        "charged_at": utc(fee.at),
        "business_date": day.isoformat(),
        "currency": "EUR",
        "fee_amount": fee.amount,
    }
    return facts.based(row, "EUR", day, ["fee"])


def _payout(facts: OnlineFacts, paid: SquarePayout) -> None:
    day = business_date(paid.at)
    gross = sum((entry.gross for entry in paid.entries if not _is_charge(entry)), ZERO)
    row: Row = {
        "channel": "pos",
        "payout_id": paid.payout_id,
        "issued_at": utc(paid.at),
        "business_date": day.isoformat(),
        "status": "paid" if paid.paid else "in_transit",
        "currency": "EUR",
        "gross_amount": gross,
        "fee_amount": gross - paid.net,
        "net_amount": paid.net,
        "_ledger_net_amount": paid.net,
    }
    facts.payouts.append(facts.based(row, "EUR", day, ["gross", "fee", "net"]))
    for entry in paid.entries:
        if entry.kind == "SUBSCRIPTION_FEE":
            charged = business_date(entry.at)
            fee: Row = {
                "channel": "pos",
                "fee_id": f"{entry.entry_id}:subscription_fee",
                "order_id": None,
                "payout_id": paid.payout_id,
                "fee_type": "subscription_fee",
                "charged_at": utc(entry.at),
                "business_date": charged.isoformat(),
                "currency": "EUR",
                "fee_amount": -entry.net,
            }
            facts.fees.append(facts.based(fee, "EUR", charged, ["fee"]))


def _is_charge(entry: Entry) -> bool:
    """Whether an entry is a cost by itself: it lessens the net amount alone."""
    return entry.kind in ("FEE", "SUBSCRIPTION_FEE")
