"""What dbt does before its first model.

What belongs here: coming to the same in less time. What does not: what it does for every model (the modules beside).
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

from retreasure_assets.resources.stand_ins import standing_in


@contextmanager
def quick_start() -> Iterator[None]:
    """While it lasts, dbt names the module that has a behaviour flag, and looks for cycles, the short way.

    For the module it opens the source files of everything on the stack, an eighth of a second; the frames know. A cycle
    it looks for edge by edge, though whether there is one shows in a quarter of the time.
    """
    import networkx  # type: ignore[import-untyped]
    from dbt.compilation import Linker
    from dbt_common import behavior_flags

    cycle_of = Linker.find_cycles

    def module() -> str:
        frame = sys._getframe(1)
        while frame.f_back is not None and frame.f_globals.get("__name__") == behavior_flags.__name__:
            frame = frame.f_back
        return str(frame.f_globals.get("__name__", "Unknown"))

    def cycle(linker: Linker) -> str | None:
        acyclic = networkx.is_directed_acyclic_graph(linker.graph)
        found: str | None = None if acyclic else cycle_of(linker)  # type: ignore[no-untyped-call]
        return found

    with standing_in(
        (behavior_flags.BehaviorFlagRendered, "_default_source", staticmethod(module)),
        (Linker, "find_cycles", cycle),
    ):
        yield
