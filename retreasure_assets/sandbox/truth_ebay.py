"""The facts of eBay: orders, lines, refunds, payments, fees and payouts.

What belongs here: what gold must arrive at for the channel ``ebay``, from the world's own events. What does not: the
platform's way of showing these things; nothing here looks at a face.

Tax that eBay collects and remits is no money of the seller's: it is in no total, payment or refund.
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
    utc,
    with_refunds,
)
from retreasure_assets.sandbox.truth_online import OnlineFacts
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ebay import relay_address, username
from retreasure_assets.sandbox.world_ebay_ledger import ebay_business
from retreasure_assets.sandbox.world_ebay_types import EbayBusiness, EbayEntry, EbayLine, EbayOrder, EbayPayout
from retreasure_assets.sandbox.world_fx import rounded


def add_ebay(facts: OnlineFacts) -> None:
    """Add eBay's rows to the facts of all channels."""
    business = ebay_business(facts.world)
    fees = [row for entry in business.entries for row in _fees(facts, entry)]
    fees += [_payout_fee(facts, payout) for payout in business.payouts if payout.express_fee]
    facts.fees += fees
    facts.payouts += _payouts(facts, business)
    by_order: dict[str, list[Row]] = {}
    for fee in fees:
        if fee["order_id"] is not None:
            by_order.setdefault(fee["order_id"], []).append(fee)
    people = {person.number: person for person in facts.world.people}
    for order in business.orders:
        _order(facts, order, by_order.get(order.order_id, []))
        # eBay tells a buyer's name there and a relay address: nobody is known from elsewhere by these.
        buyer = f"ebay user {username(people[order.person])}"
        facts.buyers["ebay", order.order_id] = buyer
        facts.persons.add(buyer)
    listings = [listing for listing in facts.world.listings if listing.channel == "ebay"]
    facts.listings |= {("ebay", str(listing.listing_id)) for listing in listings}


def ebay_counts(world: World) -> dict[str, int]:
    """How many records eBay's interface shows."""
    business = ebay_business(world)
    listed = sum(listing.channel == "ebay" for listing in world.listings)
    return {
        "ebay_orders": len(business.orders),
        "ebay_fulfillments": sum(len(order.parcels) for order in business.orders),
        "ebay_inventory_items": listed,
        "ebay_offers": listed,
        "ebay_transactions": len(business.entries),
        "ebay_payouts": len(business.payouts),
    }


def ebay_personal_values(world: World) -> list[str]:
    """What identifies somebody on eBay and nowhere else: user names, relay addresses, notes."""
    business = ebay_business(world)
    people = {person.number: person for person in world.people}
    buyers = {people[order.person].number: people[order.person] for order in business.orders}
    found = [value for person in buyers.values() for value in (username(person), relay_address(person))]
    return found + [order.note for order in business.orders if order.note]


def _order(facts: Ledger, order: EbayOrder, fees: list[Row]) -> None:
    day = business_date(order.at)
    lines = [_line(facts, order, line, day) for line in order.lines]
    facts.order_lines += lines
    payment = _payment_status(order)
    paid = order.paid_at is not None
    refunds = [
        facts.refund_row(
            "ebay",
            refund.refund_id,
            order.order_id,
            refund.at,
            order.currency,
            refund.amount,
            ZERO,
            ZERO,
            is_restocked=False,
            is_counted=paid,
        )
        for refund in order.refunds
    ]
    facts.refunds += refunds
    facts.payments += _payments(facts, order)
    sent = _fulfilment_status(order)
    row: Row = {
        "channel": "ebay",
        "order_id": order.order_id,
        "order_name": order.order_id,
        "ordered_at": utc(order.at),
        "business_date": day.isoformat(),
        "status": _status(order, payment, sent),
        "payment_status": payment,
        "fulfilment_status": sent,
        "is_test": False,
        "is_paid": paid,
        "is_sale": paid,
        "cancelled_at": utc(order.cancelled_at),
        "units": len(order.lines),
        "currency": order.currency,
        "gross_amount": sum((line.cost for line in order.lines), ZERO),
        "discount_amount": sum((line.discount for line in order.lines), ZERO),
        "shipping_amount": sum((line.shipping - line.shipping_discount for line in order.lines), ZERO),
        "tax_amount": ZERO,
        "total_amount": order.total,
        "fee_amount": sum((_fee_of(order, fee) for fee in fees), ZERO),
    }
    facts.based(row, order.currency, day, ["gross", "discount", "shipping", "tax", "total"])
    row["fee_base"] = sum((fee["fee_base"] for fee in fees), ZERO)
    facts.orders.append(with_refunds(row, refunds, lines))


def _line(facts: Ledger, order: EbayOrder, line: EbayLine, day: date) -> Row:
    row: Row = {
        "channel": "ebay",
        "order_id": order.order_id,
        "line_id": line.line_id,
        "item_id": line.item_id,
        "product_id": line.listing_id,
        "title": line.title,
        "business_date": day.isoformat(),
        "quantity": 1,
        "currency": order.currency,
        "price_amount": line.cost,
        "gross_amount": line.cost,
        "discount_amount": line.discount,
        "tax_amount": ZERO,
        "line_total_amount": line.cost - line.discount,
        "item_cost_base": facts.item_cost(line.item_id),
    }
    return facts.based(row, order.currency, day, ["price", "gross", "discount", "tax", "line_total"])


