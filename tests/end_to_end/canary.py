"""Finding any of thousands of values in many megabytes, in one pass."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import numpy as np

#: Shorter values would be found in everything.
SHORTEST = 5
_BLOCK = 1 << 24


class Canary:
    """Looks for values, each at least ``SHORTEST`` bytes long.

    Two tables of three bytes, overlapping, tell where a value may begin; only there it is looked at.
    """

    def __init__(self, values: Iterable[bytes]) -> None:
        self._by_head: dict[bytes, list[bytes]] = defaultdict(list)
        self._first, self._second = np.zeros(1 << 24, bool), np.zeros(1 << 24, bool)
        for value in set(values):
            assert len(value) >= SHORTEST, "too short to be looked for"
            self._by_head[value[:SHORTEST]].append(value)
            self._first[int.from_bytes(value[0:3], "little")] = True
            self._second[int.from_bytes(value[2:5], "little")] = True

    def found_in(self, data: bytes) -> set[bytes]:
        """The values that ``data`` contains."""
        found: set[bytes] = set()
        for start in range(0, len(data), _BLOCK):
            octets = np.frombuffer(data[start : start + _BLOCK + SHORTEST], np.uint8).astype(np.uint32)
            triples = octets[:-2] | octets[1:-1] << 8 | octets[2:] << 16
            for place in np.flatnonzero(self._first[triples[:-2]] & self._second[triples[2:]]):
                at = start + int(place)
                found.update(
                    value for value in self._by_head.get(data[at : at + SHORTEST], ()) if data.startswith(value, at)
                )
        return found
