"""The shop as Square's API writes it (Square-Version 2025-08-20): locations, customers, catalogue, counts.

What belongs here: what stands in the shop and who comes there. What does not: what is sold (``square_orders``).
"""

from __future__ import annotations

from datetime import datetime

from retreasure_assets.sandbox.square_format import Json, money, stamp, version
from retreasure_assets.sandbox.world_square_ids import CAPITALS, item_object_id, location_id, opaque, variation_id
from retreasure_assets.sandbox.world_square_types import Shelf, SquareCustomer

MERCHANT_ID = "MLRETREASURE1"
_OPENED = "2024-03-01T09:00:00Z"
#: Custom attributes that the shop defined for its pieces.
ATTRIBUTES = ("era", "maker", "material", "condition")


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
