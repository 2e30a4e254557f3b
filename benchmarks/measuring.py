"""Running contestants: each in a process of its own, in turns, with the memory of the whole process tree.

What belongs here: processes, repetitions, medians. What does not: what is measured (contestants) and how it is shown
(tables.py).
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]

from benchmarks.contestants.phases import MARK

_SAMPLE_SECONDS = 0.05
_MEGA = 1e6
_LAST_LINES = 15


class ContestantError(Exception):
    """A contestant failed, or its result differs from the others'."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one contestant.

    Args:
        wall: seconds from starting the process to its end.
        work: seconds without the interpreter's start and imports, and without looking at what came out.
        cpu: CPU seconds of the work.
        start: seconds of the interpreter's start and imports.
        peak: peak resident memory of the process tree, MB.
        outer: seconds by phase, one after the other.
        outer_cpu: CPU seconds by phase.
        inner: seconds by part of a phase; parts may overlap.
        totals: what came out.
    """

    wall: float
    work: float
    cpu: float
    peak: float
    start: float = 0.0
    outer: Mapping[str, float] = field(default_factory=dict)
    outer_cpu: Mapping[str, float] = field(default_factory=dict)
    inner: Mapping[str, float] = field(default_factory=dict)
    totals: Mapping[str, str] = field(default_factory=dict)


def run(command: Sequence[str], environment: Mapping[str, str] | None = None, cwd: Path | None = None) -> Run:
    """Run a contestant.

    Raises:
        ContestantError: it failed.
    """
    with tempfile.TemporaryFile("w+") as output:
        began = time.monotonic()
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment, cwd=cwd, text=True
        )
        peak = _peak(process)
        wall = time.monotonic() - began
        output.seek(0)
        text = output.read()
    if process.returncode:
        last = "\n".join(text.splitlines()[-_LAST_LINES:])
        raise ContestantError(f"{' '.join(command[1:4])} ended with {process.returncode}:\n{last}")
    report: dict[str, Any] = {}
    for line in text.splitlines():
        if line.startswith(MARK):
            report = json.loads(line.removeprefix(MARK))
    return Run(
        wall=wall,
        start=report.get("start", 0.0),
        work=report.get("work", wall),
        cpu=report.get("cpu", float("nan")),
        peak=peak,
        outer=report.get("outer", {}),
        outer_cpu=report.get("outer_cpu", {}),
        inner=report.get("inner", {}),
        totals=report.get("totals", {}),
    )


def module(name: str, *arguments: object, python: str = sys.executable) -> list[str]:
    """The command that runs a contestant of this package."""
    return [python, "-m", f"benchmarks.contestants.{name}", *map(str, arguments)]


def _peak(process: subprocess.Popen[str]) -> float:
    """Wait for a process; the highest sum of resident memory of it and its descendants, MB."""
    root = psutil.Process(process.pid)
    peak = 0
    while process.poll() is None:
        total = 0
        try:
            family = [root, *root.children(recursive=True)]
        except psutil.NoSuchProcess:
            family = []
        for member in family:
            try:
                total += member.memory_info().rss
            except psutil.Error:
                continue
        peak = max(peak, total)
        time.sleep(_SAMPLE_SECONDS)
    return peak / _MEGA


def in_turns(
    contestants: Mapping[str, Callable[[int], Run]], repetitions: int, said: Callable[[str], None]
) -> dict[str, list[Run]]:
    """Run every contestant ``repetitions`` times, in turns, so that a busy minute of the machine hits all of them.

    Args:
        contestants: name -> what runs it, given the repetition's number.
        repetitions: how often.
        said: told of every run.

    Raises:
        ContestantError: one failed.
    """
    runs: dict[str, list[Run]] = {name: [] for name in contestants}
    for repetition in range(repetitions):
        for name, start in contestants.items():
            result = start(repetition)
            runs[name].append(result)
            said(f"{name}: {result.work:.1f} s, {result.peak:.0f} MB")
    return runs


def median(runs: Sequence[Run]) -> Run:
    """The median of every figure."""

    def middle(of: Callable[[Run], float]) -> float:
        return statistics.median(of(run) for run in runs)

    def phases(of: Callable[[Run], Mapping[str, float]]) -> dict[str, float]:
        names = dict.fromkeys(name for run in runs for name in of(run))
        return {name: statistics.median(of(run).get(name, 0.0) for run in runs) for name in names}

    return Run(
        wall=middle(lambda run: run.wall),
        start=middle(lambda run: run.start),
        work=middle(lambda run: run.work),
        cpu=middle(lambda run: run.cpu),
        peak=middle(lambda run: run.peak),
        outer=phases(lambda run: run.outer),
        outer_cpu=phases(lambda run: run.outer_cpu),
        inner=phases(lambda run: run.inner),
        totals=runs[0].totals,
    )


def agree(runs: Mapping[str, Sequence[Run]]) -> None:
    """Check that every run of every contestant came to the same result.

    Raises:
        ContestantError: two differ.
    """
    (first_name, first), *others = [(name, run) for name, several in runs.items() for run in several]
    for name, other in others:
        differing = [
            f"{key}: {first.totals.get(key)} and {other.totals.get(key)}"
            for key in dict.fromkeys([*first.totals, *other.totals])
            if first.totals.get(key) != other.totals.get(key)
        ]
        if differing:
            raise ContestantError(f"{first_name} and {name} differ: {'; '.join(differing)}")
