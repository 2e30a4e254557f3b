"""A project that is made ready serves one build, and whatever goes wrong ahead is told to that build."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from retreasure_assets.errors import BuildError
from retreasure_assets.resources import dbt as dbt_module
from retreasure_assets.resources.dbt import Dbt
from retreasure_assets.settings import Settings

AHEAD = "load-dbt"


class Project:
    """What stands in for the files: which state they are in, and the threads that loaded it."""

    state = "first"

    def __init__(self) -> None:
        self.loaded_by: list[str] = []
        self.fails = False

    def load(self, _settings: Settings) -> list[str]:
        self.loaded_by.append(threading.current_thread().name)
        if self.fails:
            raise BuildError("The project does not parse.", remedy="Mend it.")
        return [self.state]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def project(monkeypatch: pytest.MonkeyPatch) -> Project:
    project = Project()
    monkeypatch.setattr(dbt_module, "load_manifest", project.load)
    monkeypatch.setattr(dbt_module, "project_state", lambda _settings: project.state)
    return project


@pytest.fixture
def ready(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Callable[[float], Dbt]:
    """dbt, made ready so many seconds from now."""

    def make(seconds: float) -> Dbt:
        monkeypatch.setattr(dbt_module, "_READY_AFTER_SECONDS", seconds)
        dbt = Dbt()
        dbt.make_ready(settings)
        return dbt

    return make


def manifest(dbt: Dbt, settings: Settings) -> Any:
    return dbt._manifest(settings)


def begun(project: Project) -> None:
    for _ in range(1_000):
        if project.loaded_by:
            return
        time.sleep(0.01)
    pytest.fail("the project is not loaded ahead")


def test_a_build_takes_the_project_that_was_loaded_ahead_and_the_next_one_loads_it(
    project: Project, ready: Callable[[float], Dbt], settings: Settings
) -> None:
    dbt = ready(0)
    begun(project)
    first = manifest(dbt, settings)
    assert project.loaded_by == [AHEAD]
    # dbt changes a manifest as it builds.
    assert manifest(dbt, settings) is not first
    assert project.loaded_by == [AHEAD, threading.current_thread().name]


def test_a_build_that_comes_first_loads_the_project_and_nobody_else_does(
    project: Project, ready: Callable[[float], Dbt], settings: Settings
) -> None:
    dbt = ready(0.2)
    assert manifest(dbt, settings) == ["first"]
    time.sleep(0.4)
    assert project.loaded_by == [threading.current_thread().name]


def test_a_project_that_changed_meanwhile_is_loaded_again(
    project: Project, ready: Callable[[float], Dbt], settings: Settings
) -> None:
    dbt = ready(0)
    begun(project)
    project.state = "second"
    assert manifest(dbt, settings) == ["second"]


def test_what_goes_wrong_ahead_is_told_to_the_build(
    project: Project, ready: Callable[[float], Dbt], settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    project.fails = True
    dbt = ready(0)
    begun(project)
    with pytest.raises(BuildError, match="does not parse"):
        manifest(dbt, settings)
    assert project.loaded_by == [AHEAD]
    assert capfd.readouterr().err == ""
