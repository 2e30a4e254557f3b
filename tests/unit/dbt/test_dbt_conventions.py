"""Every model and source is documented and owned; test_silver_rules holds the YAML's columns against the tables."""

from __future__ import annotations

import re
from datetime import timedelta

from bronze_bench import TABLES, Bench, Dbt

from retreasure_assets.sources.registry import API_SOURCES


def test_every_model_is_described_owned_and_grouped(dbt: Dbt) -> None:
    for node in dbt.manifest.nodes.values():
        if node.resource_type != "model" or "/gold/" in f"/{node.original_file_path}":
            continue
        assert node.description.strip(), node.name
        assert node.config.group == "data_platform", node.name
        assert node.config.meta.get("owner"), node.name


def test_every_bronze_table_is_a_documented_source(dbt: Dbt, bench: Bench) -> None:
    sources = {source.name: source for source in dbt.manifest.sources.values()}
    assert set(sources) == set(TABLES)
    columns = [name for (name,) in bench.query("select column_name from (describe bronze.shopify_orders)")]
    for source in sources.values():
        assert source.description.strip(), source.name
        assert list(source.columns) == columns, source.name
        assert source.config.loaded_at_field == "ingested_at", source.name


def test_incremental_silver_is_bounded(dbt: Dbt) -> None:
    """Each incremental table says by which column its look-ups are bounded; those without one stay small."""
    unbounded = {
        node.name
        for node in dbt.manifest.nodes.values()
        if node.resource_type == "model"
        and node.schema == "silver"
        and node.config.materialized == "incremental"
        and not node.config.meta.get("bound_by")
    }
    assert unbounded == {
        "stg_shopify__locations",
        "stg_square__locations",
        "stg_square__inventory_counts",
        "stg_pos__products",
        "stg_ebay__inventory_items",
        "locations",
        "int_catalogue",
        "int_square_skus",
        "int_user_agents",
        "int_inventory_levels__square",
        "items",
        "item_costs",
        "customers",
        "stg_geo__postcodes",
        "stg_geo__delivery_zones",
        "postcode_areas",
        "destinations",
        "media",
        "listing_photos",
    }


def test_every_table_that_people_read_has_a_tested_key(dbt: Dbt) -> None:
    """One test says that no two rows share their key and none lacks a part of it; lists of faults have no key."""
    keyed = {
        node.attached_node
        for node in dbt.manifest.nodes.values()
        if node.resource_type == "test"
        and getattr(node, "test_metadata", None) is not None
        and node.test_metadata.name == "sound"
        and node.test_metadata.kwargs.get("key")
    }
    without = {
        node.name
        for key, node in dbt.manifest.nodes.items()
        if node.resource_type == "model"
        and node.schema in ("silver", "gold")
        and not node.name.startswith(("stg_", "int_"))
        and key not in keyed
    }
    assert without <= {"orphan_items", "delivery_zones"}


#: Columns that hold words of a closed enumeration, and those that are named like one and hold a channel's own words:
#: they may be new ones, and are tested, if at all, where they come in, with severity warn.
_ENUMERATED = re.compile("(.*_)?(channel|device|stage|clock|close_reason|segment|destination|kind|band|status)")
_OPEN = {
    "orders": {"fulfilment_status"},
    # A list of faults.
    "orphan_items": {"channel"},
    "payments": {"status"},
    "shipments": {"status", "channel_status", "carrier_status"},
    "tracking_events": {"provider_status"},
    "tracking_statuses": {"provider_status"},
    # As silver has them, where they are tested.
    "fct_orders": {"payment_status", "fulfilment_status"},
    "fct_payments": {"kind", "status"},
    "fct_payouts": {"status"},
    "rpt_payout_reconciliation": {"status"},
    "fct_shipments": {"status"},
    # Bounds are settings of the business (price_bands).
    "agg_weekly_demand": {"price_band"},
    "feat_demand": {"price_band"},
    "feat_items": {"price_band"},
}


def test_every_column_of_a_closed_enumeration_is_tested(dbt: Dbt) -> None:
    tested: dict[str, set[str]] = {}
    for node in dbt.manifest.nodes.values():
        if node.resource_type == "test" and getattr(node, "test_metadata", None) is not None:
            of_model = tested.setdefault(str(node.attached_node).rsplit(".", 1)[-1], set())
            of_model.update(node.test_metadata.kwargs.get("values", {}) if node.test_metadata.name == "sound" else ())
            of_model.update([node.column_name] if node.test_metadata.name == "accepted_values" else ())
    without = {
        node.name: missing
        for node in dbt.manifest.nodes.values()
        if node.resource_type == "model"
        and node.schema in ("silver", "gold")
        and not node.name.startswith(("stg_", "int_"))
        and (missing := {name for name in node.columns if _ENUMERATED.fullmatch(name)} - tested.get(node.name, set()))
    }
    assert without == _OPEN


def test_every_staging_model_is_held_against_its_bronze_table(dbt: Dbt) -> None:
    [test] = [node for node in dbt.manifest.nodes.values() if node.name == "staging_has_every_bronze_record"]
    staging = {
        key
        for key, node in dbt.manifest.nodes.items()
        if node.name.startswith("stg_") and any(parent.startswith("source.") for parent in node.depends_on.nodes)
    }
    assert {key for key in test.depends_on.nodes if key.startswith("model.")} == staging
    assert {key for key in test.depends_on.nodes if key.startswith("source.")} == set(dbt.manifest.sources)


def test_sources_are_stale_in_dbt_when_they_are_silent_to_alerts(dbt: Dbt) -> None:
    for source in API_SOURCES:
        patience = {}
        for table in dbt.manifest.sources.values():
            allowed = table.freshness.warn_after if table.freshness else None
            if table.name in {entity.table for entity in source.entities.values()} and allowed and allowed.count:
                patience[table.name] = timedelta(**{f"{allowed.period.value}s": allowed.count})
        assert patience, source.name
        assert min(patience.values()) == source.silent_after, source.name


def test_a_test_is_a_check_of_one_of_the_tables_that_it_reads(dbt: Dbt) -> None:
    """Dagster declares a check with its asset's own tests, so that the result of any other has nowhere to go.

    Results are told apart by the test's name alone.
    """
    names = [node.name for node in dbt.manifest.nodes.values() if node.resource_type == "test"]
    assert {name for name in names if names.count(name) > 1} == set()
    for node in dbt.manifest.nodes.values():
        named = node.config.meta.get("dagster", {}).get("ref", {}).get("name") if node.resource_type == "test" else None
        if named is not None:
            assert named in {parent.split(".")[-1] for parent in node.depends_on.nodes}, node.name
