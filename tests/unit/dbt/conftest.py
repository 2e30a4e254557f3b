"""The parsed dbt project, and empty warehouses to build silver in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from bronze_bench import Bench, Dbt


@pytest.fixture(scope="session")
def dbt(tmp_path_factory: pytest.TempPathFactory) -> Dbt:
    """The project, parsed once."""
    return Dbt(tmp_path_factory.mktemp("dbt"))


@pytest.fixture
def new_bench(dbt: Dbt, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Bench]:
    """A function that makes an empty bronze in a new file."""
    return lambda: Bench(dbt, tmp_path_factory.mktemp("warehouse"))


@pytest.fixture
def bench(new_bench: Callable[[], Bench]) -> Bench:
    """An empty bronze."""
    return new_bench()
