"""What is asked of Square for each entity: endpoints, filters, order and page sizes.

What belongs here: requests, true to the published contract (a test holds each against it). What does not: sending them
(client.py) and remembering where a sync is (connector.py).

Times are RFC 3339 in UTC with milliseconds, as Square's own; ``since`` is inclusive everywhere, and so is ``until``,
where the endpoint takes one.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from retreasure_assets.sources.cursors import parse_time
from retreasure_assets.sources.square.client import Call

#: The most that one call may ask for: locations and orders of SearchOrders, lists, counts, customers, objects.
LOCATIONS_A_CALL = 10
ORDERS_A_PAGE = 1_000
LISTED_A_PAGE = 100
COUNTS_A_PAGE = 1_000
OBJECTS_A_PAGE = 1_000

_MOMENT = timedelta(milliseconds=1)


def iso(moment: datetime) -> str:
    """A moment as Square writes it; the rest of a millisecond is cut off."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def locations() -> Call:
    """All locations; the endpoint has no pages."""
    return Call("GET", "/v2/locations", {}, "locations", paged=False)


def orders(location_ids: Sequence[str], since: str, until: str | None) -> Call:
    """Orders of up to ten locations by change time; the sort must go with the filter."""
    period = _period(since, until)
    query = {
        "filter": {"date_time_filter": {"updated_at": period}},
        "sort": {"sort_field": "UPDATED_AT", "sort_order": "ASC"},
    }
    body = {"location_ids": list(location_ids), "query": query, "limit": ORDERS_A_PAGE, "return_entries": False}
    return Call("POST", "/v2/orders/search", body, "orders")


def payments(location_id: str, since: str, until: str | None, history_start: str) -> Call:
    """Payments of one location by change time. Without ``begin_time`` Square looks at the last year alone, and without
    a location at the main one."""
    return Call("GET", "/v2/payments", _listed(location_id, since, until, history_start), "payments")


def refunds(location_id: str, since: str, until: str | None, history_start: str) -> Call:
    """Refunds of one location by change time; ``begin_time`` as for payments."""
    return Call("GET", "/v2/refunds", _listed(location_id, since, until, history_start), "refunds")


def payouts(location_id: str, since: str, until: str | None) -> Call:
    """Payouts of one location by the time they were made: there is no filter by change time."""
    parameters = {"location_id": location_id, "begin_time": since, "sort_order": "ASC", "limit": LISTED_A_PAGE}
    return Call("GET", "/v2/payouts", parameters | ({"end_time": until} if until else {}), "payouts")


def payout_entries(payout_id: str) -> Call:
    """What one payout consists of."""
    parameters = {"sort_order": "ASC", "limit": LISTED_A_PAGE}
    return Call("GET", f"/v2/payouts/{payout_id}/payout-entries", parameters, "payout_entries")


def customers(since: str, until: str | None) -> Call:
    """Customers by change time; they can be sorted by the time they were entered alone."""
    query = {"filter": {"updated_at": _period(since, until)}, "sort": {"field": "CREATED_AT", "order": "ASC"}}
    return Call("POST", "/v2/customers/search", {"query": query, "limit": LISTED_A_PAGE}, "customers")


def catalog_objects(since: str) -> Call:
    """Items with their variations, and categories, deleted ones too; in no order. ``begin_time`` is exclusive."""
    body = {
        "object_types": ["ITEM", "CATEGORY"],
        "include_deleted_objects": True,
        "begin_time": _just_before(since),
        "limit": OBJECTS_A_PAGE,
    }
    return Call("POST", "/v2/catalog/search", body, "objects")


def inventory_counts(since: str) -> Call:
    """Counts that changed, newest first, of all locations. ``updated_after`` is exclusive."""
    body = {"updated_after": _just_before(since), "limit": COUNTS_A_PAGE}
    return Call("POST", "/v2/inventory/counts/batch-retrieve", body, "counts")


def _listed(location_id: str, since: str, until: str | None, history_start: str) -> dict[str, Any]:
    parameters = {
        "location_id": location_id,
        "begin_time": history_start,
        "updated_at_begin_time": since,
        "sort_field": "UPDATED_AT",
        "sort_order": "ASC",
        "limit": LISTED_A_PAGE,
    }
    return parameters | ({"updated_at_end_time": until} if until else {})


def _period(since: str, until: str | None) -> dict[str, str]:
    return {"start_at": since} | ({"end_at": until} if until else {})


def _just_before(since: str) -> str:
    moment = parse_time(since)
    return since if moment is None else iso(moment - _MOMENT)
