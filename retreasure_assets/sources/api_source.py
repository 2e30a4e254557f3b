"""What the platform has to know of an API source before it talks to it.

What belongs here: the shape of that knowledge. What does not: any source; each package declares its own ``SOURCE``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from retreasure_assets.entities import Connector, Entity
from retreasure_assets.settings import Settings


@dataclass(frozen=True, slots=True)
class ApiSource:
    """One API source.

    Args:
        name: the source's name, lower case.
        entities: everything it can give, by name, switched on or not.
        missing: what is still to be set to switch it on, as a sentence; None when nothing is.
        connect: its connector, called only when nothing is missing. It opens no connection, and raises
            ConfigurationError for a setting that cannot be right.
        silent_after: how long it may have nothing new before people are told: longer than its longest pause.
        reads: bronze tables of other sources that it reads, so that in a run it waits for them.
    """

    name: str
    entities: Mapping[str, Entity]
    missing: Callable[[Settings], str | None]
    connect: Callable[[Settings], Connector]
    silent_after: timedelta = timedelta(days=3)
    reads: frozenset[str] = frozenset()
