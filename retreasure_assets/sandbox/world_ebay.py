"""What becomes of the world's sales on eBay: orders in their marketplace's currency, and their further life.

What belongs here: drawing orders from the world's marketplace sales. What does not: fees and payouts
(``world_ebay_ledger``), and eBay's interface (``ebay_*``).

Every order is drawn whole from a stream of its own sale, and everything in it carries its time, so what happened before
a moment does not depend on how long the world goes on.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from random import Random

from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ebay_types import (
    ZERO,
    EbayCancellation,
    EbayLine,
    EbayOrder,
    EbayParcel,
    EbayRefund,
)
from retreasure_assets.sandbox.world_fx import FxTable, rounded
from retreasure_assets.sandbox.world_random import chance, hours, pick, seconds, stream, weighted
from retreasure_assets.sandbox.world_types import Listing, MarketplaceSale, Person

#: Marketplace -> its currency, and how many of it a listing asks for a EUR of the price list.
MARKETPLACES: dict[str, tuple[str, Decimal]] = {
    "EBAY_IE": ("EUR", Decimal("1.00")),
    "EBAY_GB": ("GBP", Decimal("0.86")),
    "EBAY_DE": ("EUR", Decimal("1.00")),
    "EBAY_US": ("USD", Decimal("1.12")),
}
_MARKETPLACE_WEIGHTS = (("EBAY_GB", 45), ("EBAY_IE", 20), ("EBAY_DE", 15), ("EBAY_US", 20))

#: What eBay keeps when it changes money.
_SPREAD = Decimal("0.97")
_RATE_PLACES = Decimal("1e-8")

#: Where eBay itself collects tax from the buyer, and how much.
_REMITTED = {"US": ("STATE_SALES_TAX", Decimal("0.0725")), "GB": ("VAT", Decimal("0.20"))}
#: Above this value British VAT is the importer's affair, not eBay's.
_UK_LIMIT = Decimal(135)

CARRIERS = ("An Post", "DHL", "Royal Mail", "DPD")


def marketplace_of(seed: int, item_id: str) -> str:
    """The one marketplace on which eBay offers a SKU."""
    return weighted(stream(seed, "ebay", "marketplace", item_id), _MARKETPLACE_WEIGHTS)


def asking_price(price: Decimal, marketplace: str) -> Decimal:
    """A listing's price there, from the price list's in EUR."""
    currency, factor = MARKETPLACES[marketplace]
    return rounded(price * factor, currency)


def username(person: Person) -> str:
    """The name under which a person buys on eBay."""
    return person.email.partition("@")[0].replace(".", "_")


def relay_address(person: Person) -> str:
    """The address under which eBay passes mail on to a buyer: never the buyer's own."""
    return f"{hashlib.sha256(person.email.encode()).hexdigest()[:20]}@members.ebay.com"


def whole_orders(world: World) -> list[EbayOrder]:
    """All orders placed before the world's clock, oldest first, with everything that will ever become of them."""
    sales = [sale for sale in world.marketplace_sales if sale.channel == "ebay"]
    listings = {listing.item_id: listing for listing in world.listings if listing.channel == "ebay"}
    titles = {item.item_id: item.title for item in world.items}
    people = {person.number: person for person in world.people}
    rates = FxTable(world.fx)
    orders: list[EbayOrder] = []
    for basket in _baskets(world.seed, sales):
        sale = basket[-1]
        order = _draw(world.seed, basket, listings, titles, people[sale.person], rates)
        _live(order, stream(world.seed, "ebay", "life", sale.sale_id), [_sold(s, listings[s.item_id]) for s in basket])
        orders.append(order)
    return orders


def _baskets(seed: int, sales: Iterable[MarketplaceSale]) -> Iterable[list[MarketplaceSale]]:
    """Sales by order. One in eight waits for the next sale on its marketplace: both are one buyer's, paid together."""
    waiting: dict[str, list[MarketplaceSale]] = {}
    for sale in sales:
        marketplace = marketplace_of(seed, sale.item_id)
        basket = [*waiting.pop(marketplace, []), sale]
        if len(basket) < 4 and chance(stream(seed, "ebay", "basket", sale.sale_id), 0.125):
            waiting[marketplace] = basket
        else:
            yield basket


