"""Who looks at the shop's pages: visits of people and machines, derived from the world's orders and pieces.

What belongs here: what visitors do and when it becomes known, a pure function of a world. What does not: the layouts it
is written in (``clicks``), and sessions; those follow from the events (``truth_clicks``).

Every web order is the end of a visit that looked at its pieces, filled a cart and checked out; it ends at the second of
the order. Others look around and leave, some with a full cart. Machines read on and on. Some events are told hours
late, some twice. All of a day is drawn from a stream of its own and cut at the world's clock, so that the world of N
days shows the first part of what a longer one shows.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from retreasure_assets.sandbox.world import WORLD_START, World
from retreasure_assets.sandbox.world_order_types import Order
from retreasure_assets.sandbox.world_random import chance, count, moment, pick, seconds, stream, weighted
from retreasure_assets.sandbox.world_types import Item

#: Visits a day at scale 1 that buy nothing, and those of machines.
_VISITS = 60.0
_MACHINES = 2.0

_BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 19_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 "
    "Mobile/15E148 Safari/604.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0",
    "Mozilla/5.0 (Linux; Android 15; SM-X910) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/143.0.0.0 Safari/537.36",
)
_MACHINE_AGENTS = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/143.0.0.0 Safari/537.36",
)
#: (referrer, utm source, medium, campaign) -> weight.
_WAYS: tuple[tuple[tuple[str | None, str | None, str | None, str | None], int], ...] = (
    ((None, None, None, None), 40),
    (("https://www.google.com/", None, None, None), 30),
    (("https://www.instagram.com/", "instagram", "social", "spring-finds"), 15),
    ((None, "newsletter", "email", "new-arrivals"), 15),
    (("https://www.google.com/", "google", "cpc", "brand-search"), 12),
    (("https://www.facebook.com/", "facebook", "paid_social", "retargeting"), 8),
)


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser.

    Args:
        anonymous_id: what it calls itself: a random id, personal as it follows one person.
        ip, agent: where it is, and what it says it is.
        pixel: whether Shopify's pixels watch it, rather than Segment.
        skew: how far its clock is ahead.
        machine: whether nobody sits before it.
    """

    anonymous_id: str
    ip: str
    agent: str
    pixel: bool
    skew: timedelta
    machine: bool = False


@dataclass(frozen=True, slots=True)
class Click:
    """One event.

    Args:
        event_id: its own id, the same however often it is told.
        at: when it happened.
        known_at: when it was told, once for each telling.
        visitor: whose.
        name: what, in canonical words.
        path: the page.
        item: the piece concerned, if one is.
        order: the order that it completes.
        way: where the visitor came from: referrer, utm source, medium, campaign.
        email, user_id: who says they are whom.
    """

    event_id: str
    at: datetime
    known_at: tuple[datetime, ...]
    visitor: Visitor
    name: str
    path: str
    item: Item | None = None
    order: Order | None = None
    way: tuple[str | None, str | None, str | None, str | None] = (None, None, None, None)
    email: str | None = None
    user_id: str | None = None


def clicks(world: World) -> list[Click]:
    """Everything that was told before the world's clock, each event once, with its tellings until then."""
    pieces = {item.item_id: item for item in world.items}
    drawn = [*_browsing(world), *(click for order in world.orders for click in _purchase(world, order, pieces))]
    known = []
    for click in drawn:
        told = tuple(at for at in click.known_at if at < world.clock)
        if told:
            known.append(_retold(click, told))
    return sorted(known, key=lambda click: (click.known_at[0], click.at, click.event_id))


def _retold(click: Click, told: tuple[datetime, ...]) -> Click:
    if told == click.known_at:
        return click
    return Click(**{name: getattr(click, name) for name in click.__slots__} | {"known_at": told})


def _browsing(world: World) -> Iterator[Click]:
    """Visits that buy nothing. The pieces shown are those that were listed before the day."""
    start = datetime.combine(WORLD_START, datetime.min.time(), world.clock.tzinfo)
    listed = sorted((item for item in world.items), key=lambda item: (item.listed_at, item.item_id))
    day = start
    while day < world.clock:
        rng = stream(world.seed, "clicks", day.date().isoformat())
        shown = [item for item in listed if item.listed_at < day]
        for number in range(count(rng, _VISITS * world.scale)):
            # A third comes from the browsers of before: the same name, the same visitor.
            again = int(rng.random() * 40) if chance(rng, 0.35) else f"{day:%j}-{number}"
            visitor = _visitor(world.seed, "visitor", again)
            yield from _looking_round(rng, visitor, moment(rng, day, 5, 23.9), shown, f"{day:%Y%m%d}-{number}")
        for number in range(count(rng, _MACHINES * world.scale) + 1):
            machine = _visitor(world.seed, "machine", int(rng.random() * 6), machine=True)
            yield from _crawl(rng, machine, moment(rng, day, 0, 20), shown, f"{day:%Y%m%d}-m{number}")
        day += timedelta(days=1)


