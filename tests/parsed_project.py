"""The dbt project, parsed once for all tests of a run, whatever process they are in.

What belongs here: parsing, and starting dbt on what was parsed. What does not: what the tests build.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner
from dbt.contracts.graph.manifest import Manifest
from filelock import FileLock

from retreasure_assets.resources.dbt_shortcuts import shortcuts
from tests.conftest import REPOSITORY

PROJECT = REPOSITORY / "dbt_project"


@contextmanager
def environment(**variables: str) -> Iterator[None]:
    """Set environment variables for the length of a block (dbt reads its profile from them)."""
    before = {name: os.environ.get(name) for name in variables}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class ParsedProject:
    """dbt in this process, on the project as it was parsed.

    The parsed project names the catalog after the warehouse's file: every warehouse is called ``warehouse.duckdb``.
    """

    def __init__(self, shared: Path) -> None:
        self._flags = [
            *("--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT)),
            *(
                "--target-path",
                str(shared / f"target-{os.getpid()}"),
                "--log-path",
                str(shared / f"logs-{os.getpid()}"),
            ),
            *("--quiet", "--no-write-json", "--log-level-file", "none"),
        ]
        self.manifest = _parsed(shared)
        self._templates = shared / f"templates-{os.getpid()}.bin"

    def invoke(self, warehouse: Path, command: str, *arguments: str) -> Any:
        """One dbt invocation on a warehouse, with the platform's shortcuts; what dbt answers. It is closed then."""
        with environment(RETREASURE_WAREHOUSE=str(warehouse)), shortcuts(self._templates):
            outcome = dbtRunner(manifest=self.manifest).invoke([command, *self._flags, *arguments])
        # dbt keeps the file open for the next run in the process; the tests read it in between.
        DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
        return outcome

    def statuses(self, warehouse: Path, command: str, *arguments: str) -> dict[str, str]:
        """One dbt invocation; node name -> status.

        Raises:
            AssertionError: a node errs or a test fails; with dbt's messages.
        """
        outcome = self.invoke(warehouse, command, *arguments)
        results: Sequence[Any] = list(getattr(outcome.result, "results", None) or [])
        bad = [f"{each.node.name}: {each.message}" for each in results if str(each.status) in {"error", "fail"}]
        assert not bad, "\n".join(bad)
        assert outcome.exception is None, outcome.exception
        return {each.node.name: str(each.status) for each in results}


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of this run of the tests have in common, and no other run."""
    base = factory.getbasetemp()
    # Each of xdist's workers has a folder of its own in the run's.
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "parsed_project"
    folder.mkdir(exist_ok=True)
    return folder


@cache
def _parsed(shared: Path) -> Manifest:
    """Parsing takes 10 s of CPU, reading what was parsed one."""
    target = shared / "parse"
    with FileLock(shared / "parse.lock"):
        if not (target / "parsed").exists():
            flags = ["--project-dir", str(PROJECT), "--profiles-dir", str(PROJECT), "--quiet"]
            flags += ["--target-path", str(target), "--log-path", str(target), "--log-level-file", "none"]
            target.mkdir(exist_ok=True)
            with environment(RETREASURE_WAREHOUSE=str(target / "warehouse.duckdb")):
                outcome = dbtRunner().invoke(["parse", *flags])
            DuckDBConnectionManager.close_all_connections()  # type: ignore[no-untyped-call]
            assert outcome.success, outcome.exception
            (target / "parsed").touch()
    manifest: Manifest = Manifest.from_msgpack((target / "partial_parse.msgpack").read_bytes())
    manifest.build_parent_and_child_maps()  # type: ignore[no-untyped-call]
    manifest.build_flat_graph()  # type: ignore[no-untyped-call]
    return manifest
