"""Phases of a contestant: how long each took, and the report that the measuring process reads.

What belongs here: stopwatches. What does not: any work.
"""

from __future__ import annotations

import functools
import json
import resource
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import psutil  # type: ignore[import-untyped]

T = TypeVar("T")

#: The line that ends a contestant's output starts with this.
MARK = "benchmark-report "


class Phases:
    """Seconds by phase, and the CPU seconds of outer ones, which other work on the machine hardly changes.

    ``inner`` phases are parts of outer ones, or run beside them on another thread.
    """

    def __init__(self) -> None:
        self.outer: dict[str, float] = {}
        self.cpu: dict[str, float] = {}
        self.inner: dict[str, float] = {}
        self._adding = threading.Lock()
        self._start = time.time() - psutil.Process().create_time()
        self._began = time.monotonic()
        self._ready_cpu = _cpu_seconds()

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Time one phase; a name used twice adds up."""
        began, used = time.monotonic(), _cpu_seconds()
        try:
            yield
        finally:
            self.outer[name] = self.outer.get(name, 0.0) + time.monotonic() - began
            self.cpu[name] = self.cpu.get(name, 0.0) + _cpu_seconds() - used

    def add(self, name: str, seconds: float) -> None:
        """Add to an inner phase, from whatever thread."""
        with self._adding:
            self.inner[name] = self.inner.get(name, 0.0) + seconds

    def watch(self, owner: Any, attribute: str, name: str) -> None:
        """Time every call of a function or method as an inner phase, from now to the end of the process."""
        function: Callable[..., Any] = getattr(owner, attribute)

        @functools.wraps(function)
        def timed(*args: Any, **options: Any) -> Any:
            began = time.monotonic()
            try:
                return function(*args, **options)
            finally:
                self.add(name, time.monotonic() - began)

        setattr(owner, attribute, timed)

    def each(self, items: Iterable[T], name: str) -> Iterator[T]:
        """The items, timing how long each took to come, as an inner phase."""
        iterator = iter(items)
        while True:
            began = time.monotonic()
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                self.add(name, time.monotonic() - began)
            yield item

    def report(self, totals: Callable[[], dict[str, str]]) -> None:
        """Print the report, once, at the end.

        Args:
            totals: what came out, to compare with the other contestants; looked at after the last stopwatch.
        """
        report = {
            "start": self._start,
            "work": time.monotonic() - self._began,
            "cpu": _cpu_seconds() - self._ready_cpu,
            "outer": self.outer,
            "outer_cpu": self.cpu,
            "inner": self.inner,
            "totals": totals(),
        }
        sys.stdout.write(f"\n{MARK}{json.dumps(report)}\n")
        sys.stdout.flush()


def _cpu_seconds() -> float:
    """CPU seconds of this process and its children, those still at work (a Java machine) included."""
    ended = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    working = (child.cpu_times() for child in psutil.Process().children(recursive=True))
    seconds = [usage.ru_utime + usage.ru_stime for usage in ended] + [times.user + times.system for times in working]
    return float(sum(seconds))
