"""A seeded, deterministic ReTreasure: the whole business, day by day, on paper.

What belongs here: the simulation's clockwork and looking at a world as of a moment. What does not: how single
things are drawn (the other ``world_*`` modules), and any platform's view of them (the faces).

Prefix stability: day ``n`` is drawn from a stream of its own and from what the days before it left behind, and
everything carries its time. So the world of N days is the first part of every longer world of the same seed and
scale: ``generate_world(spec of N days) == generate_world(spec of N + 1 days).as_of(its clock)``.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from random import Random

from retreasure_assets.errors import ConfigurationError
from retreasure_assets.sandbox.world_fx import FxDay, FxTable, fx_history
from retreasure_assets.sandbox.world_ids import Ids
from retreasure_assets.sandbox.world_items import Stock
from retreasure_assets.sandbox.world_lives import Life
from retreasure_assets.sandbox.world_order_types import BalanceTransaction, Order, Payout
from retreasure_assets.sandbox.world_orders import Market, draw_order
from retreasure_assets.sandbox.world_payouts import Account
from retreasure_assets.sandbox.world_people import Crowd
from retreasure_assets.sandbox.world_random import count, moment, stream
from retreasure_assets.sandbox.world_till import Till, is_open, local_midnight
from retreasure_assets.sandbox.world_trim import trimmed
from retreasure_assets.sandbox.world_types import Item, Listing, MarketplaceSale, Person, Receipt

WORLD_START = date(2026, 1, 5)

MAX_DAYS = 3650
MAX_SCALE = 100

#: Volumes at scale 1. With them 90 days give about 2,200 online orders, 1,500 receipts and 6,000 items.
_OPENING_ITEMS = 2600
_MULTIPLES = 70
_NEW_ITEMS = 38.0
_ORDERS = 24.8
_RECEIPTS = 19.7
_MARKETPLACE = {"etsy": 4.5, "ebay": 5.5}
_ADJUSTMENTS = 0.12


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """Which world: its seed, how many days it has lived, and how much business it does (1.0: about 25 online orders
    a day).

    Raises:
        ConfigurationError: there is no such world.
    """

    seed: int = 7
    days: int = 90
    scale: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.days <= MAX_DAYS:
            raise ConfigurationError(
                "The sandbox's world cannot have that many days.", remedy=f"Give --days from 1 to {MAX_DAYS}."
            )
        if not 0 < self.scale <= MAX_SCALE:
            raise ConfigurationError(
                "The sandbox's world cannot have that scale.",
                remedy=f"Give --scale a number above 0 and at most {MAX_SCALE}.",
            )


@dataclass(slots=True, repr=False)
class World:
    """Everything that has happened before ``clock``, and nothing that is still to come."""

    seed: int
    scale: float
    clock: datetime
    people: list[Person]
    items: list[Item]
    listings: list[Listing]
    orders: list[Order]
    receipts: list[Receipt]
    marketplace_sales: list[MarketplaceSale]
    movements: list[BalanceTransaction]
    payouts: list[Payout]
    fx: list[FxDay]

    def __repr__(self) -> str:
        """Short, and without anybody in it."""
        return f"World(seed={self.seed}, scale={self.scale}, clock={self.clock.isoformat()})"

    def as_of(self, moment: datetime) -> World:
        """This world at an earlier ``moment`` (UTC-aware): an independent copy without anything at or after it."""
        if moment > self.clock:
            raise ValueError("A world cannot be seen later than its own clock.")
        payouts = trimmed(self.payouts, moment)
        paid = {payout.payout_id for payout in payouts}
        return replace(
            self,
            clock=moment,
            people=trimmed(self.people, moment),
            items=trimmed(self.items, moment),
            listings=trimmed(self.listings, moment),
            orders=trimmed(self.orders, moment),
            receipts=trimmed(self.receipts, moment),
            marketplace_sales=trimmed(self.marketplace_sales, moment),
            movements=[
                movement if movement.payout_id in paid else replace(movement, payout_id=None)
                for movement in trimmed(self.movements, moment)
            ],
            payouts=payouts,
            fx=[entry for entry in self.fx if entry.day < moment.date()],
        )


class _Simulation:
    """The world in the making."""

    def __init__(self, spec: WorldSpec) -> None:
        self._spec = spec
        self._start = datetime(WORLD_START.year, WORLD_START.month, WORLD_START.day, tzinfo=UTC)
        self._end = self._start + timedelta(days=spec.days)
        self._fx = fx_history(spec.seed, self._end.date())
        self._ids = Ids()
        self._stock = Stock()
        self._crowd = Crowd()
        self._market = Market(self._stock, self._crowd, FxTable(self._fx), self._ids, spec.seed)
        self._till = Till(self._market)
        self._account = Account(self._ids)
        self._orders: list[Order] = []
        self._receipts: list[Receipt] = []
        self._sales: list[MarketplaceSale] = []
        self._by_id: dict[str, Item] = {}
        #: What is due: (time, serial number, kind, what); the serial number decides between equal times.
        self._agenda: list[tuple[datetime, int, str, object]] = []
        self._serial = 0

    def run(self) -> World:
        self._open_shop()
        for number in range(self._spec.days):
            self._live_day(number)
        everything = World(
            seed=self._spec.seed,
            scale=self._spec.scale,
            clock=datetime.max.replace(tzinfo=UTC),
            people=self._crowd.people,
            items=self._stock.items,
            listings=self._stock.listings,
            orders=self._orders,
            receipts=self._receipts,
            marketplace_sales=self._sales,
            movements=self._account.movements,
            payouts=self._account.payouts,
            fx=self._fx,
        )
        return everything.as_of(self._end)

    # --- clockwork -------------------------------------------------------------------------------------------

    def _open_shop(self) -> None:
        """What is on sale on the first morning, collected over the half year before."""
        rng = stream(self._spec.seed, "opening")
        for index in range(max(3, int(_MULTIPLES * self._spec.scale))):
            self._add_item(rng, self._start - timedelta(days=90) + timedelta(hours=index), multiple=True)
        for _ in range(max(40, int(_OPENING_ITEMS * self._spec.scale))):
            age = 1 + int(rng.random() * 180)
            self._add_item(rng, moment(rng, self._start - timedelta(days=age), 9, 18))

    def _live_day(self, number: int) -> None:
        rng = stream(self._spec.seed, "day", number)
        day = self._start + timedelta(days=number)
        scale = self._spec.scale
        self._account.pay_out(day)
        self._account.adjust(rng, day, _ADJUSTMENTS * scale)
        self._stock.reprice(rng, day)
        for _ in range(count(rng, _NEW_ITEMS * scale)):
            self._add_item(rng, moment(rng, day, 9, 18))
        # Weekends are the web's busy days.
        busy = 1.25 if day.weekday() >= 5 else 0.9
        for _ in range(count(rng, _ORDERS * scale * busy)):
            late = rng.random() < 0.9
            self._plan(moment(rng, day, 6 if late else 0, 24 if late else 6), "order", None)
        for channel, mean in _MARKETPLACE.items():
            for _ in range(count(rng, mean * scale)):
                self._plan(moment(rng, day, 5, 24), "marketplace", channel)
        if is_open(day.date()):
            opening = local_midnight(day.date()).astimezone(UTC)
            for _ in range(count(rng, _RECEIPTS * scale)):
                self._plan(moment(rng, opening, 9.5, 18), "sale", None)
        tomorrow = day + timedelta(days=1)
        while self._agenda and self._agenda[0][0] < tomorrow:
            at, _, kind, what = heapq.heappop(self._agenda)
            self._happen(rng, at, kind, what)

    def _plan(self, at: datetime, kind: str, what: object) -> None:
        self._serial += 1
        heapq.heappush(self._agenda, (at, self._serial, kind, what))

    def _happen(self, rng: Random, at: datetime, kind: str, what: object) -> None:
        if kind == "order":
            self._order(rng, at)
        elif kind == "sale":
            self._sale(rng, at)
        elif kind == "marketplace":
            self._marketplace(rng, at, str(what))
        elif kind == "return" and isinstance(what, Receipt):
            self._receipts.append(self._till.book_return(self._stock, at, what, self._by_id))
        elif kind == "restock" and isinstance(what, tuple):
            item_id, quantity = what
            self._stock.restock(self._by_id[item_id], at, quantity)

    # --- what happens ----------------------------------------------------------------------------------------

    def _add_item(self, rng: Random, at: datetime, *, multiple: bool = False) -> None:
        item = self._stock.add(rng, at, longest_hold=260, multiple=multiple)
        self._by_id[item.item_id] = item

    def _order(self, rng: Random, at: datetime) -> None:
        drawn = draw_order(rng, self._market, at)
        if drawn is None:
            return
        order, oversold = drawn
        self._orders.append(order)
        later = Life(rng, self._ids, self._by_id.__getitem__).live(order, oversold=oversold)
        self._account.add(later.balance)
        for back_at, item_id, quantity in later.returns:
            self._plan(back_at, "restock", (item_id, quantity))

    def _sale(self, rng: Random, at: datetime) -> None:
        drawn = self._till.sale(rng, at)
        if drawn is None:
            return
        receipt, comes_back = drawn
        self._receipts.append(receipt)
        if comes_back is not None:
            self._plan(comes_back[0], "return", comes_back[1])

    def _marketplace(self, rng: Random, at: datetime, channel: str) -> None:
        oversold = self._stock.choose_oversold(channel, at) if rng.random() < 0.01 else None
        item = oversold or self._stock.choose(rng, channel, at)
        if item is None:
            return
        price = self._stock.price(item, channel)
        self._stock.sell(rng, item, channel, at, oversold=oversold is not None)
        buyer = self._crowd.buyer(rng, at)
        self._sales.append(
            MarketplaceSale(channel, self._ids.next(channel), at, item.item_id, buyer.number, price, "EUR")
        )


def generate_world(spec: WorldSpec | None = None) -> World:
    """The world that ``spec`` describes (seed 7, 90 days, scale 1 by default), as it is at midnight UTC after its
    last day."""
    return _Simulation(spec or WorldSpec()).run()
