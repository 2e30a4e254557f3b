"""One more day on a history of 30 and of 300 days: it must cost the same within 20 %.

What belongs here: the two histories and the days added. What does not: the work (contestants/ours.py); it is all that
the platform does for a day: bronze, every model with its tests, publication.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from benchmarks.homes import Home, emptied
from benchmarks.measuring import Run, in_turns, median, module, run
from benchmarks.records.files import write_days
from benchmarks.records.plan import Plan
from benchmarks.tables import say, show

HISTORIES = (30, 300)
BAR = 1.2
_ORDERS, _TILL_LINES = 400, 600
#: Parts that take no more than this longer are not shown.
_SHOWN_SECONDS = 0.05


def measure(scratch: Path, repetitions: int) -> None:
    """Measure and print.

    Args:
        scratch: folder for everything.
        repetitions: how many days are added, one after the other; the medians are shown.
    """
    raw = scratch / "raw"
    plan = Plan(max(HISTORIES), _ORDERS, _TILL_LINES)
    # The first of the new days warms the disk's cache and is not counted.
    added = replace(plan, days=repetitions + 1, last_day=plan.last_day + timedelta(days=repetitions + 1))
    new_days = sorted(write_days(added, raw).iterdir())
    homes = {}
    for days in HISTORIES:
        home = Home(scratch / f"history-{days}").renew()
        built = run(module("ours", write_days(replace(plan, days=days), raw), home, "--days", "--tests"))
        say(f"history of {days} days built in {built.work:.0f} s: {_ORDERS} orders and {_TILL_LINES} till lines a day")
        homes[f"{days} days"] = home

    def add_day(home: Path, number: int) -> Run:
        today = emptied(scratch / "today")
        (today / new_days[number].name).symlink_to(new_days[number])
        return run(module("ours", today, home, "--days", "--tests"))

    runs = in_turns(
        {name: lambda number, home=home: add_day(home, number) for name, home in homes.items()},  # type: ignore[misc]
        repetitions + 1,
        say,
    )
    _show({name: median(several[1:]) for name, several in runs.items()})


def _show(medians: Mapping[str, Run]) -> None:
    short, long = medians.values()
    outer = [(name, short.outer[name], long.outer[name]) for name in short.outer]
    inner = [(name, short.inner.get(name, 0.0), seconds) for name, seconds in long.inner.items()]
    used = [(f"{name}, CPU", short.outer_cpu[name], long.outer_cpu[name]) for name in short.outer_cpu]
    show(
        "one more day (medians)",
        ("", *(f"{name}, s" for name in medians), "ratio", "more, s"),
        (
            _row(*row)
            for row in [
                ("all", short.work, long.work),
                ("all, CPU", short.cpu, long.cpu),
                *outer,
                *used,
                *sorted((row for row in inner if row[2] - row[1] > _SHOWN_SECONDS), key=lambda row: row[1] - row[2]),
            ]
        ),
    )
    ratio, used_ratio = long.work / short.work, long.cpu / short.cpu
    say(
        f"a day costs {ratio:.2f} times as much on the longer history ({used_ratio:.2f} times the CPU): "
        f"{'within' if ratio <= BAR else 'OVER'} 20 %"
    )


def _row(name: str, short: float, long: float) -> tuple[str, ...]:
    return name, f"{short:.2f}", f"{long:.2f}", f"{long / short:.2f}" if short else "-", f"{long - short:+.2f}"
