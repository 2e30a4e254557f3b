"""All that a Square seller's account holds, as records of Square's API.

What belongs here: which records there are. What does not: how each is written (``square_orders``, ``square_money``,
``square_catalogue``), and what of them is answered (``square``).
"""

from __future__ import annotations

from datetime import datetime
from functools import cached_property

from retreasure_assets.sandbox import square_catalogue, square_money, square_orders
from retreasure_assets.sandbox.square_format import Json
from retreasure_assets.sandbox.square_pages import Timed
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_square import SquareBooks


class SquareRecords:
    """Each list is made when it is first asked for.

    Args:
        world: what passed through the register.
    """

    def __init__(self, world: World) -> None:
        self._world, self._seed = world, world.seed

    @cached_property
    def _books(self) -> SquareBooks:
        return SquareBooks(self._world)

    @cached_property
    def locations(self) -> list[Json]:
        """The shop, and the stall that was given up."""
        return square_catalogue.locations(self._seed)

    @cached_property
    def customers(self) -> list[Json]:
        """Whom the register knows."""
        return [square_catalogue.customer(known) for known in self._books.customers]

    @cached_property
    def orders(self) -> list[Json]:
        """Sales and returns."""
        return [
            *(square_orders.sale_order(self._seed, sale) for sale in self._books.sales),
            *(square_orders.return_order(self._seed, back) for back in self._books.returns),
        ]

    @cached_property
    def payments(self) -> list[Json]:
        """One of each sale."""
        return [square_money.payment(self._seed, sale) for sale in self._books.sales]

    @cached_property
    def refunds(self) -> list[Json]:
        """One of each return."""
        return [square_money.refund(self._seed, back) for back in self._books.returns]

    @cached_property
    def payouts(self) -> list[Json]:
        """What went to the bank."""
        return [square_money.payout(self._seed, paid) for paid in self._books.payouts]

    @cached_property
    def objects(self) -> list[Json]:
        """The catalogue: categories, each since its first piece, and pieces."""
        first: dict[str, datetime] = {}
        for shelf in self._books.shelves:
            since = min(first.get(shelf.item.category, shelf.item.listed_at), shelf.item.listed_at)
            first[shelf.item.category] = since
        return [
            *(square_catalogue.catalog_category(self._seed, name, at) for name, at in sorted(first.items())),
            *(square_catalogue.catalog_item(self._seed, shelf) for shelf in self._books.shelves),
        ]

    @cached_property
    def counts(self) -> list[Json]:
        """How much there is of each piece."""
        return [square_catalogue.inventory_count(self._seed, shelf) for shelf in self._books.shelves]

    def entries(self, payout_id: str) -> list[Timed] | None:
        """What a payout consists of; None where there is no such payout."""
        paid = next((paid for paid in self._books.payouts if paid.payout_id == payout_id), None)
        return None if paid is None else [(entry.at, square_money.payout_entry(paid, entry)) for entry in paid.entries]
