"""A sandbox in a process of its own, for a command that reads from it.

What belongs here: starting and ending it, and pointing this process at it. What does not: what it serves (server.py),
where the state of which world is (homes.py).
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sandbox.homes import home_of
from retreasure_assets.sandbox.server import environment, read_faults
from retreasure_assets.sandbox.world import WorldSpec
from retreasure_assets.settings import active_settings, load_settings


@contextmanager
def sandbox_process(
    world: WorldSpec,
    faults: str | None,
    *,
    say: Callable[[str], None],
    meanwhile: Callable[[], None] = lambda: None,
) -> Iterator[None]:
    """A sandbox in a process of its own, with this process's environment pointing at it.

    Its state lives in the ``sandbox`` folder of RETREASURE_HOME.

    Args:
        world: which one it serves.
        faults: what to break, in the words of ``--faults``.
        say: tells a person what happens.
        meanwhile: what to do while it starts.

    Raises:
        ConfigurationError: the sandbox did not start, or the faults cannot be understood.
        AlreadyRunningError: a sandbox serves another world into the same folder.
    """
    settings = active_settings()
    read_faults(faults)
    with home_of(load_settings(), settings.home, world) as sentence:
        if sentence is not None:
            say(sentence)
        say("Starting the sandbox ...")
        chosen = ["--seed", str(world.seed), "--days", str(world.days), "--scale", str(world.scale)]
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "retreasure_assets.cli", "sandbox", *chosen),
                *(["--faults", faults] if faults else []),
                *("--drop", str(settings.drop_path)),
            ],
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert process.stdout is not None
            meanwhile()
            announced = process.stdout.readline().split()
            if not announced:
                raise ConfigurationError("The sandbox did not start.", remedy="Run `retreasure sandbox` to see why.")
            os.environ["RETREASURE_HOME"] = str(settings.home)
            os.environ.update(environment(announced[-1]))
            yield
        finally:
            process.terminate()
            process.wait(timeout=10)
