"""What counts as a change of the rows that the dbt project makes."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from retreasure_assets.resources import dbt_rows
from retreasure_assets.settings import Settings

_PROJECT = "vars: {max_age: 7}\nmodels: {shop: {gold: {+schema: gold}}}\ndata_tests: {shop: {+severity: warn}}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A parsed project of a model, a seed, a test and some macros."""
    (tmp_path / "target").mkdir()
    (tmp_path / "dbt_project.yml").write_text(_PROJECT)
    write(tmp_path, manifest())
    monkeypatch.setattr(dbt_rows, "dbt_project_dir", lambda: tmp_path)
    monkeypatch.setattr(dbt_rows, "manifest_path", lambda settings: tmp_path / "target" / "manifest.json")
    return tmp_path


def manifest() -> dict[str, Any]:
    """As dbt writes it, as far as it is read."""
    model = {
        "resource_type": "model",
        "name": "orders",
        "schema": "silver",
        "description": "Orders.",
        "raw_code": "select 1 as a",
        "checksum": {"checksum": "m1"},
        "columns": {"a": {"data_type": "integer", "description": "One."}},
        "config": {"materialized": "incremental", "unique_key": "a", "meta": {"owner": "team:one"}},
    }
    seed = {**model, "resource_type": "seed", "name": "days", "config": {"materialized": "seed"}}
    test = {**model, "resource_type": "test", "name": "holds", "config": {"materialized": "test"}}
    return {
        "metadata": {"project_name": "shop"},
        "nodes": {"model.shop.orders": model, "seed.shop.days": seed, "test.shop.holds": test},
        "macros": {
            "macro.shop.money": {"name": "money", "macro_sql": "cast"},
            "macro.shop.test_holds": {"name": "test_holds", "macro_sql": "select"},
            "macro.dbt.hash": {"name": "hash", "macro_sql": "md5"},
        },
    }


def write(project: Path, parsed: dict[str, Any]) -> None:
    """The manifest, as parsed later than whatever was noted of it."""
    path = project / "target" / "manifest.json"
    path.write_text(json.dumps(parsed))
    later = max([path.stat().st_mtime_ns, *(file.stat().st_mtime_ns for file in path.parent.iterdir())]) + 1_000_000
    os.utime(path, ns=(later, later))


def state(**settings: str) -> dbt_rows.RowState:
    return dbt_rows.row_state(Settings(**settings))  # type: ignore[arg-type]


def at(parsed: dict[str, Any], *path: str, value: object) -> dict[str, Any]:
    """The manifest with one thing changed."""
    inner = parsed
    for name in path[:-1]:
        inner = inner[name]
    assert inner[path[-1]] != value
    inner[path[-1]] = value
    return parsed


MODEL, SEED, TEST = (("nodes", f"{kind}.shop.{name}") for kind, name in
                     (("model", "orders"), ("seed", "days"), ("test", "holds")))  # fmt: skip


def test_the_same_project_is_the_same_state_however_often_it_is_parsed(project: Path) -> None:
    first = state()
    assert first.incremental == {("silver", "orders")}
    write(project, manifest())
    assert state() == first
    # The note is what later processes go by.
    assert (project / "target" / "rows.json").exists()
    assert state() == first


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*MODEL, "raw_code"), "select 2 as a"),
        ((*MODEL, "config", "unique_key"), "b"),
        ((*MODEL, "columns", "a", "data_type"), "bigint"),
        ((*SEED, "checksum", "checksum"), "s2"),
        (("macros", "macro.shop.money", "macro_sql"), "round"),
    ],
)
def test_whatever_makes_rows_counts(project: Path, path: tuple[str, ...], value: object) -> None:
    first = state()
    write(project, at(manifest(), *path, value=value))
    assert state().state != first.state


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ((*MODEL, "description"), "All orders."),
        ((*MODEL, "columns", "a", "description"), "The one."),
        ((*MODEL, "config", "meta", "owner"), "team:two"),
        ((*TEST, "raw_code"), "select 3"),
        (("macros", "macro.shop.test_holds", "macro_sql"), "select 4"),
        (("macros", "macro.dbt.hash", "macro_sql"), "sha256"),
    ],
)
def test_tests_words_and_owners_do_not(project: Path, path: tuple[str, ...], value: object) -> None:
    first = state()
    write(project, at(manifest(), *path, value=value))
    assert state() == first


def test_settings_that_models_read_count_and_others_do_not(project: Path) -> None:
    first = state()
    assert state(reporting_currency="USD").state != first.state
    assert state(business_timezone="Europe/Paris").state != first.state
    assert state(duckdb_memory_limit="900MB", threads="1") == first
    (project / "dbt_project.yml").write_text(_PROJECT.replace("7", "8"))
    write(project, manifest())
    changed = state()
    assert changed.state != first.state
    (project / "dbt_project.yml").write_text(_PROJECT.replace("7", "8").replace("warn", "error"))
    write(project, manifest())
    assert state() == changed
