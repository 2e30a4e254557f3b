"""How Etsy writes things: receipts, listings, ledger entries and payments as its Open API v3 documents them.

What belongs here: names and layouts. What does not: addresses, tokens and filters (``etsy``).

Oddities are Etsy's own: most times stand twice, money is a whole number with its divisor, the ledger's amounts are bare
cents and its references are numbers although documented as text (github.com/etsy/open-api issue 295).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from retreasure_assets.sandbox.world_etsy_ledger import LEDGER_ID, settled
from retreasure_assets.sandbox.world_etsy_types import ZERO, EtsyEntry, EtsyLine, EtsyReceipt, EtsyRefund
from retreasure_assets.sandbox.world_fx import decimals
from retreasure_assets.sandbox.world_types import Item, Listing

SHOP_ID = 41_230_777
SELLER_ID = 512_004_118
SELLER_EMAIL = "etsy@retreasure.example"
SHOP_NAME = "ReTreasureVintage"

Json = dict[str, Any]

_STATES = {"active": "active", "sold": "sold_out", "ended": "inactive", "archived": "inactive", "draft": "draft"}
_LISTING_LIFE = timedelta(days=121)


def seconds(at: datetime) -> int:
    """Epoch seconds."""
    return int(at.timestamp())


def money(amount: Decimal, currency: str) -> Json:
    """Etsy's Money; JPY has no minor unit and the divisor 1."""
    divisor = 10 ** decimals(currency)
    return {"amount": int(amount * divisor), "divisor": divisor, "currency_code": currency}


def shop(created: datetime, listings: int, sold: int) -> Json:
    """The shop."""
    return {
        "shop_id": SHOP_ID,
        "user_id": SELLER_ID,
        "shop_name": SHOP_NAME,
        "create_date": seconds(created),
        "created_timestamp": seconds(created),
        "currency_code": "EUR",
        "is_vacation": False,
        "is_etsy_payments_onboarded": True,
        "listing_active_count": listings,
        "transaction_sold_count": sold,
        "shop_location_country_iso": "IE",
        "url": "https://www.etsy.com/shop/ReTreasureVintage",
    }


def _status(receipt: EtsyReceipt) -> str:
    """What the receipt says of itself; capitalised, as Etsy's answers are while its contract is not."""
    shown = [refund for refund in receipt.refunds if refund.surfaces != "never"]
    if receipt.cancelled_at is not None:
        return "Canceled"
    if shown:
        back = sum((refund.amount for refund in shown), ZERO)
        return "Fully Refunded" if back == receipt.total else "Partially Refunded"
    if receipt.paid_at is None:
        return "Payment Processing"
    return "Completed" if receipt.parcels else "Paid"


def receipt_record(receipt: EtsyReceipt) -> Json:
    """A ShopReceipt with its transactions, shipments and refunds."""
    currency, to = receipt.currency, receipt.ship_to
    created, updated = seconds(receipt.at), seconds(receipt.updated_at)
    lines = [to.name, to.address1, to.address2, f"{to.zip} {to.city}", to.country]
    return {
        "receipt_id": receipt.receipt_id,
        "receipt_type": 0,
        "seller_user_id": SELLER_ID,
        "seller_email": SELLER_EMAIL,
        "buyer_user_id": receipt.user_id,
        "buyer_email": receipt.email,
        "name": to.name,
        "first_line": to.address1,
        "second_line": to.address2,
        "city": to.city,
        "state": to.province_code,
        "zip": to.zip,
        "status": _status(receipt),
        "formatted_address": "\n".join(line for line in lines if line),
        "country_iso": to.country_code,
        "payment_method": "cc",
        "payment_email": receipt.email or "",
        "message_from_seller": None,
        "message_from_buyer": receipt.message,
        "message_from_payment": None,
        "is_paid": receipt.paid_at is not None,
        "is_shipped": bool(receipt.parcels),
        "create_timestamp": created,
        "created_timestamp": created,
        "update_timestamp": updated,
        "updated_timestamp": updated,
        "is_gift": receipt.is_gift,
        "gift_message": receipt.gift_message,
        "gift_sender": receipt.gift_sender,
        "grandtotal": money(receipt.total, currency),
        "subtotal": money(receipt.goods - receipt.discount, currency),
        "total_price": money(receipt.goods, currency),
        "total_shipping_cost": money(receipt.shipping, currency),
        "total_tax_cost": money(receipt.tax, currency),
        "total_vat_cost": money(receipt.vat, currency),
        "discount_amt": money(receipt.discount, currency),
        "gift_wrap_price": money(receipt.gift_wrap, currency),
        "shipments": [
            {
                "receipt_shipping_id": parcel.parcel_id,
                "shipment_notification_timestamp": seconds(parcel.at),
                "carrier_name": parcel.carrier,
                "tracking_code": parcel.tracking_code,
            }
            for parcel in receipt.parcels
        ],
        "transactions": [_transaction(receipt, line) for line in receipt.lines],
        "refunds": [
            {
                "amount": money(refund.amount, currency),
                "created_timestamp": seconds(refund.at),
                "reason": refund.reason,
                "note_from_issuer": refund.note,
                "status": "completed",
            }
            for refund in receipt.refunds
            if refund.surfaces != "never"
        ],
    }


