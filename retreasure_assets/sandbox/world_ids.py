"""Numbers that platforms give things: large, growing in order of creation, with gaps.

What belongs here: the counters. What does not: how an interface writes an id.
"""

from __future__ import annotations

_BASES = {
    "order": 6_100_000_000_000,
    "line": 15_200_000_000_000,
    "shipping": 5_400_000_000_000,
    "transaction": 7_300_000_000_000,
    "refund": 940_000_000_000,
    "refund_line": 650_000_000_000,
    "fulfilment": 5_800_000_000_000,
    "balance": 2_700_000_000_000,
    "payout": 118_000_000_000,
    "adjustment": 33_000_000_000,
    "etsy": 3_300_000_000,
    "ebay": 11_000_000_000,
}

#: A prime, so that ids do not end in the same digits.
_STEP = 32_771


class Ids:
    """One counter for each kind of thing."""

    def __init__(self) -> None:
        self._issued = dict.fromkeys(_BASES, 0)

    def next(self, kind: str) -> int:
        """The next id of ``kind``."""
        self._issued[kind] += 1
        return _BASES[kind] + _STEP * self._issued[kind]

    def issued(self, kind: str) -> int:
        """How many of ``kind`` there are."""
        return self._issued[kind]


def listing_id(channel: str, item_number: int) -> int:
    """The id of an item's listing; in the online shop that is the product's."""
    base = {"shopify": 8_200_000_000_000, "etsy": 1_500_000_000, "ebay": 110_000_000_000, "pos": 0}[channel]
    return base + (_STEP if channel == "shopify" else 1) * item_number


def variant_id(product_id: int) -> int:
    """The id of a product's only variant."""
    return product_id + 40_000_000_000_000


def inventory_item_id(product_id: int) -> int:
    """The id of that variant's inventory item."""
    return product_id + 50_000_000_000_000
