"""The photo servers of eBay, Etsy and Shopify: a tiny picture for each of the world's photos.

What belongs here: which picture is at which address. What does not: the addresses, which the channels' faces give.

A picture is the same on every channel. A few pieces show, as their main photo, that of the piece bought before them: a
seller's slip that buyers take for the wrong piece.
"""

from __future__ import annotations

import hashlib
import re
import struct
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import ClassVar

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_types import Item

_ADDRESS = re.compile(r"(RT-[0-9]+)[_/]([0-9]+)[./]")
_SIDE = 8
#: Every how manieth piece shows its neighbour's photo.
_SLIP_EVERY = 23


def pictures(world: World) -> Mapping[tuple[str, int], tuple[int, int]]:
    """What every photo shows: (item, place) -> the number of the piece that is in the picture, and of the view."""
    items: Mapping[int, Item] = {item.number: item for item in world.items}
    shown = {}
    for item in world.items:
        for index in range(len(item.photos)):
            before = items.get(item.number - 1)
            slipped = index == 0 and item.number % _SLIP_EVERY == 0 and before is not None and before.photos
            shown[item.item_id, index] = (item.number - 1 if slipped else item.number, index)
    return shown


@lru_cache(maxsize=4096)
def picture(number: int, view: int) -> bytes:
    """A PNG of 8 by 8 grey pixels, drawn from the piece's number and the view."""
    noise = hashlib.sha512(f"{number}/{view}".encode()).digest()
    rows = b"".join(b"\0" + noise[row * _SIDE : (row + 1) * _SIDE] for row in range(_SIDE))
    header = struct.pack(">IIBBBBB", _SIDE, _SIDE, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


class MediaFace:
    """The photo servers, behind one mirror."""

    paths: ClassVar[Mapping[str, str]] = {"media": "/media"}

    def __init__(self, world: World) -> None:
        self._shown = pictures(world)

    @staticmethod
    def environment(base_url: str) -> Mapping[str, str]:
        """See Face. The main photo alone of each listing: some thousand requests less."""
        return {
            "RETREASURE_MEDIA_ENABLED": "true",
            "RETREASURE_MEDIA_URL": f"{base_url}/media",
            "RETREASURE_MEDIA_PHOTOS_PER_LISTING": "1",
        }

    @property
    def routes(self) -> list[Route]:
        """To be mounted at the server's root."""
        return [Route("/media/{host}/{path:path}", self._photo, methods=["GET"])]

    async def _photo(self, request: Request) -> Response:
        found = _ADDRESS.search(request.path_params["path"])
        shown = self._shown.get((found[1], int(found[2]))) if found else None
        if shown is None:
            return Response(status_code=404)
        return Response(picture(*shown), media_type="image/png")