def _sold(sale: MarketplaceSale, listing: Listing) -> bool:
    """Whether the piece was still there: a second sale of one that is gone leaves no mark on its listing."""
    return any(
        version.state == "sold" and sale.at <= version.at <= sale.at + timedelta(seconds=1)
        for version in listing.versions
    )


def _draw(
    seed: int,
    basket: list[MarketplaceSale],
    listings: dict[str, Listing],
    titles: dict[str, str],
    person: Person,
    rates: FxTable,
) -> EbayOrder:
    sale = basket[-1]
    rng = stream(seed, "ebay", "order", sale.sale_id)
    marketplace = marketplace_of(seed, sale.item_id)
    currency = MARKETPLACES[marketplace][0]
    found = rates.per_euro(currency, sale.at.date())
    if found is None:
        raise ValueError("the world has no exchange rate for a sale's day")
    promotion = pick(rng, (Decimal("0.05"), Decimal("0.10"), Decimal("0.20"))) if chance(rng, 0.18) else ZERO
    free_shipping = chance(rng, 0.25)
    lines = []
    for index, sold in enumerate(basket):
        cost = asking_price(sold.price, marketplace)
        discount = rounded(cost * promotion, currency)
        shipping = ZERO if free_shipping else Decimal(395 + int(rng.random() * 2200)).scaleb(-2)
        # A further piece in the same parcel travels at half the price.
        shipping_discount = rounded(shipping / 2, currency) if index else ZERO
        paid = cost - discount + shipping - shipping_discount
        tax_type, tax = _remitted(person.country, paid, cost, currency)
        lines.append(
            EbayLine(
                line_id=str(10_000_000_000_000 + sold.sale_id * 17),
                item_id=sold.item_id,
                listing_id=str(listings[sold.item_id].listing_id),
                title=titles[sold.item_id],
                cost=cost,
                discount=discount,
                shipping=shipping,
                shipping_discount=shipping_discount,
                remitted_tax=tax,
                tax_type=tax_type,
                advertised=chance(rng, 0.2),
            )
        )
    digits = f"{sale.sale_id:012d}"
    return EbayOrder(
        order_id=f"{digits[:2]}-{digits[2:7]}-{digits[7:]}",
        at=sale.at,
        person=person.number,
        marketplace=marketplace,
        currency=currency,
        rate=Decimal(1) if currency == "EUR" else (_SPREAD / found[0]).quantize(_RATE_PLACES),
        lines=tuple(lines),
        note=f"Please ring {person.address.name} before delivery" if chance(rng, 0.06) else None,
    )


def _remitted(country: str, paid: Decimal, cost: Decimal, currency: str) -> tuple[str | None, Decimal]:
    if country not in _REMITTED or (country == "GB" and cost > _UK_LIMIT):
        return None, ZERO
    tax_type, share = _REMITTED[country]
    return tax_type, rounded(paid * share, currency)


def _live(order: EbayOrder, rng: Random, there: list[bool]) -> None:
    """Draw everything that becomes of an order, whenever."""
    luck = rng.random()
    if luck < 0.04:
        _never_paid(order, rng)
        return
    order.paid_at = order.at + (seconds(rng, 20, 600) if luck < 0.9 else hours(rng, 2, 80))
    if not all(there):
        # Sold elsewhere in the meantime: the seller owns up, gives everything back and cancels.
        _cancel_paid(order, rng, "SELLER", "OUT_OF_STOCK_OR_CANNOT_FULFILL")
        return
    if chance(rng, 0.02):
        _cancel_paid(order, rng, "BUYER", pick(rng, ("ORDER_MISTAKE", "FOUND_CHEAPER_PRICE")))
        return
    if chance(rng, 0.015):
        asked = order.paid_at + hours(rng, 1, 6)
        order.cancellation = EbayCancellation(
            _number(order, 5), asked, "BUYER", "WONT_ARRIVE_IN_TIME", asked + hours(rng, 1, 3), None
        )
    delivered = _send(order, rng)
    if chance(rng, 0.10):
        _give_back(order, rng, delivered)


