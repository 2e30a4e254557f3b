"""The documentation as a person opens it: one file, in a real browser, with every model and column described."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path
from typing import Any

import pytest

from retreasure_assets.resources.docs_site import Site, build_site, is_current, served, site_of
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import Settings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Of a home without a warehouse."""
    return Settings(home=tmp_path_factory.mktemp("docs") / "home")


@pytest.fixture(scope="module")
def site(settings: Settings) -> Site:
    """The documentation, built once; from an empty warehouse, as nothing was ever built here."""
    assert not is_current(settings)
    return build_site(settings, list(Platform(settings).entities))


@pytest.fixture(scope="module")
def manifest(site: Site) -> dict[str, Any]:
    """dbt's manifest."""
    found: dict[str, Any] = json.loads(site.manifest.read_bytes())
    return found


def test_every_model_and_every_column_it_really_has_is_described(site: Site, manifest: dict[str, Any]) -> None:
    catalog = json.loads(site.catalog.read_bytes())
    described = {**manifest["nodes"], **manifest["sources"]}
    wanted = [key for key, node in described.items() if node["resource_type"] in ("model", "source")]
    assert len(wanted) > 200
    missing = []
    for key in wanted:
        node = described[key]
        columns = (catalog["sources"] if node["resource_type"] == "source" else catalog["nodes"])[key]["columns"]
        assert columns, key
        missing += [key] if not node["description"].strip() else []
        missing += [
            f"{key}.{name}" for name in columns if not node["columns"].get(name, {}).get("description", "").strip()
        ]
        missing += [f"{key}.{name} is described and not there" for name in node["columns"] if name not in columns]
    assert missing == []


def test_every_exposure_and_model_has_an_owner(manifest: dict[str, Any]) -> None:
    assert {exposure["type"] for exposure in manifest["exposures"].values()} >= {"application", "dashboard", "ml"}
    groups = {group["name"]: group["owner"] for group in manifest["groups"].values()}
    for exposure in manifest["exposures"].values():
        assert exposure["owner"]["email"], exposure["name"]
        assert exposure["description"].strip(), exposure["name"]
        assert exposure["depends_on"]["nodes"], exposure["name"]
    for node in manifest["nodes"].values():
        if node["resource_type"] == "model":
            assert groups[node["group"]]["email"], node["name"]


def test_what_people_are_served_is_used_by_somebody(manifest: dict[str, Any]) -> None:
    used = {key for exposure in manifest["exposures"].values() for key in exposure["depends_on"]["nodes"]}
    gold = {
        key
        for key, node in manifest["nodes"].items()
        if node["resource_type"] == "model" and node["schema"] == "gold" and not node["name"].startswith("int_")
    }
    assert gold <= used, f"no exposure names {sorted(gold - used)}"


def test_the_page_needs_nothing_beside_it_and_names_no_folder_of_this_machine(site: Site, settings: Settings) -> None:
    page = site.page.read_text("utf-8")
    assert "MANIFEST.JSON INLINE DATA" not in page
    assert str(settings.home.parent) not in page
    assert str(Path.home()) not in page


def browse(chromium: str, url: str, profile: Path) -> str:
    """The text that a browser shows, once the page has drawn itself."""
    done = subprocess.run(
        [
            *(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--dump-dom"),
            *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
            *(f"--user-data-dir={profile}", "--virtual-time-budget=25000", url),
        ],
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return re.sub(r"\s+", " ", unescape(re.sub(r"<script.*?</script>|<[^>]+>", " ", done.stdout, flags=re.DOTALL)))


def test_a_browser_shows_models_columns_exposures_and_metrics(
    site: Site, manifest: dict[str, Any], tmp_path: Path
) -> None:
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("no Chromium is installed on this machine")
    with served(site.page, tmp_path / "data_docs", 0) as url:
        start = browse(chromium, f"{url}/#!/overview", tmp_path / "profile")
        assert "Antique, vintage and one-of-a-kind items" in start
        model = manifest["nodes"]["model.retreasure.fct_orders"]
        shown = browse(chromium, f"{url}/#!/model/model.retreasure.fct_orders", tmp_path / "profile")
        assert set(model["columns"]) <= set(re.findall(r"\w+", shown))
        for column in model["columns"].values():
            first = re.split(r"[`|*_(<]", column["description"].strip())[0].strip()
            assert re.sub(r"\s+", " ", first) in shown, column["name"]
        exposure = browse(chromium, f"{url}/#!/exposure/exposure.retreasure.machine_learning", tmp_path / "profile")
        assert "Forecasts and price guidance" in exposure
        metric = browse(chromium, f"{url}/#!/metric/metric.retreasure.gmv", tmp_path / "profile")
        assert "Gross merchandise value" in metric


def test_once_built_it_is_current_until_the_project_changes(
    site: Site, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert site == site_of(settings)
    assert is_current(settings)
    monkeypatch.setattr("retreasure_assets.resources.docs_site.project_state", lambda _: "another")
    assert not is_current(settings)
