"""dbt's events, of which nobody here wants the details.

What belongs here: leaving out those that are not listened to. What does not: writing the others down (dbt.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager


@contextmanager
def without_details() -> Iterator[None]:
    """While it lasts, dbt's events of level debug go nowhere.

    dbt makes a message of every event before it asks who wants it, whatever its log level: dozens for each model.
    """
    from dbt_common.events import base_types, event_manager

    own, debug = event_manager.EventManager.fire_event, base_types.EventLevel.DEBUG

    def fire(self: EventManager, e: BaseEvent, level: EventLevel | None = None, *rest: Any, **options: Any) -> None:
        if (level or e.level_tag()) != debug:
            own(self, e, level, *rest, **options)

    event_manager.EventManager.fire_event = fire  # type: ignore[method-assign]
    try:
        yield
    finally:
        event_manager.EventManager.fire_event = own  # type: ignore[method-assign]
