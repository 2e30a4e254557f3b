"""A full rebuild of silver and gold, from existing bronze: a million orders with lines, fees and payouts, five million
clicks.

What belongs here: the size, the bars and the table. What does not: the work (contestants/rebuild.py).

Bars: 60 s and 4 GB on 2 cores. The sizes can be set, so that what a change does shows on a smaller shop too.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from benchmarks.bulk_bronze import CLICKS_A_VISIT, Size, write
from benchmarks.homes import Home
from benchmarks.measuring import Run, in_turns, median, module, run
from benchmarks.tables import say, show

ORDERS = 1_000_000
BAR_SECONDS, BAR_MEGABYTES = 60, 4_000
_SLOWEST = 25


def measure(scratch: Path, orders: int, repetitions: int) -> None:
    """Measure and print.

    Args:
        scratch: folder for everything.
        orders: how many; there are five times as many clicks.
        repetitions: how often; the medians are shown.
    """
    home = Home(scratch / f"rebuild-{orders}").folder
    write(Size(orders, CLICKS_A_VISIT * orders), home)
    size = sum(path.stat().st_size for path in (home / "lake" / "bronze").rglob("*.parquet")) / 1e6
    say(f"{orders:,} orders and {CLICKS_A_VISIT * orders:,} clicks in bronze, {size:,.0f} MB")

    def rebuild(_: int) -> Run:
        shutil.rmtree(home / "build", ignore_errors=True)
        return run(module("rebuild", home))

    [runs] = in_turns({"rebuild": rebuild}, repetitions, say).values()
    found = median(runs)
    show(
        f"full rebuild, all models, medians (bars: {BAR_SECONDS} s, {BAR_MEGABYTES:,} MB)",
        ("wall s", "CPU s", "peak MB"),
        ((f"{found.work:.1f}", f"{found.cpu:.1f}", f"{found.peak:,.0f}"),),
    )
    say(", ".join(f"{name} {value}" for name, value in found.totals.items()))
    slowest = sorted(found.inner.items(), key=lambda item: -item[1])[:_SLOWEST]
    show("slowest models (beside one another)", ("", "s"), ((name, f"{seconds:.2f}") for name, seconds in slowest))
