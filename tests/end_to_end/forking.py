"""Commands that start at once: a process that has imported the platform forks one for each.

What belongs here: starting real commands in processes of their own, for tests that start hundreds and kill them; the
imports are most of what a command costs. What does not: expectations.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from tests.conftest import REPOSITORY


@dataclass
class Forker:
    """Starts commands, one at a time."""

    asks: IO[str]
    answers: IO[str]

    def start(self, words: Sequence[str], environment: Mapping[str, str], said: Path) -> int:
        """Start a command as the leader of a process group; its process id.

        Args:
            words: what is typed after ``retreasure``.
            environment: all of its variables.
            said: the file that takes its output.
        """
        self.asks.write(json.dumps([list(words), dict(environment), str(said)]) + "\n")
        self.asks.flush()
        return int(self.answers.readline())

    def ended(self) -> int:
        """Wait for the command's end; its exit code, negative for the signal that killed it."""
        return int(self.answers.readline())


@contextmanager
def forker() -> Iterator[Forker]:
    """A forker with everything imported."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.end_to_end.forking"],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        yield Forker(process.stdin, process.stdout)
    finally:
        process.stdin.close()
        process.wait(30)


def _serve() -> None:
    """Fork a command for each line, tell its process id, wait for it, tell its exit code."""
    import retreasure_assets.automation.run  # noqa: F401
    from retreasure_assets.cli import main
    from retreasure_assets.resources.dbt import import_dbt

    import_dbt()
    for line in sys.stdin:
        words, environment, said = json.loads(line)
        child = os.fork()
        if child == 0:
            os.setsid()
            output = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
            for stream, number in ((os.open(os.devnull, os.O_RDONLY), 0), (output, 1), (output, 2)):
                os.dup2(stream, number)
            os.environ.clear()
            os.environ.update(environment)
            main(words, prog_name="retreasure")
        print(child, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve()