def _looking_round(rng: Random, visitor: Visitor, at: datetime, shown: Sequence[Item], label: str) -> Iterator[Click]:
    way = weighted(rng, _WAYS)
    cart = chance(rng, 0.12)
    for step in range(1 + int(rng.random() * rng.random() * 12)):
        name, path, item = "page_viewed", pick(rng, ("/", "/collections/all", "/pages/about")), None
        if step and shown and chance(rng, 0.7):
            item = pick(rng, shown)
            name, path = "product_viewed", f"/products/{item.item_id.lower()}"
            if cart and chance(rng, 0.5):
                name = "product_added_to_cart"
        yield _click(rng, visitor, at, name, path, f"{label}-{step}", item=item, way=way if step == 0 else None)
        # Now and then somebody comes back after lunch: another session of the same visit.
        at += seconds(rng, 2400, 7200) if chance(rng, 0.06) else seconds(rng, 3, 240)


def _crawl(rng: Random, machine: Visitor, at: datetime, shown: Sequence[Item], label: str) -> Iterator[Click]:
    for step in range(15 + int(rng.random() * 30)):
        path = f"/products/{pick(rng, shown).item_id.lower()}" if shown else "/"
        yield _click(rng, machine, at, "page_viewed", path, f"{label}-{step}", late=False)
        at += timedelta(seconds=2)


def _purchase(world: World, order: Order, pieces: dict[str, Item]) -> Iterator[Click]:
    """The visit that ends with a web order; other orders (drafts, tests) are made by the staff."""
    if order.test or order.source_name != "web":
        return
    rng = stream(world.seed, "clicks", "order", order.order_id)
    who = f"person-{order.person}" if order.person is not None else f"order-{order.order_id}"
    visitor = _visitor(world.seed, "buyer", who, ip=order.client_ip)
    way = weighted(rng, _WAYS)
    items = [pieces[line.item_id] for line in order.lines[:6]]
    steps: list[tuple[str, str, Item | None]] = [("page_viewed", "/", None)]
    for piece in items:
        path = f"/products/{piece.item_id.lower()}"
        steps += [("product_viewed", path, piece), ("product_added_to_cart", path, piece)]
    steps += [("cart_viewed", "/cart", None), ("checkout_started", "/checkouts/start", None)]
    times = [order.at]
    for _ in steps:
        times.append(times[-1] - seconds(rng, 4, 180))
    times.reverse()
    user = str(order.person) if order.person is not None else None
    label = f"o{order.order_id}"
    # What was done before midnight is told after it: a world that ends between has not seen the order either.
    midnight = order.at.replace(hour=0, minute=0, second=0)
    for number, ((name, path, item), at) in enumerate(zip(steps, times, strict=False)):
        yield _click(
            rng, visitor, at, name, path, f"{label}-{number}", item=item, way=way if number == 0 else None,
            not_before=midnight,
        )  # fmt: skip
    if order.email and not visitor.pixel:
        yield _click(
            rng, visitor, order.at, "identified", "/checkouts/done", f"{label}-i", email=order.email, user=user
        )
    yield _click(
        rng, visitor, order.at, "checkout_completed", "/checkouts/done", f"{label}-done",
        order=order, email=order.email, user=user,
    )  # fmt: skip


def _visitor(seed: int, kind: str, name: object, *, ip: str | None = None, machine: bool = False) -> Visitor:
    """The browser of that name: the same whenever it comes."""
    rng = stream(seed, "browser", kind, name)
    address = f"{pick(rng, ('192.0.2', '198.51.100', '203.0.113'))}.{int(rng.random() * 253) + 1}"
    skew = timedelta(seconds=int((rng.random() - 0.5) * 7200)) if chance(rng, 0.2) else timedelta(0)
    agent = pick(rng, _MACHINE_AGENTS if machine else _BROWSERS)
    pixel = chance(rng, 0.4)
    identity = uuid.UUID(bytes=hashlib.sha256(f"{seed}/{kind}/{name}".encode()).digest()[:16], version=4)
    return Visitor(str(identity), ip or address, agent, pixel, skew, machine)


def _click(
    rng: Random,
    visitor: Visitor,
    at: datetime,
    name: str,
    path: str,
    label: str,
    *,
    item: Item | None = None,
    order: Order | None = None,
    way: tuple[str | None, str | None, str | None, str | None] | None = None,
    email: str | None = None,
    user: str | None = None,
    late: bool = True,
    not_before: datetime | None = None,
) -> Click:
    told = [at + seconds(rng, 3600, 90_000)] if late and chance(rng, 0.03) else [at]
    if not_before is not None:
        told = [max(told[0], not_before)]
    if chance(rng, 0.02):
        told.append(told[0] + seconds(rng, 5, 40_000))
    event_id = str(uuid.UUID(bytes=hashlib.sha256(f"{label}/{visitor.anonymous_id}".encode()).digest()[:16], version=4))
    none = (None, None, None, None)
    return Click(event_id, at, tuple(told), visitor, name, path, item, order, way or none, email, user)
