"""Gates in runs of the whole platform, on a dbt project of two models: what a run says, what models see, what heals."""

from __future__ import annotations

import json
import logging
import shutil
from collections.abc import Callable
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from retreasure_assets import automation
from retreasure_assets.automation.jobs import BUILD_JOB
from retreasure_assets.automation.outcome import RunOutcome
from retreasure_assets.automation.run import run_platform
from retreasure_assets.cli import main
from retreasure_assets.lake.query import query
from retreasure_assets.lake.storage import Lake
from retreasure_assets.quality import suite as suites
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import Settings
from tests.conftest import REPOSITORY

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

PROJECT = {
    "dbt_project.yml": """
name: small
version: "1.0"
config-version: 2
profile: retreasure
flags: {send_anonymous_usage_stats: false}
models: {small: {gold: {+schema: gold, +materialized: table}, silver: {+schema: silver, +materialized: table}}}
""",
    "macros/generate_schema_name.sql": """
{% macro generate_schema_name(custom_schema_name, node) %}{{ custom_schema_name or target.schema }}{% endmacro %}
""",
    "models/bronze.yml": "version: 2\nsources: [{name: bronze, schema: bronze, tables: [{name: pos_products}]}]\n",
    "models/gold/loaded.sql": "select natural_key from {{ source('bronze', 'pos_products') }}\n",
    "models/silver/items.sql": """
select nullif(natural_key, 'RT-0') as item_id, ingested_at as first_seen_at, timestamptz '2026-01-01' as built_at
from {{ source('bronze', 'pos_products') }}
""",
}


class Shop:
    """A home into which catalogues are dropped."""

    def __init__(self, home: Path) -> None:
        self.settings = Settings(home=home)
        self.lake = Lake(self.settings.lake_path)

    def drop(self, name: str, prices: dict[int, str]) -> None:
        """Drop a catalogue: piece -> price; a file of the same name takes the place of the one before."""
        lines = [f"RT-{piece},Vase,glass,EUR,{price}" for piece, price in prices.items()]
        folder = self.settings.drop_path / "pos" / "products"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("\n".join(["item_id,title,category,currency,price", *lines, ""]))

    def run(self) -> RunOutcome:
        """One run, as the command makes it."""
        return run_platform(Platform(self.settings))

    def loaded(self) -> set[int]:
        """The pieces that models see; none of them twice."""
        keys = [int(str(row[0]).removeprefix("RT-")) for row in query(self.lake, "select * from gold.loaded").rows]
        assert len(keys) == len(set(keys))
        return set(keys)

    def rule(self, severity: str) -> None:
        """A suite of the user's own, in which a price below zero is bad, or only remarkable."""
        document = json.loads((Path(suites.__file__).parent / "suites/bronze/pos_products.json").read_text())
        for one in document["expectations"]:
            if one["meta"]["rule"] == "price_range":
                one["severity"] = severity
        folder = self.settings.suites_path / "bronze"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pos_products.json").write_text(json.dumps(document))


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    project = tmp_path / "dbt_project"
    for name, text in PROJECT.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text.lstrip())
    shutil.copy(REPOSITORY / "dbt_project" / "profiles.yml", project)
    (tmp_path / "dagster").mkdir()
    shutil.copy(Path(automation.__file__).with_name("dagster.yaml"), tmp_path / "dagster")
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "dagster"))
    monkeypatch.setenv("RETREASURE_DBT_PROJECT", str(project))
    monkeypatch.setenv("RETREASURE_HOME", str(tmp_path / "home"))
    return Shop(tmp_path / "home")


@pytest.fixture
def command() -> Callable[..., str]:
    def run(*words: str, code: int = 0) -> str:
        outcome = CliRunner().invoke(main, ["quarantine", *words])
        assert outcome.exit_code == code, outcome.output
        return outcome.output

    return run


def checks() -> dict[str, tuple[bool, str, dict[str, object]]]:
    """Asset -> how its gate stands in the Dagster UI: whether it holds, how severe it is, what it says."""
    found = {}
    with dg.DagsterInstance.get() as instance:
        for record in instance.fetch_run_status_changes(dg.DagsterEventType.RUN_SUCCESS, limit=10).records[::-1]:
            for event in instance.all_logs(record.run_id, of_type=dg.DagsterEventType.ASSET_CHECK_EVALUATION):
                assert event.dagster_event is not None
                told = event.dagster_event.asset_check_evaluation_data
                if told.check_name == "gate":
                    facts = {name: value.value for name, value in told.metadata.items()}
                    facts["description"] = told.description or ""
                    found["/".join(told.asset_key.path)] = (told.passed, told.severity.value, facts)
    return found


