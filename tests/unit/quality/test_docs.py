"""Data Docs: written when asked for, by Great Expectations itself, without a word on the way."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from retreasure_assets.lake.storage import Lake
from retreasure_assets.quality.docs import build_docs, docs_page
from retreasure_assets.quality.result import GateResult
from retreasure_assets.settings import Settings
from tests.unit.lake.world import assert_nothing_planted
from tests.unit.quality.conftest import order


def test_docs_show_each_dataset_that_has_rows(
    settings: Settings, lake: Lake, receive: Callable[..., GateResult], capfd: pytest.CaptureFixture[str]
) -> None:
    receive([order(1), order(2, presentmentCurrencyCode="pounds")])
    first = build_docs(settings, lake, ["shopify_orders", "shopify_products"])
    assert "bronze.shopify_orders" in first.read_text()
    page = docs_page(settings, "bronze.shopify_orders")
    assert "currency" in page.read_text()
    assert not docs_page(settings, "bronze.shopify_products").exists()
    assert_nothing_planted(settings.home / "data_docs")
    assert capfd.readouterr() == ("", "")
