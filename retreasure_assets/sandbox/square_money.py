"""Payments, refunds and payouts as Square's API writes them (Square-Version 2025-08-20).

What belongs here: what moves money. What does not: what was sold (``square_orders``), and what happened
(``world_square``).
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from retreasure_assets.sandbox.square_format import Json, money, stamp
from retreasure_assets.sandbox.world_square_ids import location_id, opaque
from retreasure_assets.sandbox.world_square_types import Entry, Fee, PlasticCard, SquarePayout, SquareReturn, SquareSale


def payment(seed: int, sale: SquareSale) -> Json:
    """The payment of a sale."""
    at = sale.receipt.at
    found: Json = {
        "id": sale.payment_id,
        "created_at": stamp(at),
        "updated_at": stamp(sale.changed_at),
        "amount_money": money(sale.total - sale.tip),
        "total_money": money(sale.total),
        "approved_money": money(sale.total),
        "status": "COMPLETED",
        "source_type": sale.source_type,
        "location_id": location_id(seed),
        "order_id": sale.order_id,
        "receipt_number": sale.payment_id[:4],
        "receipt_url": f"https://squareup.com/receipt/preview/{sale.payment_id}",
        "device_details": {"device_id": f"DEVICE_INSTALLATION_ID:{opaque(seed, 'device', 'R2')}", "device_name": "R2"},
        "application_details": {"square_product": "SQUARE_POS"},
        "version_token": opaque(seed, "token", f"{sale.payment_id}{stamp(sale.changed_at)}", 43),
    }
    if sale.tip:
        found["tip_money"] = money(sale.tip)
    if sale.card is not None:
        found["card_details"] = {
            "status": "CAPTURED",
            "card": card_details(sale.card),
            "entry_method": entry_method(sale),
            "auth_result_code": opaque(seed, "auth", sale.payment_id, 6),
            "statement_description": "SQ *RETREASURE",
            "card_payment_timeline": {"authorized_at": stamp(at), "captured_at": stamp(at + timedelta(seconds=1))},
        }
    elif sale.source_type == "CASH":
        supplied = (sale.total + Decimal("9.99")) // 10 * 10
        found["cash_details"] = {
            "buyer_supplied_money": money(supplied),
            "change_back_money": money(supplied - sale.total),
        }
    else:
        found["external_details"] = {"type": "OTHER_GIFT_CARD", "source": "ReTreasure voucher"}
    if sale.fees:
        found["processing_fee"] = [_fee(fee) for fee in sale.fees]
    if sale.returns:
        found["refunded_money"] = money(sale.refunded)
        found["refund_ids"] = [back.refund_id for back in sale.returns]
    if sale.customer_id is not None:
        found["customer_id"] = sale.customer_id
    if sale.email is not None:
        found["buyer_email_address"] = sale.email
    return found


def refund(seed: int, back: SquareReturn) -> Json:
    """The refund of a payment: its order is the return, its payment the sale's."""
    found: Json = {
        "id": back.refund_id,
        "status": "COMPLETED" if back.settled else "PENDING",
        "location_id": location_id(seed),
        "unlinked": False,
        "destination_type": back.sale.source_type,
        "amount_money": money(back.amount),
        "payment_id": back.sale.payment_id,
        "order_id": back.order_id,
        "reason": "Returned goods",
        "created_at": stamp(back.receipt.at),
        "updated_at": stamp(back.changed_at),
    }
    if back.sale.card is not None:
        found["destination_details"] = {
            "card_details": {"card": card_details(back.sale.card), "entry_method": entry_method(back.sale)}
        }
    if back.fees:
        found["processing_fee"] = [_fee(fee) for fee in back.fees]
    return found


def _fee(fee: Fee) -> Json:
    return {"effective_at": stamp(fee.at), "type": fee.kind, "amount_money": money(fee.amount)}


def card_details(card: PlasticCard) -> Json:
    """What a payment and a tender tell of the card."""
    return {
        "card_brand": card.brand,
        "last_4": card.last_4,
        "exp_month": 1 + int(card.last_4) % 12,
        "exp_year": 2028,
        "cardholder_name": card.holder,
        "fingerprint": card.fingerprint,
        "card_type": "DEBIT",
        "prepaid_type": "NOT_PREPAID",
    }


def entry_method(sale: SquareSale) -> str:
    """How the card was read."""
    return "CONTACTLESS" if sale.receipt.payment_method == "contactless" else "EMV"


def payout(seed: int, paid: SquarePayout) -> Json:
    """A payout."""
    return {
        "id": paid.payout_id,
        "status": "PAID" if paid.paid else "SENT",
        "location_id": location_id(seed),
        "created_at": stamp(paid.at),
        "updated_at": stamp(paid.changed_at),
        "amount_money": money(paid.net),
        "destination": {"type": "BANK_ACCOUNT", "id": f"bact:{opaque(seed, 'bank', 'account')}"},
        "version": 2 if paid.paid else 1,
        "type": "BATCH",
        "arrival_date": (paid.at + timedelta(days=1)).date().isoformat(),
        "end_to_end_id": "L" + opaque(seed, "bank", paid.payout_id, 9, "0123456789"),
    }


def payout_entry(paid: SquarePayout, entry: Entry) -> Json:
    """What a payout consists of."""
    found: Json = {
        "id": entry.entry_id,
        "payout_id": paid.payout_id,
        "effective_at": stamp(entry.at),
        "type": entry.kind,
        "gross_amount_money": money(entry.gross),
        "fee_amount_money": money(entry.fee),
        "net_amount_money": money(entry.net),
    }
    if entry.kind == "REFUND":
        found["type_refund_details"] = {"payment_id": entry.payment_id, "refund_id": entry.refund_id}
    elif entry.payment_id is not None:
        found[f"type_{entry.kind.lower()}_details"] = {"payment_id": entry.payment_id}
    return found
