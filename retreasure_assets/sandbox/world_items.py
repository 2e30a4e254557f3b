"""The stock: pieces, their listings on each channel, and what a sale, a return or a new price does to them.

What belongs here: everything about an item that is not somebody's order. What does not: who buys it (``world_sales``)
and how a platform shows it.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from retreasure_assets.sandbox.world_fx import FIRST_RATE_DAY
from retreasure_assets.sandbox.world_ids import listing_id
from retreasure_assets.sandbox.world_random import cents, chance, hours, pick, seconds
from retreasure_assets.sandbox.world_stock_words import CATEGORIES, CONDITIONS, ERAS, MULTIPLES
from retreasure_assets.sandbox.world_types import Item, Listing, ListingVersion, Photo, StockMove

CHANNELS = ("shopify", "etsy", "ebay", "pos")

#: Marketplace prices carry the marketplace's fees.
_MARKUP = {"shopify": Decimal("1.00"), "etsy": Decimal("1.08"), "ebay": Decimal("1.10"), "pos": Decimal("1.00")}


def _price(rng: Random, low: int, high: int) -> Decimal:
    """A shelf price: whole euros, or ending in .50 or .95."""
    return Decimal(int(cents(rng, low, high))) + pick(rng, (Decimal("0.00"), Decimal("0.50"), Decimal("0.95")))


def draw_item(rng: Random, number: int, listed_at: datetime, longest_hold: int) -> Item:
    """A one-off piece, bought up to ``longest_hold`` days before it was listed."""
    kind = pick(rng, CATEGORIES)
    era, maker, material = pick(rng, ERAS), pick(rng, kind.makers), pick(rng, kind.materials)
    condition = pick(rng, CONDITIONS)
    title = f"{era} {pick(rng, kind.nouns)}, {maker}, {material}"
    price = _price(rng, kind.low, kind.high)
    acquired_on = listed_at.date() - timedelta(days=2 + int(rng.random() * longest_hold))
    # Before the first published rate nothing was bought abroad, so that every cost can be converted.
    abroad = acquired_on > FIRST_RATE_DAY and chance(rng, 0.12)
    return Item(
        item_id=f"RT-{number:06d}",
        number=number,
        title=title,
        description_html=(
            f"<p>{title}.</p>\n<ul><li>Material: {material.replace('&', '&amp;')}</li>"
            f"<li>Condition: <em>{condition}</em></li></ul>"
        ),
        category=kind.name,
        era=era,
        maker=maker,
        material=material,
        condition=condition,
        acquired_on=acquired_on,
        cost=(price * Decimal(30 + int(rng.random() * 40)) / 100).quantize(Decimal("0.01")),
        cost_currency="GBP" if abroad else "EUR",
        taxable=not chance(rng, 0.15),
        stock=1,
        photos=tuple(
            Photo(f"{title}, view {view + 1}", 1200 + 400 * int(rng.random() * 4), 1600)
            for view in range(int(rng.random() * 4) + (0 if chance(rng, 0.05) else 1))
        ),
        price=price,
        listed_at=listed_at,
        # The till's catalogue has one currency for cost and price: what was paid in pounds is sold online only.
        in_shop=not abroad and chance(rng, 0.75),
    )


def draw_multiple(rng: Random, number: int, listed_at: datetime) -> Item:
    """An article that there are several of."""
    name, low, high = MULTIPLES[number % len(MULTIPLES)]
    item = draw_item(rng, number, listed_at, 30)
    item.title = f"{name} No. {number}"
    item.description_html = f"<p>{name.replace('&', '&amp;')}</p>"
    item.category, item.era, item.maker, item.material, item.condition = "Sundries", "new", "ReTreasure", "mixed", "new"
    item.price = _price(rng, low, high)
    item.cost = (item.price * Decimal("0.4")).quantize(Decimal("0.01"))
    item.cost_currency, item.in_shop, item.taxable = "EUR", True, True
    item.stock = 40 + int(rng.random() * 40)
    return item


class Stock:
    """All items, their listings, and what is on sale at this moment of the simulation."""

    def __init__(self) -> None:
        self.items: list[Item] = []
        self.listings: list[Listing] = []
        self._by_item: dict[int, dict[str, Listing]] = {}
        self._pool: list[int] = []
        self._place: dict[int, int] = {}
        self._multiples: list[int] = []
        self._left: dict[int, int] = {}
        #: channel -> (delisted_at, item number): sold elsewhere and still on offer there.
        self._exposed: dict[str, list[tuple[datetime, int]]] = {channel: [] for channel in CHANNELS}

    # --- coming in -------------------------------------------------------------------------------------------

    def add(self, rng: Random, listed_at: datetime, *, longest_hold: int, multiple: bool = False) -> Item:
        """A new item, listed wherever it is to be sold; on sale from now on."""
        number = len(self.items) + 1
        item = draw_multiple(rng, number, listed_at) if multiple else draw_item(rng, number, listed_at, longest_hold)
        self.items.append(item)
        self._left[number] = item.stock
        item.moves.append(StockMove(listed_at, item.stock, 0, item.stock))
        wanted = {
            "shopify": multiple or not item.in_shop or chance(rng, 0.96),
            "etsy": not multiple and chance(rng, 0.6),
            "ebay": not multiple and chance(rng, 0.5),
            "pos": item.in_shop,
        }
        self._by_item[number] = {}
        for channel in CHANNELS:
            if not wanted[channel]:
                continue
            versions = [ListingVersion(listed_at, self._shown(item.price, channel), "active", item.stock)]
            if channel == "shopify" and chance(rng, 0.1):
                # First a draft, photographed and published later.
                versions[0].state = "draft"
                versions.append(ListingVersion(listed_at + hours(rng, 1, 20), versions[0].price, "active", item.stock))
            listing = Listing(channel, listing_id(channel, number), item.item_id, versions)
            self.listings.append(listing)
            self._by_item[number][channel] = listing
        if multiple:
            self._multiples.append(number)
        else:
            self._put(number)
        return item

    def restock(self, item: Item, at: datetime, quantity: int = 1) -> None:
        """Back on the shelf after a return: listed again everywhere it was."""
        self._left[item.number] += quantity
        if item.stock == 1:
            for listing in self._by_item[item.number].values():
                self._say(listing, at, state="active", quantity=1)
            self._put(item.number)
        else:
            self._show_left(item, at)

    # --- going out -------------------------------------------------------------------------------------------

    def choose(self, rng: Random, channel: str, at: datetime) -> Item | None:
        """A one-off piece on sale on ``channel``; None when a few tries find none."""
        for _ in range(12):
            if not self._pool:
                return None
            number = pick(rng, self._pool)
            listing = self._by_item[number].get(channel)
            if listing is not None and listing.versions[-1].state == "active" and listing.versions[-1].at <= at:
                return self.items[number - 1]
        return None

    def choose_multiple(self, rng: Random, channel: str, quantity: int) -> Item | None:
        """An article with at least ``quantity`` left."""
        if not self._multiples:
            return None
        number = pick(rng, self._multiples)
        if self._left[number] < quantity or channel not in self._by_item[number]:
            return None
        return self.items[number - 1]

    def choose_oversold(self, channel: str, at: datetime) -> Item | None:
        """A piece that another channel has sold already and ``channel`` still offers: the accident to come."""
        self._exposed[channel] = [entry for entry in self._exposed[channel] if entry[0] > at]
        return self.items[self._exposed[channel].pop()[1] - 1] if self._exposed[channel] else None

    def price(self, item: Item, channel: str) -> Decimal:
        """What ``channel`` asks for the item now, in EUR."""
        return self._by_item[item.number][channel].versions[-1].price

    def sell(
        self, rng: Random, item: Item, channel: str, at: datetime, quantity: int = 1, *, oversold: bool = False
    ) -> None:
        """Take the item off: at once where it was sold, after a lag everywhere else.

        An ``oversold`` item is on its way off already: only the online shop's inventory counts the second sale.
        """
        self._left[item.number] -= quantity
        if oversold:
            if channel == "shopify":
                item.moves.append(StockMove(at, -quantity, quantity, 0))
            return
        if item.stock > 1:
            self._show_left(item, at)
        else:
            self._take(item.number)
            for other, listing in self._by_item[item.number].items():
                if other == channel:
                    self._say(listing, at, quantity=0, state="active" if channel == "shopify" else "sold")
                    if channel == "shopify":
                        self._say(listing, at + hours(rng, 2, 12), state="archived")
                else:
                    # A webhook that works takes minutes, one that fails waits for the nightly comparison.
                    lag = hours(rng, 5, 30) if chance(rng, 0.06) else seconds(rng, 40, 1500)
                    self._say(listing, at + lag, quantity=0, state="archived" if other == "shopify" else "ended")
                    self._exposed[other].append((at + lag, item.number))
        if channel == "shopify":
            item.moves.append(StockMove(at, -quantity, quantity, 0))
        elif "shopify" in self._by_item[item.number]:
            listing = self._by_item[item.number]["shopify"]
            item.moves.append(StockMove(max(at, listing.versions[-1].at), -quantity, 0, -quantity))

    def reprice(self, rng: Random, day: datetime) -> None:
        """A few markdowns in the night of ``day``: about one piece in a hundred."""
        for _ in range(len(self._pool) // 90):
            item = self.items[pick(rng, self._pool) - 1]
            at = day + timedelta(hours=2) + seconds(rng, 0, 3600)
            factor = Decimal(84 + int(rng.random() * 12)) / 100
            for listing in self._by_item[item.number].values():
                last = listing.versions[-1]
                if last.state == "active" and last.at < at:
                    self._say(
                        listing, at, price=(last.price * factor).quantize(Decimal("0.1")).quantize(Decimal("0.01"))
                    )

    # --- inside ----------------------------------------------------------------------------------------------

    @staticmethod
    def _shown(price: Decimal, channel: str) -> Decimal:
        return (price * _MARKUP[channel]).quantize(Decimal("0.01"))

    @staticmethod
    def _say(
        listing: Listing,
        at: datetime,
        *,
        price: Decimal | None = None,
        state: str | None = None,
        quantity: int | None = None,
    ) -> None:
        """Append a version; never before the last one, so that a listing's story stays in order."""
        last = listing.versions[-1]
        listing.versions.append(
            ListingVersion(
                at=max(at, last.at + timedelta(seconds=1)),
                price=last.price if price is None else price,
                state=state or last.state,
                quantity=last.quantity if quantity is None else quantity,
            )
        )

    def _show_left(self, item: Item, at: datetime) -> None:
        for listing in self._by_item[item.number].values():
            self._say(listing, at, quantity=self._left[item.number])

    def _put(self, number: int) -> None:
        self._place[number] = len(self._pool)
        self._pool.append(number)

    def _take(self, number: int) -> None:
        """Remove from the pool in constant time: the last one moves into the gap."""
        place = self._place.pop(number, None)
        if place is None:
            return
        last = self._pool.pop()
        if last != number:
            self._pool[place] = last
            self._place[last] = place
