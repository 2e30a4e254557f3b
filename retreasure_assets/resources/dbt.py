"""The dbt project as Dagster sees it: where it is, its manifest, and a quick command line.

What belongs here: starting dbt. What does not: what its models mean; that is in ``assets/dbt.py``.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version as installed_version
from pathlib import Path

import dagster_dbt
from packaging.version import Version

from retreasure_assets.errors import BuildError
from retreasure_assets.resources.platform import dbt_project_dir
from retreasure_assets.settings import Settings

_PROJECT_INPUTS = ("dbt_project.yml", "profiles.yml", "models", "macros", "tests", "seeds", "snapshots")


def dbt_executable() -> str:
    """The dbt of this Python environment, whatever PATH says."""
    return str(Path(sys.executable).with_name("dbt"))


@contextmanager
def dbt_environment(settings: Settings) -> Iterator[None]:
    """While it lasts, the process has the variables that the dbt project reads: dagster-dbt hands dbt its own."""
    variables = {
        "RETREASURE_WAREHOUSE": str(settings.warehouse_path.absolute()),
        "RETREASURE_DUCKDB_MEMORY_LIMIT": settings.duckdb_memory_limit,
        "RETREASURE_THREADS": str(settings.threads),
        "RETREASURE_REPORTING_CURRENCY": settings.reporting_currency,
        "RETREASURE_BUSINESS_TIMEZONE": settings.business_timezone,
        "RETREASURE_SHIP_FROM": settings.ship_from,
    }
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


def manifest_path(settings: Settings) -> Path:
    """The parsed project; parsed anew when any of its files is newer.

    It is parsed with the settings that builds use, so that they need not parse it again.

    Raises:
        BuildError: the project does not parse.
    """
    project = dbt_project_dir()
    manifest = project / "target" / "manifest.json"
    if not manifest.exists() or manifest.stat().st_mtime < _newest(project):
        with dbt_environment(settings):
            _parse(project)
    return manifest


def _newest(project: Path) -> float:
    files = (
        file for name in _PROJECT_INPUTS for file in [project / name, *(project / name).rglob("*")] if file.exists()
    )
    return max(file.stat().st_mtime for file in files)


def _parse(project: Path) -> None:
    outcome = subprocess.run(
        [dbt_executable(), "--quiet", "parse", "--project-dir", str(project), "--profiles-dir", str(project)],
        env={**os.environ, "DBT_SEND_ANONYMOUS_USAGE_STATS": "false"},
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
    )
    if outcome.returncode != 0:
        raise BuildError(
            "The dbt project does not parse.", remedy=f"Run `dbt parse` in {project.name}/ and mend what it names."
        )
    (project / "target" / "manifest.json").touch()


class DbtCli(dagster_dbt.DbtCliResource):
    """dagster-dbt's command line without its four seconds of preparation.

    The stock resource spawns ``dbt --version`` and builds an adapter in the parent process before dbt starts; the
    first is known from the installed package, the second only serves metadata that this platform reads itself.
    Both are private methods: dagster-dbt is pinned.
    """

    @property
    def _cli_version(self) -> Version:
        return Version(installed_version("dbt-core"))

    def _initialize_dbt_core_adapter(self, args: object) -> None:  # type: ignore[override]
        return None


def build_dbt_cli() -> DbtCli:
    """The dbt command line of this environment, for the project beside the package."""
    project = dbt_project_dir()
    return DbtCli(project_dir=str(project), profiles_dir=str(project), dbt_executable=dbt_executable())