def _payments(facts: Ledger, order: EbayOrder) -> list[Row]:
    movements = []
    if order.paid_at is not None:
        movements.append((f"2{order.order_id.replace('-', '')}", "sale", order.paid_at, order.total))
    movements += [(f"refund:{refund.refund_id}", "refund", refund.at, refund.amount) for refund in order.refunds]
    rows = []
    for payment_id, kind, at, amount in movements:
        day = business_date(at)
        row: Row = {
            "channel": "ebay",
            "payment_id": payment_id,
            "order_id": order.order_id,
            "paid_at": utc(at),
            "business_date": day.isoformat(),
            "kind": kind,
            "status": "success",
            "gateway": "ebay",
            "is_test": False,
            "currency": order.currency,
            "payment_amount": amount,
        }
        rows.append(facts.based(row, order.currency, day, ["payment"]))
    return rows


def _fee_of(order: EbayOrder, fee: Row) -> Decimal:
    """A fee in the order's currency, at eBay's own rate: what the seller is due in EUR for what the buyer paid."""
    amount: Decimal = fee["fee_amount"]
    if order.currency == fee["currency"]:
        return amount
    asked = order.total + order.remitted_tax
    own_rate = (rounded(asked * order.rate, "EUR") / asked).quantize(TWELVE, ROUND_HALF_UP)
    return four(amount / own_rate)


def _fees(facts: Ledger, entry: EbayEntry) -> list[Row]:
    """What an entry costs, or gives back of what was charged: positive as a cost."""
    name = f"{entry.kind.lower()}:{entry.entry_id}:{'credit' if entry.credit else 'debit'}"
    sign = 1 if entry.credit else -1
    parts: dict[str, tuple[str, Decimal]] = {}
    for fee in entry.fees:
        key = f"{name}:{fee.line_id}:{fee.kind.lower()}"
        parts[key] = fee.kind.lower(), parts.get(key, ("", ZERO))[1] + sign * fee.amount
    if entry.kind in ("NON_SALE_CHARGE", "SHIPPING_LABEL"):
        kind = (entry.fee_kind or entry.kind).lower()
        parts[f"{name}:{kind}"] = kind, -sign * entry.amount
    order_id = entry.order.order_id if entry.order else None
    return [_fee(facts, fee_id, kind, amount, entry, order_id) for fee_id, (kind, amount) in parts.items()]


def _fee(facts: Ledger, fee_id: str, kind: str, amount: Decimal, entry: EbayEntry, order_id: str | None) -> Row:
    day = business_date(entry.at)
    row: Row = {
        "channel": "ebay",
        "fee_id": fee_id,
        "order_id": order_id,
        "payout_id": entry.payout_id,
        "fee_type": kind,
        "charged_at": utc(entry.at),
        "business_date": day.isoformat(),
        "currency": "EUR",
        "fee_amount": amount,
    }
    return facts.based(row, "EUR", day, ["fee"])


def _payout_fee(facts: Ledger, payout: EbayPayout) -> Row:
    day = business_date(payout.at)
    row: Row = {
        "channel": "ebay",
        "fee_id": f"payout:{payout.payout_id}:express_payout_fee",
        "order_id": None,
        "payout_id": payout.payout_id,
        "fee_type": "express_payout_fee",
        "charged_at": utc(payout.at),
        "business_date": day.isoformat(),
        "currency": "EUR",
        "fee_amount": payout.express_fee,
    }
    return facts.based(row, "EUR", day, ["fee"])


def _payouts(facts: Ledger, business: EbayBusiness) -> list[Row]:
    sums: dict[str, Decimal] = {}
    for entry in business.entries:
        if entry.payout_id is not None:
            sums[entry.payout_id] = sums.get(entry.payout_id, ZERO) + entry.signed
    states = {"SUCCEEDED": "paid", "INITIATED": "scheduled", "RETRYABLE_FAILED": "failed"}
    rows = []
    for payout in business.payouts:
        day = business_date(payout.at)
        status = states[payout.status(facts.world.clock)]
        ledger = sums[payout.payout_id] - payout.express_fee
        row: Row = {
            "channel": "ebay",
            "payout_id": payout.payout_id,
            "issued_at": utc(payout.at),
            "business_date": day.isoformat(),
            "status": status,
            "currency": "EUR",
            "gross_amount": payout.amount + payout.express_fee,
            "fee_amount": payout.express_fee,
            "net_amount": payout.amount,
            # Nobody owes what has not left.
            "_ledger_net_amount": payout.amount if status == "failed" else ledger,
        }
        rows.append(facts.based(row, "EUR", day, ["gross", "fee", "net"]))
    return rows


def _payment_status(order: EbayOrder) -> str:
    if order.paid_at is None:
        return "voided" if order.cancelled_at is not None else "pending"
    back = sum((refund.amount for refund in order.refunds), ZERO)
    return "paid" if not back else "refunded" if back == order.total else "partially_refunded"


def _fulfilment_status(order: EbayOrder) -> str:
    sent = {line_id for parcel in order.parcels for line_id in parcel.line_ids}
    if not sent:
        return "unfulfilled"
    return "fulfilled" if len(sent) == len(order.lines) else "partially_fulfilled"


def _status(order: EbayOrder, payment: str, sent: str) -> str:
    if order.cancelled_at is not None:
        return "cancelled"
    if payment in ("refunded", "partially_refunded"):
        return payment
    return "completed" if sent == "fulfilled" else "open"
