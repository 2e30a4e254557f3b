"""The ids that Square gives to things, always the same for one thing.

What belongs here: making ids. What does not: the things (``world_square_types``).
"""

from __future__ import annotations

import hashlib

_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
#: The signs of catalogue, customer and location ids.
CAPITALS = _LETTERS[:26] + "234567"


def opaque(seed: int, kind: str, name: object, length: int = 24, letters: str = _LETTERS) -> str:
    """An id as Square gives them: letters and digits without meaning, always the same for one thing."""
    number = int.from_bytes(hashlib.sha512(f"{seed}/square/{kind}/{name}".encode()).digest(), "big")
    signs = []
    for _ in range(length):
        number, place = divmod(number, len(letters))
        signs.append(letters[place])
    return "".join(signs)


def item_object_id(seed: int, item_id: str) -> str:
    """The catalogue's id of an item."""
    return opaque(seed, "item", item_id, letters=CAPITALS)


def variation_id(seed: int, item_id: str) -> str:
    """The catalogue's id of an item's only variation, which is what is sold and counted."""
    return opaque(seed, "variation", item_id, letters=CAPITALS)


def location_id(seed: int, name: str = "shop") -> str:
    """A location's id."""
    return "L" + opaque(seed, "location", name, 12, CAPITALS)


def uuid(seed: int, kind: str, name: object) -> str:
    """An id of the kind that payouts have."""
    sign = hashlib.sha256(f"{seed}/square/{kind}/{name}".encode()).hexdigest()
    return f"{sign[:8]}-{sign[8:12]}-4{sign[13:16]}-a{sign[17:20]}-{sign[20:32]}"
