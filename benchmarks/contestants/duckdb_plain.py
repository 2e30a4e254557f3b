"""Plain DuckDB SQL: the same transformation without sealing, vault, Delta and increments (duckdb_plain.sql).

What belongs here: running the script with the threads that the platform gives its own engine. Its memory is a limit of
its own: at 1.5 million records of 2 KB it stops within 2,500 MB, which is all that the platform may take as a process,
and within 4 GB it takes a tenth longer than within 6 GB.

    python -m benchmarks.contestants.duckdb_plain <raw folder> <empty folder> [--memory-limit 6GB]
"""

from __future__ import annotations

import argparse
import string
from collections.abc import Iterator
from pathlib import Path

import duckdb

from benchmarks.contestants.phases import Phases
from benchmarks.contestants.totals import totals
from retreasure_assets.settings import load_settings

_PHASE = "-- phase: "
_MEMORY_LIMIT = "6GB"


def main() -> None:
    """Do it once."""
    parser = argparse.ArgumentParser()
    parser.add_argument("raw", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--memory-limit", default=_MEMORY_LIMIT, help="of the engine (default: %(default)s)")
    arguments = parser.parse_args()
    settings = load_settings()
    script = string.Template(Path(__file__).with_suffix(".sql").read_text("utf-8"))
    phases = Phases()
    for layer in ("bronze", "silver", "gold"):
        (arguments.out / layer).mkdir(parents=True)
    options: dict[str, str | bool | int | float | list[str]] = {
        "memory_limit": arguments.memory_limit,
        "threads": settings.threads,
        "preserve_insertion_order": "false",
    }
    with duckdb.connect(str(arguments.out / "warehouse.duckdb"), config=options) as engine:
        engine.execute("SET TimeZone = 'UTC'")
        for phase, statement in statements(script.substitute(raw=arguments.raw, out=arguments.out)):
            with phases.phase(phase):
                engine.execute(statement)
        phases.report(lambda: totals(engine))


def statements(script: str) -> Iterator[tuple[str, str]]:
    """The statements of a script, each with the phase that the last ``-- phase:`` comment named."""
    phase = "start"
    for statement in script.split(";\n"):
        for line in statement.splitlines():
            if line.startswith(_PHASE):
                phase = line.removeprefix(_PHASE)
        if statement.strip():
            yield phase, statement


if __name__ == "__main__":
    main()
