"""Products, stock and places as Shopify's Admin interface shows them.

What belongs here: Product, InventoryItem, InventoryLevel, Location. What does not: orders and people.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime

from retreasure_assets.sandbox.shopify_format import Json, gid, iso, money, reference
from retreasure_assets.sandbox.shopify_orders import LOCATION_ID
from retreasure_assets.sandbox.world_ids import inventory_item_id, variant_id
from retreasure_assets.sandbox.world_types import Item, Listing

OLD_LOCATION_ID = LOCATION_ID + 1

_CDN = "https://cdn.shopify.com/s/files/1/retreasure"


def locations(opened: datetime) -> list[Json]:
    """The shop, which holds all stock, and a store room given up before the world begins."""

    def location(number: int, name: str, zip_code: str, active: bool) -> Json:
        return {
            "__typename": "Location",
            "id": gid("Location", number),
            "legacyResourceId": str(number),
            "name": name,
            "isActive": active,
            "isPrimary": active,
            "createdAt": iso(opened),
            "updatedAt": iso(opened),
            "address": {"city": "Dublin", "provinceCode": "D", "zip": zip_code, "countryCode": "IE"},
        }

    return [
        location(LOCATION_ID, "ReTreasure Dublin", "D08 X4F2", True),
        location(OLD_LOCATION_ID, "Old store room", "D12 K7A9", False),
    ]


def product_updated_at(item: Item, listing: Listing) -> datetime:
    """The last time that the product or its stock changed."""
    return max(listing.versions[-1].at, item.moves[-1].at)


def stock(item: Item) -> tuple[int, int, int]:
    """(available, committed, on hand) now."""
    return (
        sum(move.available for move in item.moves),
        sum(move.committed for move in item.moves),
        sum(move.on_hand for move in item.moves),
    )


def _handle(item: Item) -> str:
    plain = unicodedata.normalize("NFKD", item.title).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-") + f"-{item.number}"


def product_node(item: Item, listing: Listing) -> Json:
    """Product with its only variant, its photos and its ``retreasure`` metafields."""
    product = listing.listing_id
    latest = listing.versions[-1]
    available = stock(item)[0]
    created, updated = iso(listing.versions[0].at), iso(product_updated_at(item, listing))
    published = next((version.at for version in listing.versions if version.state == "active"), None)
    highest = max(version.price for version in listing.versions)
    handle = _handle(item)
    return {
        "__typename": "Product",
        "id": gid("Product", product),
        "legacyResourceId": str(product),
        "handle": handle,
        "title": item.title,
        "descriptionHtml": item.description_html,
        "productType": item.category,
        "vendor": item.maker,
        "status": latest.state.upper(),
        "tags": [item.era, item.material],
        "createdAt": created,
        "updatedAt": updated,
        "publishedAt": iso(published),
        "totalInventory": available,
        "tracksInventory": True,
        "onlineStoreUrl": f"https://retreasure.example/products/{handle}" if latest.state == "active" else None,
        "variants": [
            {
                "__typename": "ProductVariant",
                "id": gid("ProductVariant", variant_id(product)),
                "legacyResourceId": str(variant_id(product)),
                "sku": item.item_id,
                "barcode": None,
                "price": f"{latest.price:.2f}",
                "compareAtPrice": f"{highest:.2f}" if highest > latest.price else None,
                "inventoryQuantity": available,
                "taxable": item.taxable,
                "createdAt": created,
                "updatedAt": updated,
                "inventoryItem": inventory_item_node(item, product),
            }
        ],
        "media": [
            {
                "__typename": "MediaImage",
                "id": gid("MediaImage", product * 10 + index),
                "alt": photo.alt,
                "mediaContentType": "IMAGE",
                "status": "READY",
                "mimeType": "image/jpeg",
                "image": {
                    "url": f"{_CDN}/{item.item_id}_{index}.jpg?v=1&width={photo.width}",
                    "width": photo.width,
                    "height": photo.height,
                },
            }
            for index, photo in enumerate(item.photos)
        ],
        "metafields": [
            {
                "__typename": "Metafield",
                "id": gid("Metafield", product * 10 + index),
                "namespace": "retreasure",
                "key": key,
                "type": kind,
                "value": value,
            }
            for index, (key, kind, value) in enumerate(
                (
                    ("stock_number", "single_line_text_field", item.item_id),
                    ("category", "single_line_text_field", item.category),
                    ("era", "single_line_text_field", item.era),
                    ("maker", "single_line_text_field", item.maker),
                    ("material", "single_line_text_field", item.material),
                    ("condition", "multi_line_text_field", item.condition),
                    ("acquired_at", "date", item.acquired_on.isoformat()),
                    ("acquisition_cost", "number_decimal", f"{item.cost:.2f}"),
                    ("acquisition_currency", "single_line_text_field", item.cost_currency),
                )
            )
        ],
    }


def inventory_item_node(item: Item, product: int) -> Json:
    """InventoryItem; its unit cost is in the shop's currency, and unknown for what was bought in another."""
    return {
        "__typename": "InventoryItem",
        "id": gid("InventoryItem", inventory_item_id(product)),
        "sku": item.item_id,
        "tracked": True,
        "unitCost": money(item.cost) if item.cost_currency == "EUR" else None,
    }


def level_node(item: Item, product: int) -> Json:
    """InventoryLevel at the shop."""
    available, committed, on_hand = stock(item)
    updated = iso(item.moves[-1].at)
    number = inventory_item_id(product)
    quantities = (
        ("available", available),
        ("committed", committed),
        ("on_hand", on_hand),
        ("reserved", 0),
        ("incoming", 0),
    )
    return {
        "__typename": "InventoryLevel",
        "id": gid("InventoryLevel", LOCATION_ID) + f"?inventory_item_id={number}",
        "isActive": True,
        "createdAt": iso(item.listed_at),
        "updatedAt": updated,
        "location": reference("Location", LOCATION_ID),
        "item": inventory_item_node(item, product),
        "quantities": [
            {
                "__typename": "InventoryQuantity",
                "id": gid("InventoryQuantity", LOCATION_ID) + f"?inventory_item_id={number}&name={name}",
                "name": name,
                "quantity": quantity,
                "updatedAt": updated,
            }
            for name, quantity in quantities
        ],
    }
