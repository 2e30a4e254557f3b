"""Standing in for functions of a library for a while, where it offers no other way.

What belongs here: putting them in, and back. What does not: what stands in; each says why, beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from inspect import getattr_static


@contextmanager
def standing_in(*places: tuple[object, str, object]) -> Iterator[None]:
    """While it lasts, each attribute named by owner and name is another one; for every thread of the process."""
    # As it stands there: a class method that is asked for by name is bound to this one class.
    before = [(owner, name, getattr_static(owner, name)) for owner, name, _ in places]
    try:
        for place in places:
            setattr(*place)
        yield
    finally:
        for place in before:
            setattr(*place)
