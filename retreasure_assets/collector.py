"""Python's cycle collector, kept from walking through what it cannot free.

What belongs here: when it does not look. What does not: what is made meanwhile.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collector() -> Iterator[None]:
    """Pause the collector while many objects are made that all are needed: it would walk through them again and again.

    It takes a fifth of the time of judging a batch, and a quarter of that of importing Dagster and dbt.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


@contextmanager
def passing_over_what_is_there() -> Iterator[None]:
    """While it lasts, the collector passes over what there was before.

    Modules, the asset graph and dbt's project are hundreds of thousands of objects that live as long as the process; to
    walk through them took a tenth of a build's CPU.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
