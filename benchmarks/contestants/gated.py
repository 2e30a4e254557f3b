"""A run of the platform as it is, or without its gates: every row goes on, and nothing of silver is held against rules.

What belongs here: leaving the gates out. What does not: what runs (automation/run.py).

    python -m benchmarks.contestants.gated [--without]
"""

from __future__ import annotations

import argparse

from benchmarks.contestants.phases import Phases
from retreasure_assets.assets import dbt
from retreasure_assets.automation.run import run_platform
from retreasure_assets.errors import BuildError
from retreasure_assets.lake.query import query
from retreasure_assets.quality.gate import Gates
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import load_settings

_TOTALS = "select count(*), sum(total_amount) from gold.fct_orders"


def main() -> None:
    """Run once, in the state folder that the environment names."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--without", action="store_true", help="leave the gates out")
    without = parser.parse_args().without
    phases = Phases()
    platform = Platform(load_settings())
    if without:
        Gates.check = lambda *given, **named: None  # type: ignore[method-assign]
        dbt.check_silver = lambda *given: []  # type: ignore[attr-defined]
    phases.watch(Gates, "check", "gates of bronze (beside the reading)")
    phases.watch(dbt, "check_silver", "gates of silver")
    with phases.phase("run"):
        outcome = run_platform(platform)
    if outcome.failures:
        raise BuildError(outcome.failures[0].message, remedy="Run the sandbox and the platform by hand.")
    ((orders, amount),) = query(platform.lake, _TOTALS).rows
    phases.report(lambda: {"orders": str(orders), "amount": str(amount)})


if __name__ == "__main__":
    main()