def warned() -> str:
    """What the log of the last build says at its page, of warnings."""
    with dg.DagsterInstance.get() as instance:
        (run,) = instance.get_runs(dg.RunsFilter(job_name=BUILD_JOB), limit=1)
        return "\n".join(log.user_message for log in instance.all_logs(run.run_id) if log.level == logging.WARNING)


def test_gates_keep_out_withhold_heal_and_let_in_again(shop: Shop, command: Callable[..., str]) -> None:
    shop.rule("critical")
    shop.drop("first.csv", dict.fromkeys(range(1, 7), "10.00"))
    outcome = shop.run()
    assert (outcome.exit_code, outcome.withheld) == (0, [])
    assert shop.loaded() == set(range(1, 7))
    assert checks()["silver/items"][0]

    # One bad row: it is kept out, the others go on.
    shop.drop("second.csv", {**dict.fromkeys(range(10, 20), "10.00"), 11: "-5.00"})
    outcome = shop.run()
    assert outcome.exit_code == 0
    assert "price_range (price) broken by 1" in " ".join(check.summary for check in outcome.failed_checks)
    passed, severity, facts = checks()["bronze/pos_products"]
    assert (passed, severity, facts["quarantined"], facts["rows"]) == (False, "WARN", 1, 10)
    assert facts["top_reasons"] == "price_range (price) broken by 1"
    assert facts["description"] == (
        "bronze.pos_products: 1 of 10 in quarantine; price_range (price) broken by 1. The other rows went on. "
        "To see the rows: `retreasure quarantine list --dataset bronze.pos_products`."
    )
    assert "withheld" not in warned()
    before = set(range(1, 7)) | set(range(10, 20)) - {11}
    assert shop.loaded() == before

    # Too many: the batch waits, its good rows too, and models keep the last good state.
    shop.drop("third.csv", {piece: "-1" if piece % 2 else "10.00" for piece in range(20, 32)})
    outcome = shop.run()
    assert outcome.exit_code == 8
    assert "bronze.pos_products is withheld: 6 of 12 rows are bad" in outcome.withheld[0]
    passed, severity, facts = checks()["bronze/pos_products"]
    assert (passed, severity) == (False, "ERROR")
    withheld = "bronze.pos_products is withheld: 6 of 12 rows are bad, more than 20%; price_range (price) broken by 6."
    assert str(facts["description"]).startswith(withheld)
    assert "Everything else goes on" in str(facts["description"])
    assert withheld in warned()
    assert shop.loaded() == before

    # Put right at the source: the next run heals it.
    shop.drop("third.csv", dict.fromkeys(range(20, 32), "10.00"))
    outcome = shop.run()
    assert (outcome.exit_code, outcome.withheld) == (0, [])
    assert shop.loaded() == before | set(range(20, 32))
    entries = json.loads(command("list", "--format", "json"))
    assert [entry["natural_key"] for entry in entries] == ["RT-11"]
    assert len(json.loads(command("list", "--status", "closed", "--format", "json"))) == 6

    # The rule was wrong: once it is corrected, the row goes in, once.
    (entry,) = entries
    assert "still breaks price_range" in command("replay", entry["entry"], code=1)
    shop.rule("warning")
    assert "1 of 1 replayed" in command("replay", "--all")
    assert shop.run().exit_code == 0
    assert shop.loaded() == before | set(range(20, 32)) | {11}
    assert "already" in command("replay", entry["entry"], code=1)
    assert '"status": "replayed"' in command("show", entry["entry"], "--format", "json")


def test_what_breaks_silver_s_contract_is_told(shop: Shop) -> None:
    shop.drop("first.csv", dict.fromkeys(range(3), "10.00"))
    shop.run()
    passed, severity, facts = checks()["silver/items"]
    assert (passed, severity) == (False, "ERROR")
    assert "silver.items breaks its contract: item_id_present (item_id) is broken by 1 rows" in str(facts["summary"])
