"""Every foreign key of silver's nouns and of gold's dimensions, facts and segments is held against its parent."""

from __future__ import annotations

from bronze_bench import Dbt

#: Column -> the silver noun whose key it is.
KEYS = {
    "order_id": "orders",
    "line_id": "order_lines",
    "item_id": "items",
    "person_id": "customers",
    "payout_id": "payouts",
    "refund_id": "refunds",
    "listing_id": "listings",
    "location_id": "locations",
    "content_hash": "media",
    "account": "dim_account",
}
#: Where a table's own key has the name of a key elsewhere: it is made of the noun, which has_parent cannot add to.
OWN = {
    "fct_orders": {"order_id"},
    "fct_order_lines": {"line_id"},
    "fct_payouts": {"payout_id"},
    "fct_refunds": {"refund_id"},
}
#: Keys that their parents need not have, and why.
FREE = {
    # A visitor's browser says which piece was looked at and which order was made: it may say anything, and says it
    # before the channel tells of the order.
    ("events", "item_id"),
    ("events", "order_id"),
    ("events", "person_id"),
    ("sessions", "order_id"),
    ("fct_sessions", "order_id"),
    # eBay names the places of its stock and has no list of them that sellers' apps read.
    ("inventory_levels", "location_id"),
    # What is sold and in no catalogue is listed by orphan_items, which a test of its own warns of.
    ("order_lines", "item_id"),
    ("orphan_items", "item_id"),
    # Both are taken from the listing itself: dim_listing holds them.
    ("fct_listing_days", "item_id"),
}
#: Tables that have each row of a noun of silver, with its keys (gold_has_every_row_of_silver): tested there, they hold.
AS_IN_SILVER = {
    "dim_listing": "listings",
    "fct_fees": "fees",
    "fct_item_costs": "item_costs",
    "fct_order_lines": "order_lines",
    "fct_payments": "payments",
    "fct_refunds": "refunds",
    "fct_shipments": "shipments",
}
READ = ("dim_", "fct_", "mkt_", "feat_")


def test_every_foreign_key_is_held_against_its_parent(dbt: Dbt) -> None:
    held: set[tuple[str, str]] = set()
    for node in dbt.manifest.nodes.values():
        if node.resource_type != "test" or getattr(node, "test_metadata", None) is None or not node.attached_node:
            continue
        model, arguments = node.attached_node.split(".")[-1], node.test_metadata.kwargs
        if node.test_metadata.name == "has_parent":
            held |= {(model, column) for column in arguments["columns"]}
        elif node.test_metadata.name == "relationships":
            held.add((model, arguments["column_name"]))
    held |= {(table, column) for table, noun in AS_IN_SILVER.items() for owner, column in held if owner == noun}
    [whole] = [node for node in dbt.manifest.nodes.values() if node.name == "gold_has_every_row_of_silver"]
    assert {f"model.retreasure.{name}" for pair in AS_IN_SILVER.items() for name in pair} <= set(whole.depends_on.nodes)
    models = [node for node in dbt.manifest.nodes.values() if node.resource_type == "model"]
    missing = {
        (node.name, column)
        for node in models
        if (node.schema == "silver" and not node.name.startswith(("stg_", "int_"))) or node.name.startswith(READ)
        for column in node.columns
        if column in KEYS and KEYS[column] != node.name and column not in OWN.get(node.name, ())
    } - held
    assert missing == FREE
