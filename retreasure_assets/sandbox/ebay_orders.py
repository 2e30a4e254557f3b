"""eBay's Fulfillment API: orders as getOrders and getOrder show them, and their fulfilments.

What belongs here: which orders are asked for, and which parameters are taken. What does not: the shape of an order
(``ebay_order_nodes``), HTTP and tokens (``ebay``).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import msgspec
from starlette.responses import Response

from retreasure_assets.sandbox.ebay_format import (
    RefusalError,
    answer,
    filters,
    iso,
    page,
    period,
    whole,
)
from retreasure_assets.sandbox.ebay_order_nodes import ORDER_PATH, order_node, sent_state
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_ebay_types import EbayBusiness, EbayOrder

_DOMAIN = "API_FULFILLMENT"
_MAX_LIMIT = 200
_YEARS = timedelta(days=730)


class Orders:
    """The seller's orders.

    Args:
        world: for the people and the clock.
        business: the orders.
    """

    def __init__(self, world: World, business: EbayBusiness) -> None:
        self._now = world.clock
        self._people = {person.number: person for person in world.people}
        # As eBay lists them: the newest first.
        self._orders = sorted(business.orders, key=lambda order: (order.at, order.order_id), reverse=True)
        self._by_id = {order.order_id: order for order in self._orders}
        self._encoded: dict[tuple[str, bool, bool], bytes] = {}

    def search(self, query: Mapping[str, str]) -> Response:
        """getOrders.

        Raises:
            RefusalError: a parameter is not taken.
        """
        detailed = _detailed(query)
        if "orderIds" in query:
            ids = query["orderIds"].split(",")
            if len(ids) > 50:
                raise RefusalError(400, 30900, "Exceeded maximum number of order IDs (50)", _DOMAIN)
            found = [self._by_id[order_id] for order_id in ids if order_id in self._by_id]
            records = [self._text(order, detailed, whole_story=False) for order in found]
            return page("orders", records, len(records), ORDER_PATH, 50, 0, 0)
        limit = whole(query, "limit", 50, 1, _MAX_LIMIT, RefusalError(400, 31100, "Invalid limit", _DOMAIN))
        offset = whole(query, "offset", 0, 0, 10**9, RefusalError(400, 31000, "Invalid offset", _DOMAIN))
        chosen = self._chosen(query.get("filter"))
        records = [self._text(order, detailed, whole_story=False) for order in chosen[offset : offset + limit]]
        following = offset + limit if offset + limit < len(chosen) else 0
        return page("orders", records, len(chosen), ORDER_PATH, limit, offset, following)

    def one(self, order_id: str, query: Mapping[str, str]) -> Response:
        """getOrder.

        Raises:
            RefusalError: there is no such order.
        """
        order = self._by_id.get(order_id)
        if order is None:
            raise RefusalError(404, 32100, "Invalid order ID", _DOMAIN)
        return Response(self._text(order, _detailed(query), whole_story=True), media_type="application/json")

    def fulfilments(self, order_id: str) -> Response:
        """getShippingFulfillments.

        Raises:
            RefusalError: there is no such order.
        """
        order = self._by_id.get(order_id)
        if order is None:
            raise RefusalError(404, 32100, "Invalid order ID", _DOMAIN)
        found = [
            {
                "fulfillmentId": parcel.tracking_number,
                "shipmentTrackingNumber": parcel.tracking_number,
                "shippingCarrierCode": parcel.carrier,
                "shippedDate": iso(parcel.at),
                "lineItems": [{"lineItemId": line_id, "quantity": 1} for line_id in parcel.line_ids],
            }
            for parcel in order.parcels
        ]
        return answer({"total": len(found), "fulfillments": found})

    def _chosen(self, text: str | None) -> list[EbayOrder]:
        terms = filters(text)
        if text and not terms:
            raise RefusalError(400, 30700, "Invalid filter name", _DOMAIN)
        for name in terms:
            if name not in ("creationdate", "lastmodifieddate", "orderfulfillmentstatus"):
                raise RefusalError(400, 30700, f"Invalid filter name: {name}", _DOMAIN)
        chosen = self._orders
        if "creationdate" in terms:
            # Where both are given, only the creation date counts.
            start, end = _period(terms["creationdate"])
            chosen = [order for order in chosen if start <= order.at and (end is None or order.at <= end)]
        elif "lastmodifieddate" in terms:
            start, end = _period(terms["lastmodifieddate"])
            chosen = [
                order for order in chosen if start <= order.changed_at and (end is None or order.changed_at <= end)
            ]
        elif not terms:
            chosen = [order for order in chosen if order.at >= self._now - timedelta(days=90)]
        if "orderfulfillmentstatus" in terms:
            wanted = terms["orderfulfillmentstatus"].strip("{}").split("|")
            chosen = [order for order in chosen if sent_state(order) in wanted]
        return chosen

    def _text(self, order: EbayOrder, detailed: bool, *, whole_story: bool) -> bytes:
        key = (order.order_id, detailed, whole_story)
        if key not in self._encoded:
            person = self._people[order.person]
            node = order_node(order, person, self._now, detailed=detailed, whole_story=whole_story)
            self._encoded[key] = msgspec.json.encode(node)
        return self._encoded[key]


def _detailed(query: Mapping[str, str]) -> bool:
    """Whether TAX_BREAKDOWN is asked for: only then totals contain the tax that eBay remits."""
    group = query.get("fieldGroups")
    if group not in (None, "TAX_BREAKDOWN"):
        raise RefusalError(400, 32800, "Invalid field group", _DOMAIN)
    return group is not None


def _period(term: str) -> tuple[datetime, datetime | None]:
    found = period(term)
    if found is None:
        raise RefusalError(400, 30810, "Invalid date format", _DOMAIN)
    start, end = found
    if end is not None and end < start:
        raise RefusalError(400, 30840, "Start date should be before end date", _DOMAIN)
    if end is not None and end - start > _YEARS:
        raise RefusalError(400, 30830, "Time range between start date and end date must be within '2' years.", _DOMAIN)
    return start, end
