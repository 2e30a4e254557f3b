"""Orders as Square's API writes them (Square-Version 2025-08-20): sales, and returns, which are orders too.

What belongs here: the Order object and what it contains. What does not: payments and payouts (``square_money``), and
what happened (``world_square``).
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from retreasure_assets.sandbox.square_format import ZERO, Json, money, stamp, version
from retreasure_assets.sandbox.square_money import card_details, entry_method
from retreasure_assets.sandbox.world_square_ids import location_id, variation_id
from retreasure_assets.sandbox.world_square_types import SquareReturn, SquareSale, line_total
from retreasure_assets.sandbox.world_till import VAT
from retreasure_assets.sandbox.world_types import Receipt, ReceiptLine


def sale_order(seed: int, sale: SquareSale) -> Json:
    """The order of a sale."""
    receipt = sale.receipt
    at = stamp(receipt.at)
    amounts = {
        "total_money": money(sale.total),
        "tax_money": money(sale.tax),
        "discount_money": money(sale.discount),
        "tip_money": money(sale.tip),
        "service_charge_money": money(sale.wrapping),
    }
    order: Json = {
        "id": sale.order_id,
        "location_id": location_id(seed),
        "created_at": at,
        "updated_at": stamp(receipt.at + timedelta(seconds=3)),
        "closed_at": stamp(receipt.at + timedelta(seconds=2)),
        "state": "COMPLETED",
        "version": 4,
        "source": {"name": "ReTreasure Register"},
        "line_items": [_line_item(seed, receipt, line) for line in receipt.lines],
        "total_money": money(sale.total),
        "total_tax_money": money(sale.tax),
        "total_discount_money": money(sale.discount),
        "total_tip_money": money(sale.tip),
        "total_service_charge_money": money(sale.wrapping),
        "net_amounts": amounts,
        "net_amount_due_money": money(ZERO),
        "tenders": [_tender(seed, sale)],
    }
    taxes = [_tax(receipt, line) for line in receipt.lines if line.tax]
    discounts = [_discount(line) for line in receipt.lines if line.discount]
    if taxes:
        order["taxes"] = taxes
    if discounts:
        order["discounts"] = discounts
    if sale.wrapping:
        order["service_charges"] = [
            {
                "uid": "wrapping",
                "name": "Gift wrapping",
                "amount_money": money(sale.wrapping),
                "applied_money": money(sale.wrapping),
                "total_money": money(sale.wrapping),
                "total_tax_money": money(ZERO),
                "calculation_phase": "TOTAL_PHASE",
                "taxable": False,
                "type": "CUSTOM",
            }
        ]
    if sale.rounding:
        order["rounding_adjustment"] = {"uid": "rounding", "name": "Rounding", "amount_money": money(sale.rounding)}
    if sale.customer_id is not None:
        order["customer_id"] = sale.customer_id
    return order


def _uid(line: ReceiptLine) -> str:
    return f"line-{line.line_id}"


def _applied(receipt: Receipt, line: ReceiptLine) -> Json:
    found: Json = {}
    if line.tax:
        found["applied_taxes"] = [
            {"uid": f"applied-tax-{line.line_id}", "tax_uid": f"tax-{line.line_id}", "applied_money": money(line.tax)}
        ]
    if line.discount:
        found["applied_discounts"] = [
            {
                "uid": f"applied-discount-{line.line_id}",
                "discount_uid": f"discount-{line.line_id}",
                "applied_money": money(line.discount),
            }
        ]
    return found


def _line_item(seed: int, receipt: Receipt, line: ReceiptLine) -> Json:
    gross = line.unit_price * line.quantity
    return {
        "uid": _uid(line),
        "name": line.title,
        "quantity": str(line.quantity),
        "catalog_object_id": variation_id(seed, line.item_id),
        "catalog_version": version(receipt.at),
        "variation_name": "Regular",
        "item_type": "ITEM",
        **_applied(receipt, line),
        "base_price_money": money(line.unit_price),
        "variation_total_price_money": money(gross),
        "gross_sales_money": money(gross),
        "total_tax_money": money(line.tax),
        "total_discount_money": money(line.discount),
        "total_money": money(line_total(receipt, line)),
        "total_service_charge_money": money(ZERO),
    }


def _tax(receipt: Receipt, line: ReceiptLine) -> Json:
    return {
        "uid": f"tax-{line.line_id}",
        "name": "VAT",
        "type": "INCLUSIVE" if receipt.tax_included else "ADDITIVE",
        "percentage": f"{VAT * 100:f}".rstrip("0").rstrip("."),
        "applied_money": money(line.tax),
        "scope": "LINE_ITEM",
    }


def _discount(line: ReceiptLine) -> Json:
    return {
        "uid": f"discount-{line.line_id}",
        "name": "Reduced",
        "type": "FIXED_AMOUNT",
        "amount_money": money(line.discount),
        "applied_money": money(line.discount),
        "scope": "LINE_ITEM",
    }


def _tender(seed: int, sale: SquareSale) -> Json:
    tender: Json = {
        "id": sale.payment_id,
        "location_id": location_id(seed),
        "transaction_id": sale.order_id,
        "created_at": stamp(sale.receipt.at + timedelta(seconds=1)),
        "amount_money": money(sale.total),
        "type": {"CARD": "CARD", "CASH": "CASH"}.get(sale.source_type, "OTHER"),
        "payment_id": sale.payment_id,
    }
    if sale.tip:
        tender["tip_money"] = money(sale.tip)
    if sale.card is not None:
        tender["card_details"] = {
            "status": "CAPTURED",
            "card": card_details(sale.card),
            "entry_method": entry_method(sale),
        }
    if sale.customer_id is not None:
        tender["customer_id"] = sale.customer_id
    return tender


def return_order(seed: int, back: SquareReturn) -> Json:
    """The order of a return: it has no lines of its own, and says which sale it takes back."""
    at = stamp(back.receipt.at)
    nothing = money(ZERO)
    lines = [(line, back.sold(line)) for line in back.receipt.lines]
    given = {
        "total_money": money(back.amount),
        "tax_money": money(back.tax),
        "discount_money": money(sum((sold.discount for _, sold in lines), ZERO)),
        "tip_money": nothing,
        "service_charge_money": nothing,
    }
    returned: Json = {
        "uid": "return-1",
        "source_order_id": back.sale.order_id,
        "return_line_items": [_return_line(seed, back, line, sold) for line, sold in lines],
        "return_amounts": given,
    }
    taxes = [
        {**_tax(back.sale.receipt, sold), "source_tax_uid": f"tax-{sold.line_id}"} for _, sold in lines if sold.tax
    ]
    if taxes:
        returned["return_taxes"] = taxes
    order: Json = {
        "id": back.order_id,
        "location_id": location_id(seed),
        "created_at": at,
        "updated_at": stamp(back.receipt.at + timedelta(seconds=3)),
        "closed_at": at,
        "state": "COMPLETED",
        "version": 3,
        "source": {"name": "ReTreasure Register"},
        "returns": [returned],
        "return_amounts": given,
        "net_amounts": {name: money(-Decimal(value["amount"]) / 100) for name, value in given.items()},
        "total_money": nothing,
        "total_tax_money": nothing,
        "total_discount_money": nothing,
        "total_tip_money": nothing,
        "total_service_charge_money": nothing,
        "refunds": [
            {
                "id": back.refund_id,
                "location_id": location_id(seed),
                "transaction_id": back.sale.order_id,
                "tender_id": back.sale.payment_id,
                "created_at": at,
                "reason": "Returned goods",
                "amount_money": money(back.amount),
                "status": "APPROVED" if back.settled else "PENDING",
            }
        ],
    }
    if back.sale.customer_id is not None:
        order["customer_id"] = back.sale.customer_id
    return order


def _return_line(seed: int, back: SquareReturn, line: ReceiptLine, sold: ReceiptLine) -> Json:
    gross = sold.unit_price * sold.quantity
    return {
        "uid": f"return-{_uid(line)}",
        "source_line_item_uid": _uid(sold),
        "name": line.title,
        "quantity": str(-line.quantity),
        "catalog_object_id": variation_id(seed, line.item_id),
        "variation_name": "Regular",
        "item_type": "ITEM",
        **_applied(back.sale.receipt, sold),
        "base_price_money": money(sold.unit_price),
        "variation_total_price_money": money(gross),
        "gross_return_money": money(gross),
        "total_tax_money": money(-line.tax),
        "total_discount_money": money(sold.discount),
        "total_money": money(-line_total(back.receipt, line)),
        "total_service_charge_money": money(ZERO),
    }
