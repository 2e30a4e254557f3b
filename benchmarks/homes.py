"""State folders to measure in, and a parsed dbt project as an installed platform has one.

What belongs here: making things ready outside of the measured time. What does not: the measured work.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from retreasure_assets.resources.dbt import manifest_path
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
    """A state folder that is made anew for every run, with the dbt project parsed already."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder.absolute()
        manifest_path(load_settings())

    def renew(self) -> Path:
        """Empty it."""
        return emptied(self.folder)
