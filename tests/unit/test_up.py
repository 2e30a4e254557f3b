"""`retreasure up` can be stopped, however it was started."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from click.testing import CliRunner

from retreasure_assets.cli import main
from retreasure_assets.errors import ConfigurationError

STOPS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture
def _ignored() -> Iterator[None]:
    """SIGINT as a shell's script leaves it to what it starts with &."""
    before = [signal.getsignal(stop) for stop in STOPS]
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    yield
    for stop, handler in zip(STOPS, before, strict=True):
        signal.signal(stop, handler)


@pytest.mark.usefixtures("_ignored")
def test_what_up_starts_from_a_script_in_the_background_heeds_the_signal_that_stops_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ended: list[int] = []

    @contextmanager
    def started(*_: Any, **__: Any) -> Iterator[None]:
        with subprocess.Popen([sys.executable, "-c", "print(flush=True); input()"], stdin=-1, stdout=-1) as child:
            assert child.stdout is not None
            child.stdout.readline()
            child.send_signal(signal.SIGINT)
            child.communicate()
        ended.append(child.returncode)
        raise ConfigurationError("It stops here.", remedy="None.")
        yield

    monkeypatch.setattr("retreasure_assets.sandbox.process.sandbox_process", started)
    CliRunner().invoke(main, ["up"])
    # An interpreter that ends by SIGINT; one that ignores it fails at the end of its input, with 1.
    assert ended == [-signal.SIGINT]
