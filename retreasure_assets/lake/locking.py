"""One run at a time.

What belongs here: the lock that a run holds. What does not: Dagster's own concurrency limits.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from filelock import FileLock, Timeout

from retreasure_assets.errors import AlreadyRunningError
from retreasure_assets.lake.storage import explained, write_whole

if TYPE_CHECKING:
    from retreasure_assets.settings import Settings


#: Seconds in which somebody who just looks whether a lock is held (``is_locked``) lets go of it.
_PATIENCE = 0.2


class _Holder(msgspec.Struct):
    pid: int
    started: float


@contextmanager
def run_lock(settings: Settings, name: str = "run") -> Iterator[None]:
    """Hold a lock while the block runs; the system frees it when the process ends, however it ends.

    Args:
        settings: where the locks are.
        name: what is locked: a whole run, or what a step works on, under the name of its Dagster pool.

    Raises:
        AlreadyRunningError: another run holds it.
        LakeError: the lock file cannot be written.
    """
    home = settings.home.absolute() / "locks"
    note = home / f"{name}.lock.json"
    with explained("The run lock"):
        home.mkdir(parents=True, exist_ok=True)
        lock = FileLock(home / f"{name}.lock")
        try:
            lock.acquire(timeout=_PATIENCE)
        except Timeout:
            raise _already_running(note) from None
    try:
        write_whole(note, msgspec.json.encode(_Holder(os.getpid(), time.time())))
        yield
    finally:
        note.unlink(missing_ok=True)
        lock.release()


def is_locked(settings: Settings, name: str) -> bool:
    """Whether somebody alive holds a lock.

    Raises:
        LakeError: the lock file cannot be opened.
    """
    path = settings.home.absolute() / "locks" / f"{name}.lock"
    with explained("The run lock"):
        if not path.exists():
            return False
        try:
            with FileLock(path).acquire(timeout=0):
                return False
        except Timeout:
            return True


def _already_running(note: Path) -> AlreadyRunningError:
    try:
        holder = msgspec.json.decode(note.read_bytes(), type=_Holder)
    except (OSError, msgspec.DecodeError):
        return AlreadyRunningError("Another run has just started.", remedy="Wait until it ends.")
    minutes, seconds = divmod(max(0, int(time.time() - holder.started)), 60)
    return AlreadyRunningError(
        f"Another run (process {holder.pid}) has been going for {minutes} min {seconds} s.",
        remedy="Wait until it ends, or stop that process.",
    )
