"""eBay's Inventory API: what is in stock, and the offer of each SKU.

What belongs here: the shape of inventory items and offers, and their pages. What does not: HTTP and tokens (``ebay``).
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from starlette.responses import Response

from retreasure_assets.sandbox.ebay_format import Json, RefusalError, answer, money, page, whole
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ebay import MARKETPLACES, asking_price, marketplace_of
from retreasure_assets.sandbox.world_types import Item, Listing

_DOMAIN = "API_INVENTORY"
_PATH = "/sell/inventory/v1"
_LOCATION = "dublin-shop"


class EbayStock:
    """The seller's SKUs.

    Args:
        world: what is listed on eBay in it.
    """

    def __init__(self, world: World) -> None:
        self._seed = world.seed
        items = {item.item_id: item for item in world.items}
        self._listings = {listing.item_id: listing for listing in world.listings if listing.channel == "ebay"}
        self._items = [msgspec.json.encode(_item(items[sku], self._listings[sku])) for sku in sorted(self._listings)]
        self._descriptions = {sku: items[sku].description_html for sku in self._listings}

    def items(self, query: Mapping[str, str]) -> Response:
        """getInventoryItems; ``offset`` is the number of a page.

        Raises:
            RefusalError: a parameter is not taken.
        """
        wrong = RefusalError(400, 25706, "You have provided invalid pagination values.", _DOMAIN)
        limit = whole(query, "limit", 25, 1, 200, wrong)
        number = whole(query, "offset", 0, 0, 10**9, wrong)
        start = number * limit
        if start and start >= len(self._items):
            raise RefusalError(400, 25706, "You have provided invalid pagination values.", _DOMAIN)
        following = number + 1 if start + limit < len(self._items) else 0
        records = self._items[start : start + limit]
        return page("inventoryItems", records, len(self._items), f"{_PATH}/inventory_item", limit, number, following)

    def offers(self, query: Mapping[str, str]) -> Response:
        """getOffers of one SKU.

        Raises:
            RefusalError: no SKU, or none that is offered.
        """
        sku = query.get("sku")
        if not sku:
            raise RefusalError(400, 25707, "This is an invalid value for a SKU.", _DOMAIN)
        listing = self._listings.get(sku)
        if listing is None:
            raise RefusalError(404, 25713, "This Offer is not available.", _DOMAIN)
        offer = self._offer(listing)
        return answer({"total": 1, "size": 1, "limit": 100, "href": f"{_PATH}/offer?sku={sku}", "offers": [offer]})

    def _offer(self, listing: Listing) -> Json:
        last = listing.versions[-1]
        marketplace = marketplace_of(self._seed, listing.item_id)
        live = last.state == "active"
        return {
            "offerId": str(listing.listing_id * 10 + 7),
            "sku": listing.item_id,
            "marketplaceId": marketplace,
            "format": "FIXED_PRICE",
            "listingDescription": self._descriptions[listing.item_id],
            "availableQuantity": last.quantity,
            "pricingSummary": {"price": money(asking_price(last.price, marketplace), MARKETPLACES[marketplace][0])},
            "categoryId": "20081",
            "merchantLocationKey": _LOCATION,
            "listingDuration": "GTC",
            "status": "PUBLISHED",
            "listing": {
                "listingId": str(listing.listing_id),
                "listingStatus": "ACTIVE" if live else "OUT_OF_STOCK" if last.state == "sold" else "ENDED",
                "soldQuantity": sum(1 for version in listing.versions if version.state == "sold"),
            },
        }


def _item(item: Item, listing: Listing) -> Json:
    quantity = listing.versions[-1].quantity
    return {
        "sku": item.item_id,
        "locale": "en_GB",
        "product": {
            "title": item.title,
            "description": item.description_html,
            "imageUrls": [
                f"https://i.ebayimg.com/images/g/{item.item_id}/{number}.jpg" for number in range(len(item.photos))
            ],
        },
        "condition": "USED_EXCELLENT",
        "conditionDescription": item.condition,
        "availability": {
            "shipToLocationAvailability": {
                "quantity": quantity,
                "availabilityDistributions": [{"merchantLocationKey": _LOCATION, "quantity": quantity}],
            }
        },
    }
