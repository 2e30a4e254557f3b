"""State folders to measure in, and a parsed dbt project as an installed platform has one.

What belongs here: making things ready outside of the measured time. What does not: the measured work.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from benchmarks.contestants.ours import TARGET
from retreasure_assets.resources.dbt import dbt_environment, dbt_executable
from retreasure_assets.resources.platform import dbt_project_dir
from retreasure_assets.settings import load_settings

_KEPT = {"RETREASURE_DBT_PROJECT", "RETREASURE_DUCKDB_MEMORY_LIMIT", "RETREASURE_THREADS"}


def forget_settings() -> None:
    """Take the settings that would change what is measured out of this process's environment, and so its children's."""
    for name in [name for name in os.environ if name.startswith("RETREASURE_") and name not in _KEPT]:
        del os.environ[name]


def emptied(folder: Path) -> Path:
    """The folder, with nothing in it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Home:
    """A state folder that is made anew for every run, always with the dbt project parsed already.

    dbt parses the project again whenever the path of the warehouse changes, so a home keeps its path.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        self._parsed = self.folder.with_name(f"{self.folder.name}-parsed")
        _parse(self.folder, emptied(self._parsed))

    def renew(self) -> Path:
        """Empty it."""
        emptied(self.folder)
        shutil.copytree(self._parsed, self.folder / TARGET)
        return self.folder


def _parse(home: Path, target: Path) -> None:
    project = str(dbt_project_dir())
    paths = [
        "--project-dir",
        project,
        "--profiles-dir",
        project,
        "--target-path",
        str(target),
        "--log-path",
        str(target),
    ]
    with dbt_environment(load_settings().model_copy(update={"home": home})):
        subprocess.run([dbt_executable(), "--quiet", "parse", *paths], cwd=project, check=True)