def _transaction(receipt: EtsyReceipt, line: EtsyLine) -> Json:
    created = seconds(receipt.at)
    shipped = seconds(receipt.parcels[0].at) if receipt.parcels else None
    return {
        "transaction_id": line.transaction_id,
        "title": line.title,
        "description": f"{line.title}. One of a kind.",
        "seller_user_id": SELLER_ID,
        "buyer_user_id": receipt.user_id,
        "create_timestamp": created,
        "created_timestamp": created,
        "paid_timestamp": None if receipt.paid_at is None else seconds(receipt.paid_at),
        "shipped_timestamp": shipped,
        "quantity": line.quantity,
        "listing_image_id": None,
        "receipt_id": receipt.receipt_id,
        "is_digital": False,
        "file_data": "",
        "listing_id": line.listing_id,
        "transaction_type": "listing",
        "product_id": line.listing_id + 20_000_000_000,
        "sku": line.item_id,
        "price": money(line.price, receipt.currency),
        "shipping_cost": money(ZERO, receipt.currency),
        "variations": [],
        "product_data": [],
        "shipping_profile_id": None,
        "min_processing_days": 1,
        "max_processing_days": 3,
        "shipping_method": None,
        "shipping_upgrade": None,
        "expected_ship_date": seconds(receipt.at + timedelta(days=3)),
        "buyer_coupon": 0,
        "shop_coupon": 0,
    }


def listing_state(listing: Listing, now: datetime) -> str:
    """Etsy's word for the state of a listing; a draft that nobody published expires."""
    last = listing.versions[-1]
    if last.state == "draft" and last.at + _LISTING_LIFE < now:
        return "expired"
    return _STATES[last.state]


def _in_state_since(listing: Listing) -> datetime:
    state, since = listing.versions[-1].state, listing.versions[-1].at
    for version in reversed(listing.versions):
        if _STATES[version.state] != _STATES[state]:
            break
        since = version.at
    return since


def listing_record(listing: Listing, item: Item, now: datetime, *, with_all: bool) -> Json:
    """A ShopListingWithAssociations; its SKU is in the inventory alone.

    Args:
        listing, item, now: what is listed, and when it is asked for.
        with_all: whether inventory and photos are asked for.
    """
    first, last = listing.versions[0], listing.versions[-1]
    price = money(last.price, "EUR")
    created, updated = seconds(first.at), seconds(last.at)
    product = {
        "product_id": listing.listing_id + 20_000_000_000,
        "sku": listing.item_id,
        "is_deleted": False,
        "offerings": [
            {
                "offering_id": listing.listing_id + 30_000_000_000,
                "quantity": last.quantity,
                "is_enabled": True,
                "is_deleted": False,
                "price": price,
                "readiness_state_id": None,
            }
        ],
        "property_values": [],
    }
    return {
        "listing_id": listing.listing_id,
        "user_id": SELLER_ID,
        "shop_id": SHOP_ID,
        "title": item.title,
        "description": f"{item.title}. One of a kind.",
        "state": listing_state(listing, now),
        "creation_timestamp": created,
        "created_timestamp": created,
        "ending_timestamp": seconds(first.at + _LISTING_LIFE),
        "original_creation_timestamp": created,
        "last_modified_timestamp": updated,
        "updated_timestamp": updated,
        "state_timestamp": seconds(_in_state_since(listing)),
        "quantity": last.quantity,
        "num_favorers": item.number % 23,
        "url": f"https://www.etsy.com/listing/{listing.listing_id}",
        "non_taxable": not item.taxable,
        "is_taxable": item.taxable,
        "listing_type": "physical",
        "tags": [item.category.lower()],
        "materials": [item.material],
        "who_made": "someone_else",
        "when_made": "before_2007",
        "has_variations": False,
        "should_auto_renew": True,
        "language": "en",
        "price": price,
        "taxonomy_id": 1000 + item.number % 40,
        "inventory": {
            "products": [product],
            "price_on_property": [],
            "quantity_on_property": [],
            "sku_on_property": [],
            "readiness_state_on_property": [],
        }
        if with_all
        else None,
        "images": [_image(listing, item, index) for index in range(len(item.photos))] if with_all else None,
    }


