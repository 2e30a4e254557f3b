"""What the photos of the world's offers show: the truth of duplicate photos.

What belongs here: which offers show the photo of another piece. What does not: the photos (``photos``).
"""

from __future__ import annotations

from retreasure_assets.sandbox.photos import pictures
from retreasure_assets.sandbox.truth_ledger import Row
from retreasure_assets.sandbox.world import World

#: Where photos are looked at; of each offer the main one, as the sandbox's settings say.
_CHANNELS = ("shopify", "etsy", "ebay")


def shown_photos(world: World) -> list[Row]:
    """Offers with a photo: ``channel``, ``listing_id``, ``photos``, ``duplicate_photos``, ``duplicate_of``."""
    shown = pictures(world)
    offers = [
        (listing.channel, str(listing.listing_id), listing.item_id, shown[listing.item_id, 0])
        for listing in world.listings
        if listing.channel in _CHANNELS and listing.versions[-1].state == "active" and (listing.item_id, 0) in shown
    ]
    pieces: dict[tuple[int, int], set[str]] = {}
    for _, _, item_id, picture in offers:
        pieces.setdefault(picture, set()).add(item_id)
    rows = []
    for channel, listing_id, item_id, picture in offers:
        others = pieces[picture] - {item_id}
        rows.append(
            {
                "channel": channel,
                "listing_id": listing_id,
                "photos": 1,
                "duplicate_photos": 1 if others else 0,
                "duplicate_of": min(others, default=None),
            }
        )
    return rows
