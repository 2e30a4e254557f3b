"""What a build has to look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from retreasure_assets.lake.news import news, outdated, remember, remember_models
from retreasure_assets.lake.warehouse import open_warehouse
from retreasure_assets.settings import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = Settings().model_copy(update={"home": tmp_path})  # type: ignore[call-arg]
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute("CREATE SCHEMA ops")
    return settings


def test_a_new_warehouse_looks_at_everything(settings: Settings) -> None:
    assert news(settings, {"shopify_orders": 3}, "one") is None


def test_only_what_changed_is_news(settings: Settings) -> None:
    remember(settings, {"shopify_orders": 3, "fx_ecb_rates": -1}, "one")
    assert news(settings, {"shopify_orders": 3, "fx_ecb_rates": -1}, "one") == frozenset()
    assert news(settings, {"shopify_orders": 4, "fx_ecb_rates": -1}, "one") == {"shopify_orders"}
    # A table's first version, and one that was restored to an earlier version.
    assert news(settings, {"shopify_orders": 2, "fx_ecb_rates": 0}, "one") == {"shopify_orders", "fx_ecb_rates"}


def test_an_entity_that_came_later_is_news(settings: Settings) -> None:
    remember(settings, {"shopify_orders": 3}, "one")
    assert news(settings, {"shopify_orders": 3, "pos_products": 0}, "one") == {"pos_products"}


def test_an_entity_that_went_makes_everything_news(settings: Settings) -> None:
    remember(settings, {"shopify_orders": 3, "pos_products": 0}, "one")
    assert news(settings, {"shopify_orders": 3}, "one") is None


def test_another_project_makes_everything_news(settings: Settings) -> None:
    remember(settings, {"shopify_orders": 3}, "one")
    assert news(settings, {"shopify_orders": 3}, "two") is None


def test_the_last_build_counts(settings: Settings) -> None:
    remember(settings, {"shopify_orders": 3}, "one")
    remember(settings, {"shopify_orders": 5}, "one")
    assert news(settings, {"shopify_orders": 3}, "one") == {"shopify_orders"}
    assert news(settings, {"shopify_orders": 5}, "one") == frozenset()


def test_the_memory_goes_with_the_warehouse(settings: Settings) -> None:
    remember_ready = {"shopify_orders": 3}
    news(settings, remember_ready, "one")
    remember(settings, remember_ready, "one")
    settings.warehouse_path.unlink()
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute("CREATE SCHEMA ops")
    assert news(settings, remember_ready, "one") is None


def make_tables(settings: Settings, *names: str) -> None:
    with open_warehouse(settings.warehouse_path, settings.duckdb_memory_limit, settings.threads) as engine:
        engine.execute("CREATE SCHEMA IF NOT EXISTS gold")
        for name in names:
            engine.execute(f"CREATE TABLE gold.{name} (a INTEGER)")


def test_a_model_made_by_another_state_is_outdated_until_it_is_built(settings: Settings) -> None:
    models = {("gold", "orders"), ("gold", "lines")}
    assert outdated(settings, models, "one") == [], "a new warehouse has nothing old"
    make_tables(settings, "orders", "lines", "of_nobody")
    assert outdated(settings, models, "one") == sorted(models), "nobody knows what made them"
    remember_models(settings, models, "one")
    assert outdated(settings, models, "one") == []
    assert outdated(settings, models, "two") == sorted(models)
    remember_models(settings, [("gold", "orders")], "two")
    assert outdated(settings, models, "two") == [("gold", "lines")]
    # Back to the earlier state: what the later one made is outdated now.
    assert outdated(settings, models, "one") == [("gold", "orders")]
    remember_models(settings, [], "two")
    assert outdated(settings, models, "two") == [("gold", "lines")]
