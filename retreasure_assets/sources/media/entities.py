"""What is noted of a photo.

What belongs here: the declaration, and the record's form. What does not: how a photo is fetched (connector.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from retreasure_assets.entities import Entity


class PhotoStatus(StrEnum):
    """What is at a photo's address."""

    #: A photo, which was hashed.
    FETCHED = "fetched"
    #: The server says that there is nothing for everybody to see.
    MISSING = "missing"
    #: Asked for at several syncs without an answer.
    UNREACHABLE = "unreachable"
    #: The address is of a host that photos are not fetched from, or its answer is no photo: too large, a redirection.
    REFUSED = "refused"
    #: The listing has fewer photos than before: none stands at this place any more.
    REMOVED = "removed"


class PhotoRecord(msgspec.Struct, frozen=True):
    """One place among a listing's photos and what stands there. No byte of the photo, nor its EXIF, is kept.

    Args:
        channel: where it is listed.
        subject: what the photo hangs on: the product on Shopify, the listing on Etsy, the SKU on eBay.
        position: its place, from 0; 0 is the main photo.
        status: see PhotoStatus.
        url: its address; None once removed.
        content_hash: SHA-256 of its content, hexadecimal; None unless fetched, as all below.
        bytes: length of its content.
        content_type: as the server says: ``image/jpeg``.
        width, height: pixels, where its header tells.
    """

    channel: str
    subject: str
    position: int
    status: PhotoStatus
    url: str | None = None
    content_hash: str | None = None
    bytes: int | None = None
    content_type: str | None = None
    width: int | None = None
    height: int | None = None


PHOTOS = Entity(
    source="media",
    name="photos",
    natural_key=("channel", "subject", "position"),
    updated_at=None,
    # A photo that was replaced and then put back is news.
    snapshot=True,
    description="Photos of listings on offer: hash, size and form of their content, one record per change of a place.",
    owner="team:content",
)

#: All of them, by name.
ENTITIES: Mapping[str, Entity] = {PHOTOS.name: PHOTOS}
