"""The shop behind Shopify's Admin interface: every object of a world, findable by id, sortable, searchable.

What belongs here: which objects there are and what they can be found by. What does not: GraphQL.

Nodes are built when they are first asked for, and kept: the world behind a running sandbox does not change.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import Any

from retreasure_assets.sandbox.shopify_catalogue import (
    inventory_item_node,
    level_node,
    locations,
    product_node,
    product_updated_at,
)
from retreasure_assets.sandbox.shopify_connections import Collection, Entry
from retreasure_assets.sandbox.shopify_format import SHOP_CURRENCY, Json, gid
from retreasure_assets.sandbox.shopify_orders import LOCATION_ID, OrderNode, updated_at
from retreasure_assets.sandbox.shopify_people import balance_node, customer_node, customer_updated_at, payout_node
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ids import inventory_item_id, variant_id
from retreasure_assets.sandbox.world_order_types import Order, Payout
from retreasure_assets.sandbox.world_types import Item, Listing, Person

SHOP_NAME = "ReTreasure"
SHOP_DOMAIN = "retreasure.myshopify.com"
#: What the sandbox's token may read.
SCOPES = (
    "read_orders",
    "read_all_orders",
    "read_products",
    "read_customers",
    "read_inventory",
    "read_locations",
    "read_shopify_payments_accounts",
    "read_shopify_payments_payouts",
)

#: What a GraphQL sort key sorts by, on every connection that has it.
_SORTS = {
    "ID": "id",
    "CREATED_AT": "created_at",
    "UPDATED_AT": "updated_at",
    "PROCESSED_AT": "processed_at",
    "ISSUED_AT": "issued_at",
    "TITLE": "title",
    "NAME": "name",
}


class Shop:
    """All of a world's objects as Shopify has them.

    Args:
        world: the world; it must not change any more.
    """

    def __init__(self, world: World) -> None:
        self.world = world
        self._nodes: dict[str, Json] = {}
        self._builders: dict[str, Callable[[], Json]] = {}
        items = {item.item_id: item for item in world.items}
        products = [(items[entry.item_id], entry) for entry in world.listings if entry.channel == "shopify"]
        self._orders_of: dict[int, list[Order]] = {}
        for order in world.orders:
            if order.person is not None:
                self._orders_of.setdefault(order.person, []).append(order)
        payouts = {payout.payout_id: payout for payout in world.payouts}
        moments = {"id": "id", "created_at": "time", "updated_at": "time"}
        self.orders = Collection(
            [self._order(order) for order in world.orders], {**moments, "processed_at": "time"}, _SORTS, "PROCESSED_AT"
        )
        self.products = Collection([self._product(*pair) for pair in products], moments, _SORTS, "ID")
        # What the platform calls customer_date is when the account was opened; it has no created_at here.
        self.customers = Collection(
            [self._customer(person) for person in world.people if person.shopify_id is not None],
            {"id": "id", "updated_at": "time", "customer_date": "time"},
            _SORTS,
            "ID",
        )
        self.levels = Collection([self._level(*pair) for pair in products], moments, _SORTS, "ID")
        self.no_levels = Collection([], moments, _SORTS, "ID")
        self.locations = Collection(self._locations(include_inactive=False), moments, _SORTS, "NAME")
        self.all_locations = Collection(self._locations(include_inactive=True), moments, _SORTS, "NAME")
        self.payouts = Collection(
            [self._payout(payout) for payout in world.payouts], {"id": "id", "issued_at": "time"}, _SORTS, "ISSUED_AT"
        )
        balance = [
            self._entry(
                "ShopifyPaymentsBalanceTransaction",
                movement.balance_id,
                {"processed_at": movement.at},
                partial(balance_node, movement, payouts.get(movement.payout_id or 0), world.clock),
            )
            for movement in world.movements
        ]
        fields = {"id": "id", "processed_at": "time"}
        self.balance = Collection(balance, fields, _SORTS, "PROCESSED_AT")
        self.balance_without_transfers = Collection(
            [e for e, movement in zip(balance, world.movements, strict=True) if movement.type != "TRANSFER"],
            fields,
            _SORTS,
            "PROCESSED_AT",
        )

    @property
    def shop(self) -> Json:
        """The Shop object."""
        return {
            "__typename": "Shop",
            "id": gid("Shop", 55_000_001),
            "name": SHOP_NAME,
            "email": "hello@retreasure.example",
            "currencyCode": SHOP_CURRENCY,
            "ianaTimezone": "Europe/Dublin",
            "myshopifyDomain": SHOP_DOMAIN,
            "taxesIncluded": True,
        }

    @property
    def installation(self) -> Json:
        """The AppInstallation object: the app behind the sandbox's token, and what it may read."""
        scopes = [{"handle": handle, "description": f"Grants {handle}"} for handle in SCOPES]
        return {"__typename": "AppInstallation", "id": gid("AppInstallation", 55_000_002), "accessScopes": scopes}

    def node(self, global_id: str) -> Json | None:
        """The object with that id; None when there is none."""
        if global_id not in self._nodes:
            builder = self._builders.get(global_id)
            if builder is None:
                return None
            self._nodes[global_id] = builder()
        return self._nodes[global_id]

    # --- what there is ---------------------------------------------------------------------------------------

    def _entry(self, kind: str, number: int, values: dict[str, Any], build: Callable[[], Json]) -> Entry:
        global_id = gid(kind, number)
        self._builders[global_id] = build

        def node() -> Json:
            found = self.node(global_id)
            assert found is not None
            return found

        return Entry(number, {"id": number, **values}, node)

    def _order(self, order: Order) -> Entry:
        def build() -> Json:
            person = None if order.person is None else self.world.people[order.person]
            customer = None if person is None or person.shopify_id is None else gid("Customer", person.shopify_id)
            return OrderNode(order).build(None if customer is None else self.node(customer))

        times = {"created_at": order.at, "processed_at": order.at, "updated_at": updated_at(order)}
        return self._entry("Order", order.order_id, times, build)

    def _product(self, item: Item, listing: Listing) -> Entry:
        number = listing.listing_id
        self._builders[gid("ProductVariant", variant_id(number))] = lambda: self._variant(number)
        self._builders[gid("InventoryItem", inventory_item_id(number))] = lambda: inventory_item_node(item, number)
        values = {
            "created_at": listing.versions[0].at,
            "updated_at": product_updated_at(item, listing),
            "title": item.title,
        }
        return self._entry("Product", number, values, lambda: product_node(item, listing))

    def _variant(self, product: int) -> Json:
        node = self.node(gid("Product", product))
        assert node is not None
        variant: Json = node["variants"][0]
        return variant

    def _customer(self, person: Person) -> Entry:
        orders = self._orders_of.get(person.number, [])
        assert person.shopify_id is not None
        times = {
            "created_at": person.shopify_since,
            "customer_date": person.shopify_since,
            "updated_at": customer_updated_at(person, orders),
        }
        return self._entry("Customer", person.shopify_id, times, lambda: customer_node(person, orders))

    def _level(self, item: Item, listing: Listing) -> Entry:
        times = {"created_at": item.listed_at, "updated_at": item.moves[-1].at}
        number = inventory_item_id(listing.listing_id)
        return Entry(number, {"id": number, **times}, lambda: level_node(item, listing.listing_id))

    def _locations(self, *, include_inactive: bool) -> list[Entry]:
        opened = self.world.items[0].listed_at - timedelta(days=400)
        found = []
        for offset, node in enumerate(locations(opened)):
            if node["isActive"] or include_inactive:
                values = {"created_at": opened, "updated_at": opened, "name": node["name"]}
                found.append(self._entry("Location", LOCATION_ID + offset, values, partial(dict, node)))
        return found

    def _payout(self, payout: Payout) -> Entry:
        return self._entry(
            "ShopifyPaymentsPayout",
            payout.payout_id,
            {"issued_at": payout.at},
            lambda: payout_node(payout, self.world.clock),
        )
