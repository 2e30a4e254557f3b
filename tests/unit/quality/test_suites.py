"""The shipped suites: one for every dataset, each readable, each about fields that exist."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from retreasure_assets.entities import Entity
from retreasure_assets.errors import ConfigurationError
from retreasure_assets.quality.silver_rules import MODELS
from retreasure_assets.quality.suite import parse, shipped, suite_of
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import Settings
from tests.conftest import REPOSITORY

SILVER = REPOSITORY / "dbt_project" / "models" / "silver"
#: Lists that the project itself makes: there is nothing of a source in them.
OWN_LISTS = {"countries", "regions", "tracking_statuses"}
#: What a build reports about others, and what only models read.
REPORTS = {"orphan_items"}


@pytest.fixture(scope="module")
def entities(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Entity]:
    return dict(Platform(Settings(home=tmp_path_factory.mktemp("home"))).entities)


def models() -> dict[str, set[str]]:
    """Silver's models and their documented columns."""
    found = {}
    for path in SILVER.rglob("*.yml"):
        for model in yaml.safe_load(path.read_text()).get("models", []):
            found[model["name"]] = {column["name"] for column in model.get("columns", [])}
    return found


def test_every_dataset_of_bronze_has_a_suite_and_no_other(entities: dict[str, Entity]) -> None:
    assert shipped("bronze") == sorted(entities)


def test_every_noun_of_silver_has_a_suite_and_no_other() -> None:
    nouns = {name for name in models() if not name.startswith(("stg_", "int_"))} - OWN_LISTS - REPORTS
    assert set(shipped("silver")) == nouns


def test_whatever_silver_keeps_out_is_in_the_workplace() -> None:
    models = {path.stem for path in (SILVER.parent / "quarantine").glob("*.sql")}
    assert set(MODELS) == models


def test_suites_of_silver_speak_of_columns_that_are_there() -> None:
    columns = models()
    for table in shipped("silver"):
        for rule in suite_of("silver", table).rules:
            for name in rule.kwargs.get("column_list") or [rule.kwargs["column"]]:
                assert name in columns[table], f"{table}.{name}"


def test_suites_of_bronze_read_what_their_rules_speak_of() -> None:
    own = {"natural_key", "ingested_at", "record_id"}
    for table in shipped("bronze"):
        suite = suite_of("bronze", table)
        read = {column.name for column in suite.columns}
        spoken = {name for r in suite.rules for name in (r.kwargs.get("column_list") or [r.kwargs["column"]])}
        assert spoken - own == read, table
        # A value nobody knows yet only warns, but for what the contract closes.
        assert any(rule.structural for rule in suite.rules)


def test_a_dataset_without_a_suite_of_its_own_keeps_what_every_record_must(tmp_path: Path) -> None:
    suite = suite_of("bronze", "nobody_things")
    assert [rule.name for rule in suite.rules] == ["natural_key_present", "records_once"]
    (tmp_path / "bronze").mkdir()
    own = {**suite.document, "meta": {"max_share": 0.5}}
    (tmp_path / "bronze" / "nobody_things.json").write_text(json.dumps(own))
    mine = suite_of("bronze", "nobody_things", tmp_path)
    assert mine.max_share == 0.5
    assert mine.version != suite.version


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"name": "bronze.others"}, "its name is another"),
        ({"expectations": [{"type": "expect_magic", "kwargs": {}, "meta": {"rule": "magic"}}]}, "a kind that gates"),
        ({"meta": {"columns": {"a": {"path": "a", "read": "smell"}}}}, "reads a column as smell"),
        ({"expectations": 7}, "it is no suite"),
        (
            {
                "expectations": [
                    {
                        "type": "expect_column_values_to_match_regex",
                        "kwargs": {"column": "natural_key", "regex": r"^\d+$"},
                        "meta": {"rule": "digits"},
                    }
                ]
            },
            "different things to different engines",
        ),
    ],
)
def test_what_is_no_suite_is_refused(change: dict[str, Any], says: str) -> None:
    document = {**suite_of("bronze", "nobody_things").document, **change}
    with pytest.raises(ConfigurationError, match=says):
        parse("bronze.nobody_things", json.dumps(document).encode())
