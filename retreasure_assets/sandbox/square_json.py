"""Square's records as its API writes them (Square-Version 2025-08-20).

What belongs here: one function for each kind of record. What does not: addresses, limits and cursors (``square``), and
what happened (``world_square``).

Money is whole numbers of the currency's smallest unit; times are UTC with milliseconds; absent fields are left out,
as Square leaves them out.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from retreasure_assets.sandbox.world_square import (
    CAPITALS,
    Entry,
    Fee,
    PlasticCard,
    Shelf,
    SquareCustomer,
    SquarePayout,
    SquareReturn,
    SquareSale,
    item_object_id,
    line_total,
    location_id,
    opaque,
    variation_id,
)
from retreasure_assets.sandbox.world_till import VAT
from retreasure_assets.sandbox.world_types import Receipt, ReceiptLine

Json = dict[str, Any]

MERCHANT_ID = "MLRETREASURE1"
_OPENED = "2024-03-01T09:00:00Z"
_ZERO = Decimal(0)
#: Custom attributes that the shop defined for its pieces.
ATTRIBUTES = ("era", "maker", "material", "condition")


def money(amount: Decimal) -> Json:
    """A Money object in EUR."""
    return {"amount": int(amount * 100), "currency": "EUR"}


def stamp(at: datetime) -> str:
    """A time as Square writes it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{at.microsecond // 1000:03d}Z"


def version(at: datetime) -> int:
    """The version of a catalogue object: milliseconds of its last change."""
    return int(at.timestamp() * 1000)


def locations(seed: int) -> list[Json]:
    """The shop, and the market stall that was given up."""
    return [
        _location(location_id(seed, "stall"), "Market stall", "INACTIVE", "Coppinger Row", "D02 HW63"),
        _location(location_id(seed), "ReTreasure Dublin", "ACTIVE", "7 Fade Street", "D02 N799"),
    ]


def _location(identifier: str, name: str, status: str, street: str, postcode: str) -> Json:
    return {
        "id": identifier,
        "name": name,
        "address": {"address_line_1": street, "locality": "Dublin", "postal_code": postcode, "country": "IE"},
        "timezone": "Europe/Dublin",
        "capabilities": ["CREDIT_CARD_PROCESSING"],
        "status": status,
        "created_at": _OPENED,
        "merchant_id": MERCHANT_ID,
        "country": "IE",
        "language_code": "en-IE",
        "currency": "EUR",
        "business_name": "ReTreasure",
        "type": "PHYSICAL",
        "mcc": "5932",
    }


# --- orders --------------------------------------------------------------------------------------------------------


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
        "net_amount_due_money": money(_ZERO),
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
                "total_tax_money": money(_ZERO),
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
        "total_service_charge_money": money(_ZERO),
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
            "card": _card(sale.card),
            "entry_method": _entry_method(sale),
        }
    if sale.customer_id is not None:
        tender["customer_id"] = sale.customer_id
    return tender


def return_order(seed: int, back: SquareReturn) -> Json:
    """The order of a return: it has no lines of its own, and says which sale it takes back."""
    at = stamp(back.receipt.at)
    nothing = money(_ZERO)
    lines = [(line, back.sold(line)) for line in back.receipt.lines]
    given = {
        "total_money": money(back.amount),
        "tax_money": money(back.tax),
        "discount_money": money(sum((sold.discount for _, sold in lines), _ZERO)),
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
        "total_service_charge_money": money(_ZERO),
    }


# --- money ---------------------------------------------------------------------------------------------------------


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
            "card": _card(sale.card),
            "entry_method": _entry_method(sale),
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
            "card_details": {"card": _card(back.sale.card), "entry_method": _entry_method(back.sale)}
        }
    if back.fees:
        found["processing_fee"] = [_fee(fee) for fee in back.fees]
    return found


def _fee(fee: Fee) -> Json:
    return {"effective_at": stamp(fee.at), "type": fee.kind, "amount_money": money(fee.amount)}


def _card(card: PlasticCard) -> Json:
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


def _entry_method(sale: SquareSale) -> str:
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


# --- people and things ---------------------------------------------------------------------------------------------


def customer(known: SquareCustomer) -> Json:
    """A customer, as the till took them down: the loyalty card is the id in another system."""
    person = known.person
    found: Json = {
        "id": known.customer_id,
        "created_at": stamp(known.since),
        "updated_at": stamp(known.since),
        "given_name": person.address.first_name,
        "family_name": person.address.last_name,
        "reference_id": person.loyalty_id,
        "preferences": {"email_unsubscribed": not person.consents},
        "creation_source": "DIRECTORY",
        "version": 0,
    }
    if person.phone is not None:
        found["phone_number"] = person.phone
    return found


def category_id(seed: int, name: str) -> str:
    """The catalogue's id of a category."""
    return opaque(seed, "category", name, letters=CAPITALS)


def catalog_category(seed: int, name: str, at: datetime) -> Json:
    """A category."""
    return {
        "type": "CATEGORY",
        "id": category_id(seed, name),
        "updated_at": stamp(at),
        "version": version(at),
        "is_deleted": False,
        "present_at_all_locations": True,
        "category_data": {"name": name, "is_top_level": True},
    }


def catalog_item(seed: int, shelf: Shelf) -> Json:
    """A piece of the shop with its only variation, whose SKU is the stock number."""
    item, last = shelf.item, shelf.listing.versions[-1]
    head: Json = {
        "updated_at": stamp(last.at),
        "version": version(last.at),
        "is_deleted": False,
        "present_at_all_locations": True,
    }
    attributes: Json = {
        name: {
            "name": name.capitalize(),
            "key": name,
            "type": "STRING",
            "custom_attribute_definition_id": opaque(seed, "attribute", name, letters=CAPITALS),
            "string_value": getattr(item, name),
        }
        for name in ATTRIBUTES
    }
    attributes["acquisition_cost"] = {
        "name": "Acquisition cost",
        "key": "acquisition_cost",
        "type": "NUMBER",
        "number_value": f"{item.cost:.2f}",
    }
    category = {"id": category_id(seed, item.category), "ordinal": 0}
    return {
        "type": "ITEM",
        "id": item_object_id(seed, item.item_id),
        **head,
        "custom_attribute_values": attributes,
        "item_data": {
            "name": item.title,
            "description_html": item.description_html,
            "is_taxable": item.taxable,
            "variations": [
                {
                    "type": "ITEM_VARIATION",
                    "id": variation_id(seed, item.item_id),
                    **head,
                    "item_variation_data": {
                        "item_id": item_object_id(seed, item.item_id),
                        "name": "Regular",
                        "sku": item.item_id,
                        "ordinal": 0,
                        "pricing_type": "FIXED_PRICING",
                        "price_money": money(last.price),
                        "track_inventory": True,
                        "sellable": True,
                        "stockable": True,
                    },
                }
            ],
            "product_type": "REGULAR",
            "categories": [category],
            "reporting_category": category,
            "is_archived": last.state in ("sold", "ended", "archived"),
        },
    }


def inventory_count(seed: int, shelf: Shelf) -> Json:
    """How many of a piece stand in the shop."""
    return {
        "catalog_object_id": variation_id(seed, shelf.item.item_id),
        "catalog_object_type": "ITEM_VARIATION",
        "state": "IN_STOCK",
        "location_id": location_id(seed),
        "quantity": str(max(0, shelf.listing.versions[-1].quantity)),
        "calculated_at": stamp(shelf.counted_at),
    }
