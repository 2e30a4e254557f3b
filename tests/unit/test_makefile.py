"""What `make` does before there is an environment."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make")

pytestmark = pytest.mark.skipif(MAKE is None, reason="make is not installed")


def planned(folder: Path, path: str, *arguments: str) -> str:
    """What `make setup` would run in a folder without an environment."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    command = [MAKE or "", "--dry-run", "setup", *arguments]
    return subprocess.run(command, cwd=folder, env={"PATH": path}, capture_output=True, text=True, check=True).stdout


def test_the_quickest_python_makes_the_environment(tmp_path: Path) -> None:
    said = {"slow": "echo 9.999 $0", "the quick one": 'echo 0.000 "$0"', "without venv": "exit 1"}
    for name, answer in said.items():
        program = tmp_path / name / "python3"
        program.parent.mkdir()
        program.write_text(f"#!/bin/sh\n{answer}\n")
        program.chmod(0o755)
    path = os.pathsep.join([*(str(tmp_path / name) for name in said), os.environ["PATH"]])
    assert f'python="{tmp_path}/the quick one/python3"' in planned(tmp_path, path)


def test_one_that_is_named_is_taken(tmp_path: Path) -> None:
    assert 'python="/named/python3"' in planned(tmp_path, os.environ["PATH"], "PYTHON=/named/python3")
