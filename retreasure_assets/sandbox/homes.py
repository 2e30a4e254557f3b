"""The state folder of the sandbox: of one world at a time, as records of two would contradict each other.

What belongs here: noting whose state a folder holds, and setting the state of another world aside. What does not:
what is in it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import count
from pathlib import Path

import msgspec

from retreasure_assets.errors import AlreadyRunningError
from retreasure_assets.lake.locking import run_lock
from retreasure_assets.lake.storage import explained, write_whole
from retreasure_assets.sandbox.world import WorldSpec
from retreasure_assets.settings import Settings

_NOTE = "world.json"
_LOCK = "sandbox"


@contextmanager
def home_of(settings: Settings, home: Path, wanted: WorldSpec) -> Iterator[str | None]:
    """While it lasts, a folder holds the state of a world; whatever it held of another one is kept beside it.

    A longer world of the same seed and scale goes on from a shorter one (world.py, prefix stability).

    Args:
        settings: where the lock is.
        home: the folder.
        wanted: the world.

    Yields:
        What was done with another world's state, in a sentence; nothing where there was none.

    Raises:
        AlreadyRunningError: a sandbox serves another world into this folder.
        LakeError: the folder may not be written.
    """
    with ExitStack() as held:
        sentence = None
        try:
            held.enter_context(run_lock(settings, _LOCK))
        except AlreadyRunningError:
            # Several sandboxes may serve the same world, as beside `retreasure up`.
            if world_in(home) != wanted:
                raise AlreadyRunningError(
                    "Another sandbox serves another world into this folder.",
                    remedy="Stop it first (`retreasure up` runs one), or set RETREASURE_HOME to another folder.",
                ) from None
        else:
            with explained("The sandbox's folder"):
                sentence = _make_room(home, wanted)
        yield sentence


def world_in(home: Path) -> WorldSpec | None:
    """The world whose state a folder holds, as far as it got; None where it holds none."""
    with suppress(FileNotFoundError, msgspec.DecodeError):
        return msgspec.json.decode((home / _NOTE).read_bytes(), type=WorldSpec)
    return None


def _make_room(home: Path, wanted: WorldSpec) -> str | None:
    held, sentences = world_in(home), []
    if held is not None and not _goes_on_from(wanted, held):
        aside = _unused(home.with_name(f"{home.name}-{_name(held)}"))
        home.rename(aside)
        sentences.append(f"The state of the last sandbox ({_said(held)}) is kept in {aside.name}.")
        if (earlier := _kept(home, wanted)) is not None:
            earlier.rename(home)
            sentences.append(f"This one goes on with what {earlier.name} kept.")
    home.mkdir(parents=True, exist_ok=True)
    write_whole(home / _NOTE, msgspec.json.encode(wanted))
    return " ".join(sentences) or None


def _kept(home: Path, wanted: WorldSpec) -> Path | None:
    """The folder set aside from which the world goes on, the one that got furthest."""
    found = [(world, path) for path in home.parent.glob(f"{home.name}-*") if (world := world_in(path)) is not None]
    fitting = [(world.days, path) for world, path in found if _goes_on_from(wanted, world)]
    return max(fitting)[1] if fitting else None


def _goes_on_from(wanted: WorldSpec, held: WorldSpec) -> bool:
    return (wanted.seed, wanted.scale) == (held.seed, held.scale) and wanted.days >= held.days


def _unused(path: Path) -> Path:
    return next(one for n in count(1) if not (one := path if n == 1 else path.with_name(f"{path.name}-{n}")).exists())


def _name(world: WorldSpec) -> str:
    return f"seed{world.seed}-days{world.days}-scale{world.scale:g}"


def _said(world: WorldSpec) -> str:
    return f"seed {world.seed}, {world.days} days, scale {world.scale:g}"
