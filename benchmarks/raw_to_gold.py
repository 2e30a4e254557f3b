"""Raw records to published gold: the platform beside plain DuckDB SQL, and others where asked for.

What belongs here: who takes part, and the table. What does not: their work (contestants).

Bars: at least as fast as plain DuckDB SQL, 3 times PySpark, 10 times dlt + dbt, under 2.5 GB. Goal: twice plain DuckDB
SQL, under 1.5 GB, flat in the size of the input.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks.contestants.ours import GOLD
from benchmarks.homes import Home, emptied
from benchmarks.measuring import Run, agree, in_turns, median, module, run
from benchmarks.records.files import write
from benchmarks.records.plan import Plan
from benchmarks.tables import say, show

OURS = "retreasure"
PLAIN = "plain DuckDB SQL"


class Baseline(NamedTuple):
    """A further contestant: its name in the table and its module; packages of another interpreter that it needs."""

    name: str
    program: str
    packages: Sequence[str] = ()
    options: Sequence[str] = ()


#: By name on the command line.
EXTRAS: Mapping[str, Baseline] = {
    "plain4gb": Baseline("plain DuckDB SQL in 4 GB", "duckdb_plain", options=["--memory-limit", "4GB"]),
    "pyspark": Baseline("PySpark local", "spark", ["pyspark"]),
    "dlt": Baseline("dlt + dbt", "dlt_dbt", ["dlt", "dbt-duckdb"]),
}
#: Phases below this share of the whole are not worth a line.
_SHOWN = 0.01
_MEGA = 1e6


def measure(scratch: Path, records: int, repetitions: int, extras: Sequence[str], python: str = sys.executable) -> None:
    """Measure and print.

    Args:
        scratch: folder for everything.
        records: how many, about.
        repetitions: how often; the medians are shown.
        extras: further baselines, by name.
        python: the interpreter that has what the extras need.
    """
    raw = write(Plan.of_size(records), scratch / "raw")
    files = list(raw.rglob("*.jsonl"))
    size = sum(path.stat().st_size for path in files)
    lines = sum(path.read_bytes().count(b"\n") for path in files)
    say(f"{lines:,} records, {size / _MEGA:,.0f} MB, {size / lines:,.0f} bytes each")

    home = Home(scratch / "ours")
    contestants: dict[str, Callable[[int], Run]] = {
        OURS: lambda _: run(module("ours", raw, home.renew(), "--select", *GOLD)),
        PLAIN: lambda _: run(module("duckdb_plain", raw, emptied(scratch / "plain") / "out")),
    }
    for extra in extras:
        name, program, packages, options = EXTRAS[extra]
        if packages:
            versions = _versions(python, packages)
            if versions is None:
                needed = " or ".join(packages)
                say(f"{name}: skipped, as {needed} is not installed for {python} (--python names another interpreter).")
                continue
            say(f"{name}: {versions}")
        interpreter = python if packages else sys.executable
        command = module(program, raw, scratch / extra / "out", *options, python=interpreter)
        contestants[name] = lambda _, c=command, f=scratch / extra: (emptied(f), run(c))[1]  # type: ignore[misc]
    runs = in_turns(contestants, repetitions, say)
    agree(runs)
    say("All came to the same gold, in every column of every table.")
    _show(runs, lines, size)


def _versions(python: str, packages: Sequence[str]) -> str | None:
    """The versions of packages that an interpreter has; None when it lacks one."""
    ask = "import sys; from importlib.metadata import version; print(*map(version, sys.argv[1:]))"
    answer = subprocess.run([python, "-c", ask, *packages], capture_output=True, text=True, check=False)
    if answer.returncode:
        return None
    return ", ".join(f"{name} {found}" for name, found in zip(packages, answer.stdout.split(), strict=True))


def _show(runs: Mapping[str, Sequence[Run]], lines: int, size: int) -> None:
    medians = {name: median(several) for name, several in runs.items()}
    plain = medians[PLAIN]
    show(
        "raw to gold, medians (only retreasure seals; start: interpreter, imports; x: ratio to plain DuckDB SQL)",
        ("", "start s", "wall s", "CPU s", "records/s", "MB/s", "peak MB", "x speed", "x CPU", "x memory"),
        (
            (
                name,
                f"{one.start:.1f}",
                f"{one.work:.1f}",
                f"{one.cpu:.1f}",
                f"{lines / one.work:,.0f}",
                f"{size / _MEGA / one.work:.1f}",
                f"{one.peak:,.0f}",
                f"{plain.work / one.work:.2f}",
                f"{one.cpu / plain.cpu:.2f}",
                f"{one.peak / plain.peak:.2f}",
            )
            for name, one in medians.items()
        ),
    )
    show(
        "phases, seconds of wall (CPU)",
        ("", "seconds"),
        (
            (name, ", ".join(f"{phase} {s:.1f} ({one.outer_cpu[phase]:.1f})" for phase, s in one.outer.items()))
            for name, one in medians.items()
        ),
    )
    ours = medians[OURS]
    shown = sorted(ours.inner.items(), key=lambda item: -item[1])
    show(
        "where our time goes (parts of phases; models and Delta's writes run beside one another)",
        ("", "s", "% of all"),
        ((n, f"{s:.2f}", f"{100 * s / ours.work:.1f}") for n, s in shown if s >= _SHOWN * ours.work),
    )
