"""What a person waits for: importing the definitions, and the demo.

What belongs here: commands timed from outside. What does not: what they do.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.homes import emptied
from benchmarks.measuring import Run, run
from benchmarks.tables import show

STARTUP_BAR = 3.0
DEMO_BAR = 60.0
_IMPORT = "from retreasure_assets.definitions import build_definitions; build_definitions()"
_MODULES = 8


def startup(repetitions: int) -> None:
    """Import the definitions and build them, in processes of their own."""
    command = [sys.executable, "-c", _IMPORT]
    # The first one parses the dbt project if anything in it has changed, and fills the disk's cache.
    first = run(command)
    _show("importing the definitions", STARTUP_BAR, first, [run(command) for _ in range(repetitions)])
    traced = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", _IMPORT],
        capture_output=True,
        text=True,
        check=True,
    )
    # "import time: self [us] | cumulative | imported package"; the dots' depth is in the leading blanks.
    rows = [line.removeprefix("import time:").split("|") for line in traced.stderr.splitlines() if line.count("|") == 2]
    packages: dict[str, float] = {}
    for own, _, name in rows[1:]:
        package = name.strip().split(".")[0]
        packages[package] = packages.get(package, 0.0) + float(own) / 1e6
    dearest = sorted(packages.items(), key=lambda item: -item[1])[:_MODULES]
    show("of it, modules' own time while traced", ("package", "s"), ((name, f"{s:.2f}") for name, s in dearest))


def demo(scratch: Path, repetitions: int) -> None:
    """``retreasure demo`` in a fresh state folder."""
    runs = []
    for _ in range(repetitions):
        home = emptied(scratch / "demo")
        variables = {**os.environ, "RETREASURE_HOME": str(home)}
        runs.append(run([sys.executable, "-m", "retreasure_assets.cli", "demo"], variables, cwd=home))
    _show("retreasure demo, fresh state folder", DEMO_BAR, None, runs)


def _show(name: str, bar: float, first: Run | None, runs: list[Run]) -> None:
    wall = statistics.median(one.wall for one in runs)
    columns = ["", "first, s"] if first else [""]
    figures = [f"{first.wall:.1f}"] if first else []
    show(
        f"{name} (bar: {bar:.0f} s)",
        [*columns, "median s", "worst s", "peak MB", "within"],
        [
            [
                name,
                *figures,
                f"{wall:.1f}",
                f"{max(one.wall for one in runs):.1f}",
                f"{max(one.peak for one in runs):,.0f}",
                "yes" if wall <= bar else "NO",
            ]
        ],
    )
