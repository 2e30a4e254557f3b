"""The C library's memory, as this process takes it.

What belongs here: settings of the allocator. What does not: what is kept in memory, and for how long.
"""

from __future__ import annotations

import ctypes
import os

_M_ARENA_MAX = -8
_KEPT_MILLISECONDS = 10_000


def share_arenas(count: int) -> None:
    """Let all threads that start from now on take memory from so many arenas, where the C library is glibc.

    Each thread has its own by default, eight for every core, and each keeps what the largest batch took there: 200 MB
    at the peak of a run over 1.5 million records, for no gain in time. MALLOC_ARENA_MAX in the environment goes before.
    """
    if os.name == "posix" and "MALLOC_ARENA_MAX" not in os.environ:
        setting = getattr(ctypes.CDLL(None), "mallopt", None)
        if setting is not None:
            setting(_M_ARENA_MAX, count)


def keep_freed_memory() -> None:
    """Let Arrow keep memory that was freed for some seconds; it asks for it once, when it is imported.

    By default it gives it back to the system after a hundredth of a second. The next batch then has the system find and
    clear the same pages again: a twentieth of the CPU that bronze takes, there and in the processes that judge. What
    is kept goes when the writer of bronze is closed. MIMALLOC_PURGE_DELAY in the environment goes before.
    """
    os.environ.setdefault("MIMALLOC_PURGE_DELAY", str(_KEPT_MILLISECONDS))