def _image(listing: Listing, item: Item, index: int) -> Json:
    """A ListingImage."""
    photo, created = item.photos[index], seconds(listing.versions[0].at)
    image_id = listing.listing_id * 10 + index
    return {
        "listing_id": listing.listing_id,
        "listing_image_id": image_id,
        "hex_code": None,
        "red": None,
        "green": None,
        "blue": None,
        "hue": None,
        "saturation": None,
        "brightness": None,
        "is_black_and_white": None,
        "creation_tsz": created,
        "created_timestamp": created,
        "rank": index + 1,
        **{
            f"url_{size}": f"https://i.etsystatic.com/41230777/r/il/{item.item_id}/{index}/il_{size}.{image_id}.jpg"
            for size in ("75x75", "170x135", "570xN", "fullxfull")
        },
        "full_height": photo.height,
        "full_width": photo.width,
        "alt_text": photo.alt,
    }


def entry_record(entry: EtsyEntry) -> Json:
    """A PaymentAccountLedgerEntry."""
    created = seconds(entry.at)
    record: Json = {
        "entry_id": entry.entry_id,
        "ledger_id": LEDGER_ID,
        "sequence_number": entry.sequence,
        "amount": entry.amount,
        "currency": "EUR",
        "description": entry.ledger_type,
        "balance": entry.balance,
        "create_date": created,
        "created_timestamp": created,
        "ledger_type": entry.ledger_type,
        "reference_type": entry.reference_type,
        "reference_id": entry.reference_id,
        "parent_entry_id": 0 if entry.parent is None else entry.parent.entry_id,
        "payment_adjustments": [],
    }
    if entry.adjustment is not None:
        record["payment_adjustments"] = [_adjustment(*entry.adjustment)]
    return record


def _adjustment(receipt: EtsyReceipt, refund: EtsyRefund) -> Json:
    created = seconds(refund.at)
    scale = 10 ** decimals(receipt.currency)
    whole = int(refund.amount * scale)
    item = {
        "payment_adjustment_id": refund.adjustment_id,
        "payment_adjustment_item_id": refund.adjustment_id,
        "adjustment_type": "REFUND",
        "amount": whole,
        "shop_amount": settled(receipt, refund.amount),
        "transaction_id": refund.transaction_id,
        "bill_payment_id": None,
        "created_timestamp": created,
        "updated_timestamp": created,
    }
    return {
        "payment_adjustment_id": refund.adjustment_id,
        "payment_id": receipt.payment_id,
        "status": "SUCCESS",
        "is_success": True,
        "user_id": SELLER_ID,
        "reason_code": refund.reason,
        "total_adjustment_amount": whole,
        "shop_total_adjustment_amount": settled(receipt, refund.amount),
        "buyer_total_adjustment_amount": whole,
        "total_fee_adjustment_amount": 0,
        "create_timestamp": created,
        "created_timestamp": created,
        "update_timestamp": created,
        "updated_timestamp": created,
        "payment_adjustment_items": [] if refund.transaction_id is None else [item],
    }


def payment_record(receipt: EtsyReceipt, fees: int) -> Json:
    """A Payment; ``fees`` in cents of the shop's currency."""
    assert receipt.paid_at is not None, "what nobody paid has no payment"
    currency, total = receipt.currency, receipt.total
    created = seconds(receipt.paid_at)
    fee = (Decimal(fees) / 100 * receipt.per_euro).quantize(Decimal(1).scaleb(-decimals(currency)))
    back = sum((refund.amount for refund in receipt.refunds), ZERO)
    moments = [receipt.paid_at, *(refund.at for refund in receipt.refunds), *(parcel.at for parcel in receipt.parcels)]
    posted = bool(receipt.parcels)
    adjusted = bool(receipt.refunds)

    def amount(value: Decimal) -> Json:
        return money(value, currency)

    return {
        "payment_id": receipt.payment_id,
        "buyer_user_id": receipt.user_id,
        "shop_id": SHOP_ID,
        "receipt_id": receipt.receipt_id,
        "amount_gross": amount(total),
        "amount_fees": amount(fee),
        "amount_net": amount(total - fee),
        "posted_gross": amount(total) if posted else None,
        "posted_fees": amount(fee) if posted else None,
        "posted_net": amount(total - fee) if posted else None,
        "adjusted_gross": amount(total - back) if adjusted else None,
        "adjusted_fees": amount(fee) if adjusted else None,
        "adjusted_net": amount(total - back - fee) if adjusted else None,
        "currency": currency,
        "shop_currency": "EUR",
        "buyer_currency": currency,
        "shipping_user_id": receipt.user_id,
        "shipping_address_id": 400_000_000_000 + receipt.receipt_id,
        "billing_address_id": 0,
        "status": "settled",
        "shipped_timestamp": seconds(receipt.parcels[0].at) if receipt.parcels else None,
        "create_timestamp": created,
        "created_timestamp": created,
        "update_timestamp": seconds(max(moments)),
        "updated_timestamp": seconds(max(moments)),
        "payment_adjustments": [_adjustment(receipt, refund) for refund in receipt.refunds],
    }
