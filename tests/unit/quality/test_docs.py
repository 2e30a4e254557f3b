"""Data Docs: written when asked for, by Great Expectations itself, without a word on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from retreasure_assets.assets.gate_checks import gate_check
from retreasure_assets.lake.storage import Lake
from retreasure_assets.quality.docs import build_docs, docs_folder, docs_page
from retreasure_assets.quality.result import GateResult, Status
from retreasure_assets.settings import Settings
from tests.unit.lake.world import assert_nothing_planted
from tests.unit.quality.conftest import order


def test_docs_show_each_dataset_that_has_rows(
    settings: Settings, lake: Lake, receive: Callable[..., GateResult], capfd: pytest.CaptureFixture[str]
) -> None:
    receive([order(1), order(2, presentmentCurrencyCode="pounds")])
    first = build_docs(settings, lake, ["shopify_orders", "shopify_products"])
    assert "bronze.shopify_orders" in first.read_text()
    site = docs_folder(settings)
    assert first.is_relative_to(site)
    assert "currency" in (site / docs_page("bronze.shopify_orders")).read_text()
    assert not (site / docs_page("bronze.shopify_products")).exists()
    assert_nothing_planted(site)
    assert capfd.readouterr() == ("", "")


def test_a_gates_check_leads_to_the_page_that_was_written(settings: Settings) -> None:
    def shown() -> object:
        return (
            gate_check(settings, "bronze.shopify_orders", Status.PASSED, {"summary": "Fine."})
            .metadata["data_docs"]
            .value
        )

    assert shown() == "`retreasure quarantine docs` writes them."
    page = docs_folder(settings) / docs_page("bronze.shopify_orders")
    page.parent.mkdir(parents=True)
    page.touch()
    assert shown() == "http://127.0.0.1:3001/quality/expectations/bronze/shopify_orders.html"
