"""``python -m benchmarks``: measure, beside baselines of the same run.

What belongs here: arguments. What does not: measuring.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks import commands, connectors, full_rebuild, gate, incremental, raw_to_gold
from benchmarks.homes import forget_settings
from benchmarks.machine import described
from benchmarks.measuring import ContestantError
from benchmarks.tables import say

NAMES = ("raw_to_gold", "full_rebuild", "incremental", "bronze", "connectors", "gate", "startup", "demo")


def main(given: Sequence[str] | None = None) -> int:
    """Measure what was asked for; the exit code."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__.splitlines()[0] if __doc__ else ""
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"what to measure: {', '.join(NAMES)} (default: all)")
    parser.add_argument("--records", type=int, default=300_000, help="records of raw_to_gold, about (default: 300000)")
    parser.add_argument(
        "--orders", type=int, default=full_rebuild.ORDERS, help="orders of full_rebuild (default: 1000000)"
    )
    parser.add_argument("--repetitions", type=int, default=3, help="how often; medians are shown (default: 3)")
    parser.add_argument("--baselines", default="", help=f"more baselines: {','.join(raw_to_gold.EXTRAS)}")
    parser.add_argument("--python", default=sys.executable, help="interpreter that has what these baselines need")
    parser.add_argument("--scratch", type=Path, help="folder for data, kept afterwards (default: one that is removed)")
    arguments = parser.parse_args(given)
    names = arguments.names or NAMES
    baselines = [name for name in arguments.baselines.split(",") if name]
    if unknown := [*(set(names) - set(NAMES)), *(set(baselines) - set(raw_to_gold.EXTRAS))]:
        parser.error(f"there is no {', '.join(unknown)}")
    forget_settings()
    for line in described():
        say(line)
    with ExitStack() as stack:
        scratch = arguments.scratch or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="retreasure-bench-"))
        )
        try:
            for name in names:
                say(f"\n== {name}")
                _measure(name, scratch.absolute(), arguments, baselines)
        except ContestantError as error:
            say(f"Stopped: {error}")
            return 1
    return 0


def _measure(name: str, scratch: Path, arguments: argparse.Namespace, baselines: Sequence[str]) -> None:
    repetitions: int = arguments.repetitions
    if name == "raw_to_gold":
        raw_to_gold.measure(scratch, arguments.records, repetitions, baselines, arguments.python)
    elif name == "full_rebuild":
        full_rebuild.measure(scratch, arguments.orders, repetitions)
    elif name == "incremental":
        incremental.measure(scratch, repetitions)
    elif name == "bronze":
        subprocess.run([sys.executable, "-m", "benchmarks.bronze"], check=True)
    elif name == "connectors":
        connectors.measure(scratch, repetitions)
    elif name == "gate":
        gate.measure(scratch, repetitions)
    elif name == "startup":
        commands.startup(repetitions)
    else:
        commands.demo(scratch, repetitions)


if __name__ == "__main__":
    sys.exit(main())