def _never_paid(order: EbayOrder, rng: Random) -> None:
    """Cancelled by the seller after some days of waiting, or by the buyer at once."""
    if chance(rng, 0.3):
        asked, initiator, reason = order.at + hours(rng, 0.1, 5), "BUYER", "ORDER_MISTAKE"
    else:
        asked, initiator, reason = order.at + hours(rng, 97, 160), "SELLER", "BUYER_NO_SHOW"
    order.cancellation = EbayCancellation(
        _number(order, 5), asked, initiator, reason, None, asked + seconds(rng, 60, 7200)
    )


def _cancel_paid(order: EbayOrder, rng: Random, initiator: str, reason: str) -> None:
    if order.paid_at is None:
        raise ValueError("an unpaid order has nothing to give back")
    asked = order.paid_at + hours(rng, 0.5, 20)
    granted = asked + seconds(rng, 60, 7200)
    order.cancellation = EbayCancellation(_number(order, 5), asked, initiator, reason, None, granted)
    back = tuple((line.line_id, line.due) for line in order.lines)
    order.refunds.append(EbayRefund(_number(order, 6), granted + timedelta(seconds=30), order.total, back))


def _send(order: EbayOrder, rng: Random) -> datetime:
    """One parcel, at times two; returns when the last one arrives."""
    if order.paid_at is None:
        raise ValueError("nothing is sent before it is paid")
    line_ids = tuple(line.line_id for line in order.lines)
    split = len(line_ids) > 1 and chance(rng, 0.35)
    at = order.paid_at + hours(rng, 4, 72)
    for part in (line_ids[:1], line_ids[1:]) if split else (line_ids,):
        tracking = f"EB{int(rng.random() * 10**11):011d}"
        order.parcels.append(EbayParcel(at, part, pick(rng, CARRIERS), tracking))
        at = at + hours(rng, 10, 60)
    return order.parcels[-1].at + hours(rng, 20, 200)


def _give_back(order: EbayOrder, rng: Random, delivered: datetime) -> None:
    """Everything, one line, or a part of it as goodwill; seldom twice."""
    at = delivered + hours(rng, 24, 300)
    kind = rng.random()
    if kind < 0.45:
        back = tuple((line.line_id, line.due) for line in order.lines)
        order.refunds.append(EbayRefund(_number(order, 6), at, order.total, back))
        return
    line = pick(rng, order.lines)
    if kind < 0.7 and len(order.lines) > 1:
        order.refunds.append(EbayRefund(_number(order, 6), at, line.due, ((line.line_id, line.due),)))
        return
    part = rounded(line.due * Decimal(5 + int(rng.random() * 20)) / 100, order.currency)
    order.refunds.append(EbayRefund(_number(order, 6), at, part, ()))
    if chance(rng, 0.2):
        rest = rounded(line.due * Decimal("0.1"), order.currency)
        order.refunds.append(EbayRefund(_number(order, 7), at + hours(rng, 20, 90), rest, ()))


def _number(order: EbayOrder, series: int) -> str:
    """An id of its own for something that belongs to the order."""
    return f"{series}{order.order_id.replace('-', '')}"


def forget_future(order: EbayOrder, now: datetime) -> None:
    """Leave what happened before ``now``."""
    if order.paid_at is not None and order.paid_at >= now:
        order.paid_at = None
    order.parcels = [parcel for parcel in order.parcels if parcel.at < now]
    order.refunds = [refund for refund in order.refunds if refund.at < now]
    wish = order.cancellation
    if wish is not None and wish.requested_at >= now:
        order.cancellation = None
    elif wish is not None:
        wish.refused_at = wish.refused_at if wish.refused_at and wish.refused_at < now else None
        wish.granted_at = wish.granted_at if wish.granted_at and wish.granted_at < now else None
