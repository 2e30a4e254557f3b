"""How parcels travelled: what their carriers scanned, derived from the world's parcels.

What belongs here: journeys, a pure function of a world. What does not: how an interface shows them (``easypost``).

Most parcels are collected, pass a few depots, go out and arrive. Some are tried twice, a few stray and go on, a few
come back after they had arrived, a few are never scanned again. What carriers report late appears late: that a parcel
was out for delivery becomes known with its delivery.

A journey is drawn from a stream of its own and cut at the world's clock, so that the world of N days shows the first
part of what a longer one shows. Nothing here asks what the world's own clock hides, such as when a parcel under way
will arrive.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_order_types import Fulfilment, Order
from retreasure_assets.sandbox.world_random import chance, hours, stream
from retreasure_assets.sandbox.world_types import Address

#: Where parcels leave from: the shop's own place, not personal.
ORIGIN = ("Cork", "CO", "IE", "T12")


@dataclass(frozen=True, slots=True)
class Scan:
    """One event of a journey.

    Args:
        at: when it happened.
        known_at: when the carrier told of it.
        status: in EasyPost's words.
        detail: EasyPost's status detail.
        near: whether it happened at the destination rather than at the origin.
    """

    at: datetime
    known_at: datetime
    status: str
    detail: str
    near: bool


@dataclass(frozen=True, slots=True)
class Journey:
    """A parcel with a tracking number, as far as it has come.

    Args:
        order: whose.
        parcel: which.
        scans: what is known, in the order in which it became known; repetitions left in.
    """

    order: Order
    parcel: Fulfilment
    scans: tuple[Scan, ...]

    @property
    def destination(self) -> Address | None:
        """Where it goes."""
        return self.order.ship_to

    @property
    def updated_at(self) -> datetime:
        """When something last became known of it."""
        return max((scan.known_at for scan in self.scans), default=self.parcel.at)


def journeys(world: World) -> Iterator[Journey]:
    """Every parcel with a tracking number, in the order of the world's orders."""
    for order in world.orders:
        for parcel in order.fulfilments:
            if parcel.tracking_number is not None:
                known = [scan for scan in _scans(world.seed, parcel) if scan.known_at < world.clock]
                known.sort(key=lambda scan: (scan.known_at, scan.at, scan.status))
                yield Journey(order, parcel, tuple(known))


def _scans(seed: int, parcel: Fulfilment) -> Iterator[Scan]:
    rng = stream(seed, "tracking", parcel.fulfilment_id)
    # Everything is drawn, whether it happens or not, and before anything is asked that a clock may hide.
    silent, tried, strays, back = (chance(rng, share) for share in (0.015, 0.05, 0.02, 0.02))
    steps = [hours(rng, 5, 40) for _ in range(4)]
    retry, home, repeated = hours(rng, 3, 20), hours(rng, 40, 200), chance(rng, 0.3)
    yield _told(parcel.at, "pre_transit", "label_created", near=False)
    if silent or parcel.in_transit_at is None:
        return
    yield from _way(rng, parcel, parcel.in_transit_at, steps, strays=strays, repeated=repeated)
    if parcel.delivered_at is None:
        return
    arrived = parcel.delivered_at
    if tried and arrived - retry > parcel.in_transit_at:
        yield Scan(arrived - retry, arrived, "in_transit", "delivery_exception", near=True)
    out = arrived - timedelta(hours=3)
    if out > parcel.in_transit_at:
        yield Scan(out, arrived, "out_for_delivery", "out_for_delivery", near=True)
    yield _told(arrived, "delivered", "arrived_at_destination", near=True)
    if back:
        yield _told(arrived + home, "return_to_sender", "return", near=True)
        yield _told(arrived + 2 * home, "return_to_sender", "arrived_at_destination", near=False)


def _way(
    rng: Random, parcel: Fulfilment, collected: datetime, steps: list[timedelta], *, strays: bool, repeated: bool
) -> Iterator[Scan]:
    """From the collection to the last depot; a depot is passed only before the parcel arrives."""
    first = _told(collected, "in_transit", "received_at_origin_facility", near=False)
    yield first
    if repeated:
        yield first
    at = collected
    for number, step in enumerate(steps):
        at += step
        if parcel.delivered_at is not None and at >= parcel.delivered_at:
            return
        if strays and number == 1:
            yield _told(at, "failure", "missorted", near=False)
            continue
        detail = "arrived_at_facility" if number % 2 == 0 else "departed_facility"
        # Depots report in batches: what happened first may be told last.
        yield Scan(at, at + hours(rng, 0, 9), "in_transit", detail, near=number > 1)


def _told(at: datetime, status: str, detail: str, *, near: bool) -> Scan:
    return Scan(at, at, status, detail, near)
