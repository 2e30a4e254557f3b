"""How far parcels go, and in which zone.

What belongs here: distance and zone of a parcel, from the world's towns and zone rules. What does not: the parcel's way
(``truth_tracking``).
"""

from __future__ import annotations

import math
from datetime import date
from decimal import Decimal

from retreasure_assets.privacy.masks import postcode_area
from retreasure_assets.sandbox.geo import SHIP_FROM, ZONES, areas
from retreasure_assets.sandbox.world_types import Address

#: The project's own rules: zone, and kilometres below which it holds.
_BY_DISTANCE = (("local", 50), ("regional", 300), ("near", 1000), ("far", 4000), ("overseas", 100_000))
#: How the zone file writes countries.
_WRITTEN = {"Germany": "DE", "USA": "US"}
_RADIUS_KM = 6371.0088

_CENTRES = {(each.country, each.area): (each.town.latitude, each.town.longitude) for each in areas()}


def distance_km(address: Address) -> Decimal | None:
    """Kilometres from the shop's postcode area to the address's; None where its postcode has no area."""
    area = postcode_area(address.zip)
    there = _CENTRES.get((address.country_code, area or ""))
    country, _, here = SHIP_FROM.partition(" ")
    if there is None:
        return None
    (lat, lon), (other_lat, other_lon) = _CENTRES[country, here], there
    a = math.sin(math.radians(other_lat - lat) / 2) ** 2
    a += (
        math.cos(math.radians(lat))
        * math.cos(math.radians(other_lat))
        * math.sin(math.radians(other_lon - lon) / 2) ** 2
    )
    return Decimal(2 * _RADIUS_KM * math.asin(math.sqrt(a))).quantize(Decimal("0.1"))


def zone(carrier: str, address: Address, shipped: date) -> str | None:
    """The zone on the day it was sent: the most particular rule that began last, else the distance's."""
    area = postcode_area(address.zip) or ""
    rules = [
        rule
        for rule in ZONES
        if rule.carrier in ("", carrier)
        and _WRITTEN.get(rule.country, rule.country) == address.country_code
        and area.startswith(rule.postcode_prefix)
        and date.fromisoformat(rule.valid_from) <= shipped
    ]
    if rules:
        return max(rules, key=lambda rule: (rule.carrier, len(rule.postcode_prefix), rule.valid_from)).zone
    distance = distance_km(address)
    return None if distance is None else next(name for name, below in _BY_DISTANCE if distance < below)


def destination(address: Address | None, ordered: date) -> dict[str, Decimal | str | None]:
    """Distance and zone of an order's address, by the rules that hold for every carrier on the day of the order."""
    if address is None:
        return {"distance_km": None, "zone": None}
    return {"distance_km": distance_km(address), "zone": zone("", address, ordered)}
