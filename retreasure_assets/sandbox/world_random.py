"""Randomness that is the same on every machine: named, seeded streams and the few draws that the world needs.

What belongs here: streams and draws. What does not: anything that knows what is drawn.

A stream's seed is a SHA-256 of its name, so that neither PYTHONHASHSEED nor the order in which streams are opened
matters. Only operations that IEEE 754 rounds exactly are used (no gauss, no log), so that no maths library can
change a draw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random
from typing import TypeVar

T = TypeVar("T")


def stream(seed: int, *name: object) -> Random:
    """A generator of its own for ``name``: the same seed and name give the same draws for ever."""
    label = "/".join([str(seed), *(str(part) for part in name)])
    return Random(int.from_bytes(hashlib.sha256(label.encode()).digest()[:16], "big"))


def chance(rng: Random, probability: float) -> bool:
    """True with the given probability."""
    return rng.random() < probability


def pick(rng: Random, options: Sequence[T]) -> T:
    """One of ``options``, all equally likely."""
    return options[int(rng.random() * len(options))]


def weighted(rng: Random, options: Sequence[tuple[T, int]]) -> T:
    """One of ``options``, given as (value, weight)."""
    target = rng.random() * sum(weight for _, weight in options)
    for value, weight in options:
        target -= weight
        if target < 0:
            return value
    return options[-1][0]


def count(rng: Random, mean: float) -> int:
    """A whole number around ``mean`` (within 40 % of it, fractions carried by chance); never negative."""
    return int(mean * (0.6 + 0.8 * rng.random()) + rng.random())


def seconds(rng: Random, low: float, high: float) -> timedelta:
    """A duration between ``low`` and ``high`` seconds, in whole seconds, short ones being likelier."""
    share = rng.random()
    return timedelta(seconds=int(low + (high - low) * share * share))


def hours(rng: Random, low: float, high: float) -> timedelta:
    """As :func:`seconds`, in hours."""
    return seconds(rng, low * 3600, high * 3600)


def cents(rng: Random, low: int, high: int) -> Decimal:
    """An amount with two decimals between ``low`` and ``high`` whole units, small ones being likelier."""
    share = rng.random()
    return Decimal(int(low * 100 + (high - low) * 100 * share * share * share)).scaleb(-2)


def moment(rng: Random, day: datetime, first_hour: float, last_hour: float) -> datetime:
    """A second of ``day`` (its midnight) between the two hours."""
    return day + timedelta(seconds=int((first_hour + (last_hour - first_hour) * rng.random()) * 3600))
