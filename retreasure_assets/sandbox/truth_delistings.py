"""How long sold pieces stayed on offer elsewhere, as one can know it who looks at the shop now and then.

What belongs here: what gold's fct_delistings, rpt_oversell_risks and the KPI of them must arrive at. What does not: who
looks, and when.

Channels tell what is on offer, not what was: that a listing ended is known once it was seen on offer and later not.
When it ended is what the channel says of the change; eBay says nothing, so that it is when that was seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from retreasure_assets.sandbox.shopify_catalogue import product_updated_at, stock
from retreasure_assets.sandbox.truth_facts import Facts
from retreasure_assets.sandbox.truth_ledger import Row, utc
from retreasure_assets.sandbox.truth_stock import gone_items
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_types import Item, Listing


@dataclass(frozen=True, slots=True)
class Look:
    """A sync of all channels: what there was, and when it was read (UTC)."""

    world: World
    read_at: datetime


@dataclass(frozen=True, slots=True)
class _Seen:
    """Whether a listing was on offer, and since when it was so."""

    offered: bool
    since: datetime


def delistings(looks: Sequence[Look]) -> list[Row]:
    """Every sold one-of-a-kind piece with listings: when the last of them was known to be taken down.

    Args:
        looks: oldest first; the last one's world is what is known in the end.

    Returns:
        Rows with the columns of fct_delistings, and ``_category``.
    """
    facts = Facts(looks[-1].world)
    gone = gone_items(facts)
    items = {item.item_id: item for item in facts.world.items}
    sales = _last_sales(facts)
    seen: dict[str, list[list[_Seen]]] = {}
    for sightings, listing in _sightings(looks):
        seen.setdefault(listing.item_id, []).append(sightings)
    rows = []
    for item_id in sorted(gone & seen.keys()):
        if items[item_id].stock > 1:
            continue
        sale = sales[item_id]
        sold_at = datetime.fromisoformat(sale["ordered_at"])
        ends = [_end(sightings) for sightings in seen[item_id]]
        active = sum(sightings[-1].offered for sightings in seen[item_id])
        delisted = None if active else max((end for end in ends if end is not None), default=None)
        rows.append(
            {
                "item_id": item_id,
                "sold_channel": sale["channel"],
                "sold_order_id": sale["order_id"],
                "sold_at": sale["ordered_at"],
                "business_date": sale["business_date"],
                "listings": len(ends),
                "active_listings": active,
                "delisted_at": utc(delisted),
                "latency_minutes": None if delisted is None else max(0, _minutes(sold_at, delisted)),
                "_category": items[item_id].category,
            }
        )
    return rows


def _last_sales(facts: Facts) -> dict[str, Row]:
    """Item -> its last sale, by day and time."""
    orders = {(order["channel"], order["order_id"]): order for order in facts.orders if order["is_sale"]}
    found: dict[str, Row] = {}
    for line in facts.order_lines:
        order = orders.get((line["channel"], line["order_id"]))
        if order is not None and (line["item_id"] not in found or _when(order) > _when(found[line["item_id"]])):
            found[line["item_id"]] = order
    return found


def _when(order: Row) -> tuple[str, str]:
    return order["business_date"], order["ordered_at"]


def _sightings(looks: Sequence[Look]) -> Iterator[tuple[list[_Seen], Listing]]:
    """Each listing of the last look, with what each look showed of it."""
    shown = [{(listing.channel, listing.listing_id): listing for listing in look.world.listings} for look in looks]
    items = [{item.item_id: item for item in look.world.items} for look in looks]
    for key, listing in shown[-1].items():
        sightings: list[_Seen] = []
        for look, listings, of_look in zip(looks, shown, items, strict=True):
            if (then := listings.get(key)) is not None:
                sightings.append(_sighting(look, then, of_look[then.item_id]))
        yield sightings, listing


def _sighting(look: Look, listing: Listing, item: Item) -> _Seen:
    last = listing.versions[-1]
    offered = last.state == "active"
    if listing.channel == "shopify":
        # One product, one stock: what was sold anywhere is sold out there before it is archived.
        return _Seen(offered and stock(item)[0] > 0, product_updated_at(item, listing))
    if listing.channel == "ebay":
        return _Seen(offered and last.quantity > 0, look.read_at)
    if listing.channel == "etsy":
        return _Seen(offered and last.quantity > 0, last.at)
    # Square's catalogue has no quantities: a piece is on offer until it is archived.
    return _Seen(offered, last.at)


def _end(sightings: Sequence[_Seen]) -> datetime | None:
    """When the listing was first known to be taken down after it was last seen on offer."""
    offered = [number for number, sighting in enumerate(sightings) if sighting.offered]
    if not offered or offered[-1] + 1 == len(sightings):
        return None
    return sightings[offered[-1] + 1].since


def _minutes(start: datetime, end: datetime) -> int:
    """Between two readings of a clock without seconds."""
    return int((end.replace(second=0, microsecond=0) - start.replace(second=0, microsecond=0)).total_seconds()) // 60


def oversell_risks(rows: Iterable[Row], look: Look) -> list[tuple[str, str]]:
    """Channel and item of what is still on offer though it is sold."""
    exposed = {row["item_id"] for row in rows if row["active_listings"]}
    items = {item.item_id: item for item in look.world.items}
    return sorted(
        (listing.channel, listing.item_id)
        for listing in look.world.listings
        if listing.item_id in exposed and _sighting(look, listing, items[listing.item_id]).offered
    )


def delist_latencies(rows: Iterable[Row]) -> dict[tuple[str, str, str], Decimal]:
    """(business date, channel of the sale or ``all``, category or ``all``) -> the KPI delist_latency_p95, in minutes.

    The least time within which 95 % of the pieces sold on the day were taken down.
    """
    taken: dict[tuple[str, str, str], list[int]] = {}
    for row in rows:
        if row["latency_minutes"] is not None:
            for channel in (row["sold_channel"], "all"):
                for category in (row["_category"], "all"):
                    taken.setdefault((row["business_date"], channel, category), []).append(row["latency_minutes"])
    return {key: Decimal(sorted(minutes)[-(-len(minutes) * 95 // 100) - 1]) for key, minutes in taken.items()}
