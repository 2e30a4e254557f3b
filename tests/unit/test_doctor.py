"""What `retreasure doctor` says of an installation, from a fresh one to a broken one."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import SecretStr

from retreasure_assets import doctor
from retreasure_assets.cli import main
from retreasure_assets.doctor import Finding, State, examine, exit_code
from retreasure_assets.privacy.vault import open_vault
from retreasure_assets.sandbox.server import Handling, environment, read_faults, running_sandbox
from retreasure_assets.sandbox.world import World, WorldSpec, generate_world
from retreasure_assets.settings import Settings, load_settings
from retreasure_assets.sources.registry import API_SOURCES


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world(WorldSpec(days=2, scale=0.05))


@pytest.fixture
def sandbox(world: World, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Iterator[None]:
    """Every source configured for a sandbox; the parameter says what is broken in it."""
    with running_sandbox(world, handling=Handling(read_faults(getattr(request, "param", None)))) as url:
        for name, value in environment(url).items():
            monkeypatch.setenv(name, value)
        yield


def found() -> dict[str, Finding]:
    return {finding.subject: finding for finding in examine(load_settings())}


def test_a_fresh_installation_is_well_and_stays_untouched(tmp_path: Path) -> None:
    findings = found()
    assert {source.name for source in API_SOURCES} <= findings.keys()
    for source in API_SOURCES:
        assert findings[source.name].state is State.OFF
        assert "RETREASURE_" in findings[source.name].remedy
    assert {findings[name].state for name in ("home", "vault", "versions")} == {State.OK}
    assert exit_code(list(findings.values())) == 0
    assert not load_settings().home.exists()


def test_sources_that_answer_are_well(sandbox: None) -> None:
    findings = found()
    for source in API_SOURCES:
        assert findings[source.name].state is State.OK, findings[source.name]


def test_a_wrong_token_is_said_with_its_setting(sandbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETREASURE_SHOPIFY_TOKEN", "shpat_wrong")
    findings = examine(load_settings())
    (shopify,) = [finding for finding in findings if finding.subject == "shopify"]
    assert (shopify.state, shopify.exit_code) == (State.FAILED, 3)
    assert "RETREASURE_SHOPIFY_TOKEN" in shopify.remedy
    assert "shpat_wrong" not in repr(findings)
    assert exit_code(findings) == 3


def test_a_missing_scope_and_a_wrong_shop_are_said(sandbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retreasure_assets.sandbox.shopify_shop.SCOPES", ("read_orders", "read_all_orders"))
    monkeypatch.setenv("RETREASURE_SHOPIFY_SHOP", "another-shop")
    told = [finding for finding in examine(load_settings()) if finding.subject == "shopify"]
    assert {finding.state for finding in told} == {State.FAILED}
    assert any("another-shop" in finding.detail for finding in told)
    assert any("read_inventory" in finding.detail and "stock" in finding.remedy for finding in told)


@pytest.mark.parametrize("sandbox", ["skew=100%"], indirect=True)
def test_a_clock_that_is_off_is_a_warning(sandbox: None) -> None:
    warnings = [finding for finding in examine(load_settings()) if finding.state is State.WARNING]
    assert {"shopify", "fx"} <= {finding.subject for finding in warnings}
    assert all("clock" in finding.detail for finding in warnings)


@pytest.mark.parametrize("sandbox", ["500=100%,retry=0"], indirect=True)
def test_a_source_that_is_down_is_said_and_the_others_are_asked(sandbox: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("retreasure_assets.sources.http.HttpClient._wait", lambda self, state: 0)
    told = found()
    # The sandbox's photo server has no faults.
    assert {told[source.name].exit_code for source in API_SOURCES if source.name != "media"} == {3}


def test_a_source_that_is_set_up_in_part_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RETREASURE_SHOPIFY_SHOP", "my-shop")
    assert (found()["shopify"].state, found()["shopify"].exit_code) == (State.FAILED, 2)


def test_a_file_without_a_mapping_and_one_in_no_folder(tmp_path: Path) -> None:
    drop = load_settings().drop_path
    (drop / "pos" / "transactions").mkdir(parents=True)
    (drop / "pos" / "transactions" / "photo.jpg").write_bytes(b"x")
    (drop / "lost.csv").write_bytes(b"x")
    findings = {finding.subject: finding for finding in examine(load_settings())}
    assert findings["files: pos"].state is State.FAILED
    assert "photo.jpg" in findings["files: pos"].detail
    assert findings["files"].state is State.WARNING
    assert "lost.csv" in findings["files"].detail


def test_a_vault_of_another_key_and_one_whose_key_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings()
    open_vault(settings).close()
    assert found()["vault"].state is State.OK
    monkeypatch.setenv("RETREASURE_VAULT_KEY", base64.b64encode(bytes(32)).decode())
    assert (found()["vault"].state, found()["vault"].exit_code) == (State.FAILED, 5)
    monkeypatch.delenv("RETREASURE_VAULT_KEY")
    (settings.vault_path.parent / "master.key").unlink()
    assert (found()["vault"].state, found()["vault"].exit_code) == (State.FAILED, 5)


def test_a_home_that_is_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("RETREASURE_HOME", str(tmp_path / "file"))
    assert (found()["home"].state, found()["home"].exit_code) == (State.FAILED, 4)


def test_a_nearly_full_disk_is_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda path: type("Usage", (), {"free": 5_000_000})())
    assert found()["home"].state is State.WARNING


def test_a_package_of_another_version_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "version", lambda name: "0.1")
    assert (found()["versions"].state, found()["versions"].exit_code) == (State.FAILED, 2)


def test_the_command_ends_with_the_first_failures_code(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = CliRunner().invoke(main, ["doctor"])
    assert outcome.exit_code == 0, outcome.output
    monkeypatch.setenv("RETREASURE_SHOPIFY_SHOP", "my-shop")
    outcome = CliRunner().invoke(main, ["doctor", "--format", "json"])
    report: dict[str, Any] = json.loads(outcome.output)
    assert outcome.exit_code == report["exit_code"] == 2
    assert {"subject", "state", "detail", "remedy", "exit_code"} == report["findings"][0].keys()


def test_it_says_who_is_told_and_names_half_a_channel(tmp_path: Path) -> None:
    def alerts(**given: Any) -> tuple[State, str]:
        (finding,) = [one for one in examine(Settings(home=tmp_path, **given), ()) if one.subject == "alerts"]
        return finding.state, f"{finding.detail} {finding.remedy}"

    assert alerts()[0] is State.OFF
    both = alerts(slack_token=SecretStr("xoxb-1"), slack_channel="#a")
    assert both == (State.OK, "What fails is told to: slack. ")
    state, told = alerts(slack_token=SecretStr("xoxb-1"))
    assert state is State.FAILED
    assert "RETREASURE_SLACK_CHANNEL" in told
    assert "xoxb" not in told
