"""The parsed dbt project, and warehouses to build silver in."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from bronze_bench import Bench, Dbt
from filelock import FileLock

from tests.parsed_project import shared_folder


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """The project, parsed once."""
    return Dbt(shared_folder(tmp_path_factory))


@pytest.fixture(scope="session")
def built_empty(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse in which every model of silver and quarantine was built from an empty bronze, once for all tests."""
    shared = shared_folder(tmp_path_factory)
    kept = shared / "built_empty.duckdb"
    with FileLock(shared / "built_empty.lock"):
        if not kept.exists():
            bench = Bench(dbt, tmp_path_factory.mktemp("empty"))
            bench.build()
            bench.path.rename(kept)
    return kept


@pytest.fixture(scope="session")
def new_bench(dbt: Dbt, built_empty: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Bench]:
    """A function that makes an empty bronze, and silver as it is built from that, in a new file."""
    return lambda: Bench(dbt, tmp_path_factory.mktemp("warehouse"), built_empty)


@pytest.fixture
def bench(new_bench: Callable[[], Bench]) -> Bench:
    """An empty bronze, and silver as it is built from that."""
    return new_bench()
