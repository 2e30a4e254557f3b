"""dbt's events, of which nobody here wants the details.

What belongs here: leaving out those that are not listened to. What does not: writing the others down (dbt.py).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from retreasure_assets.resources.stand_ins import standing_in

if TYPE_CHECKING:
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager


@contextmanager
def without_details() -> Iterator[None]:
    """While it lasts, dbt's events of level debug go nowhere.

    dbt makes a message of every event before it asks who wants it, whatever its log level, dozens for each model: a
    sixth of the CPU of a build of few rows.
    """
    from dbt_common.events.base_types import BaseEvent, EventLevel
    from dbt_common.events.event_manager import EventManager

    own_fire, own_init, debug = EventManager.fire_event, BaseEvent.__init__, EventLevel.DEBUG

    def note(self: BaseEvent, *args: Any, **fields: Any) -> None:
        if self.level_tag() == debug:
            # One that is of another level only as it is fired gets its message then.
            self.__dict__["untold"] = args, fields
        else:
            own_init(self, *args, **fields)

    def fire(self: EventManager, e: BaseEvent, level: EventLevel | None = None, *rest: Any, **options: Any) -> None:
        if (level or e.level_tag()) == debug:
            return
        if (untold := e.__dict__.pop("untold", None)) is not None:
            args, fields = untold
            own_init(e, *args, **fields)
        own_fire(self, e, level, *rest, **options)

    with standing_in((EventManager, "fire_event", fire), (BaseEvent, "__init__", note)):
        yield
