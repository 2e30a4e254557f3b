"""What the gates cost: the same first run of a world with them and without, in turns.

What belongs here: the runs and the ratio. What does not: how gates are left out (contestants/gated.py).
"""

from __future__ import annotations

import os
import statistics
from pathlib import Path

import httpx

from benchmarks.connectors import serving, sync
from benchmarks.homes import emptied
from benchmarks.measuring import Run, agree, in_turns, median, module, run
from benchmarks.tables import say, show
from retreasure_assets.resources.dbt import manifest_path

#: The part of a run that gates may cost.
BAR = 0.15
WITH, WITHOUT = "with gates", "without"


def measure(scratch: Path, repetitions: int, days: int = 60, scale: float = 1.0) -> None:
    """Measure and print: CPU seconds, which other work on the machine hardly changes, of runs in new state folders."""
    with serving("cached_sandbox", "--days", days, "--scale", scale) as (url, settings, _):

        def once(*options: str) -> Run:
            home = emptied(scratch / "gate")
            return run(module("gated", *options), {**os.environ, "RETREASURE_HOME": str(home)})

        manifest_path(settings)
        # Fills the cache of answers.
        sync(settings, emptied(scratch / "gate"))
        httpx.get(f"{url}/cache/frozen").raise_for_status()
        runs = in_turns({WITH: lambda _: once(), WITHOUT: lambda _: once("--without")}, repetitions, say)
    agree(runs)
    gated, free = median(runs[WITH]), median(runs[WITHOUT])
    show(
        f"a first run of {days} days (medians of {repetitions})",
        ("", "CPU s", "s", "peak MB"),
        [
            (name, f"{one.cpu:.1f}", f"{one.work:.1f}", f"{one.peak:,.0f}")
            for name, one in ((WITH, gated), (WITHOUT, free))
        ],
    )
    show("of it", ("", "s"), [(name, f"{seconds:.2f}") for name, seconds in gated.inner.items()])
    pairs = [one.cpu / other.cpu - 1 for one, other in zip(runs[WITH], runs[WITHOUT], strict=True)]
    cost = statistics.median(pairs)
    told = ", ".join(f"{pair:+.1%}" for pair in pairs)
    say(f"gates add {cost:+.1%} to a run's CPU (pairs: {told}): {'within' if cost <= BAR else 'OVER'} {BAR:.0%}")
