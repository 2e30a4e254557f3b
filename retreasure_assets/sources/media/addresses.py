"""Where a channel's records say that the photos of what is on offer are.

What belongs here: each channel's form of a listing's photos. What does not: fetching them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import msgspec


@dataclass(frozen=True, slots=True)
class Gallery:
    """The photos of one listing as a record shows them.

    Args:
        channel: where it is listed.
        subject: see PhotoRecord.
        urls: addresses in their order; None when the listing is not on offer, so that its photos are nobody's concern.
    """

    channel: str
    subject: str
    urls: Sequence[str] | None


class _Image(msgspec.Struct):
    url: str | None = None


class _Medium(msgspec.Struct):
    image: _Image | None = None


class _Media(msgspec.Struct):
    nodes: list[_Medium] = []


class _Product(msgspec.Struct):
    legacy_id: str = msgspec.field(name="legacyResourceId")
    status: str | None = None
    media: _Media | None = None


class _ListingImage(msgspec.Struct):
    url: str | None = msgspec.field(default=None, name="url_fullxfull")
    rank: int = 0


class _Listing(msgspec.Struct):
    listing_id: int
    state: str | None = None
    images: list[_ListingImage] | None = None


class _EbayProduct(msgspec.Struct):
    image_urls: list[str] | None = msgspec.field(default=None, name="imageUrls")


class _Quantity(msgspec.Struct):
    quantity: int | None = None


class _Availability(msgspec.Struct):
    ship_to: _Quantity | None = msgspec.field(default=None, name="shipToLocationAvailability")


class _InventoryItem(msgspec.Struct):
    sku: str
    product: _EbayProduct | None = None
    availability: _Availability | None = None


def _shopify(payload: str) -> Gallery:
    product = msgspec.json.decode(payload, type=_Product)
    nodes = product.media.nodes if product.media else []
    urls = [node.image.url for node in nodes if node.image and node.image.url]
    return Gallery("shopify", product.legacy_id, urls if (product.status or "").upper() == "ACTIVE" else None)


def _etsy(payload: str) -> Gallery:
    listing = msgspec.json.decode(payload, type=_Listing)
    images = sorted(listing.images or [], key=lambda image: image.rank)
    urls = [image.url for image in images if image.url]
    return Gallery("etsy", str(listing.listing_id), urls if (listing.state or "").lower() == "active" else None)


def _ebay(payload: str) -> Gallery:
    item = msgspec.json.decode(payload, type=_InventoryItem)
    urls = (item.product.image_urls if item.product else None) or []
    there = item.availability.ship_to if item.availability else None
    return Gallery("ebay", item.sku, urls if there is not None and (there.quantity or 0) > 0 else None)


#: Bronze table -> how its payload shows a listing's photos.
READERS: Mapping[str, Callable[[str], Gallery]] = {
    "shopify_products": _shopify,
    "etsy_listings": _etsy,
    "ebay_inventory_items": _ebay,
}


def gallery(table: str, payload: str) -> Gallery | None:
    """What a bronze record shows of its listing's photos; None where it cannot be read, which its gate has told."""
    try:
        return READERS[table](payload)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
