"""Where the online shop's parcels really are.

What belongs here: what gold.fct_shipments must arrive at, from the world's parcels and journeys. What does not: how a
carrier's words are read; nothing here looks at a face.
"""

from __future__ import annotations

from retreasure_assets.sandbox.truth_ledger import Row, business_date, utc
from retreasure_assets.sandbox.truth_zones import distance_km, zone
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_order_types import Fulfilment, Order
from retreasure_assets.sandbox.world_tracking import Journey, journeys

#: What the last thing a carrier did says of a parcel that has not arrived.
_UNDER_WAY = {
    "received_at_origin_facility": "in_transit",
    "arrived_at_facility": "in_transit",
    "departed_facility": "in_transit",
    "missorted": "exception",
}


def shipments(world: World) -> list[Row]:
    """One row for every parcel of the online shop, collections in the shop among them."""
    known = {journey.parcel.fulfilment_id: journey for journey in journeys(world)}
    return [
        _shipment(order, parcel, known.get(parcel.fulfilment_id))
        for order in world.orders
        for parcel in order.fulfilments
    ]


def _shipment(order: Order, parcel: Fulfilment, journey: Journey | None) -> Row:
    scans = journey.scans[1:] if journey else ()
    shipped = business_date(parcel.at)
    promised = business_date(parcel.estimated_at) if parcel.estimated_at else None
    delivered = business_date(parcel.delivered_at) if parcel.delivered_at else None
    back = [scan.at for scan in scans if scan.status == "return_to_sender"]
    return {
        "channel": "shopify",
        "shipment_id": str(parcel.fulfilment_id),
        "order_id": str(order.order_id),
        "carrier": parcel.carrier,
        "tracking_number": parcel.tracking_number,
        "status": _status(parcel, journey),
        "shipped_at": utc(parcel.at),
        "shipped_date": shipped.isoformat(),
        # The carrier's first scan is its collection.
        "first_scan_at": utc(parcel.in_transit_at) if scans else None,
        "promised_date": promised.isoformat() if promised else None,
        "delivered_at": utc(parcel.delivered_at),
        "delivered_date": delivered.isoformat() if delivered else None,
        "returned_at": utc(back[1]) if len(back) > 1 else None,
        "delivery_days": (delivered - shipped).days if delivered else None,
        "is_late": delivered > promised if delivered and promised else None,
        "ship_country": order.ship_to.country_code if order.ship_to else None,
        "distance_km": distance_km(order.ship_to) if order.ship_to else None,
        "zone": zone(parcel.carrier, order.ship_to, shipped) if order.ship_to and parcel.carrier else None,
    }


def _status(parcel: Fulfilment, journey: Journey | None) -> str:
    scans = journey.scans[1:] if journey else ()
    back = sum(scan.status == "return_to_sender" for scan in scans)
    if back:
        return "returned" if back > 1 else "returning"
    if parcel.delivered_at is not None:
        return "delivered"
    if scans:
        return _UNDER_WAY[max(scans, key=lambda scan: scan.at).detail]
    if parcel.in_transit_at is not None:
        # Never scanned by its carrier; the shop knows that it left.
        return "in_transit"
    return "label_created" if parcel.carrier is not None else "fulfilled"
