"""EasyPost over HTTP: the trackers of the world's parcels.

What belongs here: addresses, parameters, refusals and the shape of a tracker. What does not: how a parcel travels
(``world_tracking``).

As the real one it lists newest first, filters by creation, looks one month back unless told otherwise, and gives at
most 100 trackers a page. Scans stand in the order in which they became known, repetitions left in.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any, ClassVar

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from retreasure_assets.sandbox.face import Records, Traits
from retreasure_assets.sandbox.geo import SHIP_FROM
from retreasure_assets.sandbox.world import World
from retreasure_assets.sandbox.world_tracking import ORIGIN, Journey, Scan, journeys

#: The key that the sandbox's EasyPost takes; it opens nothing else.
EASYPOST_KEY = "EZAK-sandbox-key"

_LONGEST_PAGE = 100
_SHORTEST_LOOK = timedelta(days=30)
_PARAMETERS = frozenset(
    {"page_size", "before_id", "after_id", "start_datetime", "end_datetime", "tracking_code", "carrier"}
)
_CARRIERS = {"An Post": "AnPost", "DHL Express": "DHLExpress", "UPS": "UPS"}
_WORDS = {
    "label_created": "Shipping label created",
    "received_at_origin_facility": "Collected from sender",
    "arrived_at_facility": "Arrived at depot",
    "departed_facility": "Departed depot",
    "missorted": "Sent the wrong way, will be sent on",
    "delivery_exception": "Nobody was in: {name}",
    "out_for_delivery": "Out for delivery",
    "return": "On its way back to the sender",
}


class _RefusedError(Exception):
    """A request that EasyPost does not take."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.answer = JSONResponse({"error": {"code": code, "message": message, "errors": []}}, status_code=status)


class EasyPostFace:
    """The routes of EasyPost."""

    paths: ClassVar[Mapping[str, str]] = {"easypost": "/easypost/v2"}
    # EasyPost publishes no OpenAPI document; what it refuses is written in this module.
    traits: ClassVar[Traits] = Traits(records=(Records("trackers", "id", "has_more", enums=("status",)),))

    def __init__(self, world: World) -> None:
        self._world = world

    @staticmethod
    def environment(base_url: str) -> Mapping[str, str]:
        """See Face."""
        return {
            "RETREASURE_EASYPOST_URL": f"{base_url}/easypost",
            "RETREASURE_EASYPOST_API_KEY": EASYPOST_KEY,
            "RETREASURE_SHIP_FROM": SHIP_FROM,
        }

    @property
    def routes(self) -> list[Route]:
        """To be mounted at the server's root."""
        return [
            Route("/easypost/v2/trackers", self._list, methods=["GET"]),
            Route("/easypost/v2/trackers/{tracker_id}", self._one, methods=["GET"]),
        ]

    @cached_property
    def _trackers(self) -> list[dict[str, Any]]:
        """Newest first; of the same second by id."""
        found = [tracker(journey) for journey in journeys(self._world)]
        return sorted(found, key=lambda each: (each["created_at"], each["id"]), reverse=True)

    async def _list(self, request: Request) -> Response:
        try:
            _authorise(request)
            return JSONResponse(self._page(dict(request.query_params)))
        except _RefusedError as refused:
            return refused.answer

    async def _one(self, request: Request) -> Response:
        try:
            _authorise(request)
            wanted = request.path_params["tracker_id"]
            found = next((each for each in self._trackers if wanted in (each["id"], each["tracking_code"])), None)
            if found is None:
                raise _RefusedError(404, "TRACKER.NOT_FOUND", "The requested resource could not be found.")
            return JSONResponse(found)
        except _RefusedError as refused:
            return refused.answer

    def _page(self, asked: dict[str, str]) -> dict[str, Any]:
        unknown = set(asked) - _PARAMETERS
        if unknown:
            raise _RefusedError(422, "PARAMETER.INVALID", f"Unknown parameter: {sorted(unknown)[0]}.")
        size = asked.get("page_size", "20")
        if not size.isdecimal() or not 1 <= int(size) <= _LONGEST_PAGE:
            raise _RefusedError(422, "PARAMETER.INVALID", "page_size must be between 1 and 100.")
        if "before_id" in asked and "after_id" in asked:
            raise _RefusedError(422, "PARAMETER.INVALID", "before_id and after_id cannot be used together.")
        start, end = self._period(asked)
        found = [
            each
            for each in self._trackers
            if start <= each["created_at"] < end
            and asked.get("tracking_code", each["tracking_code"]) == each["tracking_code"]
            and asked.get("carrier", each["carrier"]) == each["carrier"]
        ]
        if "before_id" in asked:
            found = found[self._place(found, asked["before_id"]) + 1 :]
        elif "after_id" in asked:
            # The page next to it, still newest first.
            found = found[: self._place(found, asked["after_id"])]
            return {"trackers": found[-int(size) :], "has_more": len(found) > int(size)}
        return {"trackers": found[: int(size)], "has_more": len(found) > int(size)}

    def _period(self, asked: dict[str, str]) -> tuple[str, str]:
        """Start and end of creation as text, which sorts as time does."""
        start, end = (_moment(asked, name) for name in ("start_datetime", "end_datetime"))
        if end is None:
            end = self._world.clock if start is None else start + _SHORTEST_LOOK
        if start is None:
            start = end - _SHORTEST_LOOK
        return _iso(start), _iso(end)

    @staticmethod
    def _place(found: list[dict[str, Any]], tracker_id: str) -> int:
        for place, each in enumerate(found):
            if each["id"] == tracker_id:
                return place
        raise _RefusedError(404, "TRACKER.NOT_FOUND", "The requested resource could not be found.")


def _authorise(request: Request) -> None:
    expected = "Basic " + base64.b64encode(f"{EASYPOST_KEY}:".encode()).decode()
    if not hmac.compare_digest(request.headers.get("authorization", "").encode(), expected.encode()):
        raise _RefusedError(401, "APIKEY.INACTIVE", "This api key is no longer active. Please use a different api key.")


def _moment(asked: dict[str, str], name: str) -> datetime | None:
    if name not in asked:
        return None
    try:
        moment = datetime.fromisoformat(asked[name])
    except ValueError:
        raise _RefusedError(422, "PARAMETER.INVALID", f"{name} is not a date.") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def tracker_id(parcel_id: int) -> str:
    """The id of a parcel's tracker."""
    return f"trk_{hashlib.sha256(str(parcel_id).encode()).hexdigest()[:32]}"


def tracker(journey: Journey) -> dict[str, Any]:
    """A journey as EasyPost shows it."""
    parcel = journey.parcel
    carrier = _CARRIERS[str(parcel.carrier)]
    last = journey.scans[-1] if journey.scans else None
    arrived = parcel.delivered_at is not None and any(scan.status == "delivered" for scan in journey.scans)
    name = journey.destination.name if journey.destination else None
    identity = tracker_id(parcel.fulfilment_id)
    return {
        "id": identity,
        "object": "Tracker",
        "mode": "production",
        "tracking_code": parcel.tracking_number,
        "status": last.status if last else "unknown",
        "status_detail": last.detail if last else "unknown",
        "created_at": _iso(parcel.at),
        "updated_at": _iso(journey.updated_at),
        "signed_by": name if arrived else None,
        "weight": 17.6,
        "est_delivery_date": _iso(parcel.estimated_at) if parcel.estimated_at else None,
        "shipment_id": None,
        "carrier": carrier,
        "tracking_details": [_detail(journey, scan, carrier) for scan in journey.scans],
        "fees": [
            {"object": "Fee", "type": "TrackerFee", "amount": "0.02000", "charged": True, "refunded": False},
        ],
        "carrier_detail": {
            "object": "CarrierDetail",
            "service": "Tracked",
            "container_type": None,
            "est_delivery_date_local": None,
            "est_delivery_time_local": None,
            "origin_location": " ".join(ORIGIN[:3]),
            "origin_tracking_location": _place(journey, near=False),
            "destination_location": journey.destination.city if journey.destination else None,
            "destination_tracking_location": _place(journey, near=True),
            "guaranteed_delivery_date": None,
            "alternate_identifier": None,
            "initial_delivery_attempt": None,
        },
        "finalized": arrived,
        "is_return": False,
        "public_url": f"https://track.easypost.com/{base64.b64encode(identity.encode()).decode()}",
    }


def _detail(journey: Journey, scan: Scan, carrier: str) -> dict[str, Any]:
    name = journey.destination.name if journey.destination else "recipient"
    words = _WORDS.get(scan.detail, "Delivered, signed for by {name}" if scan.near else "Back with the sender")
    return {
        "object": "TrackingDetail",
        "message": words.format(name=name),
        "description": "",
        "status": scan.status,
        "status_detail": scan.detail,
        "datetime": _iso(scan.at),
        "source": carrier,
        "carrier_code": "",
        "tracking_location": _place(journey, near=scan.near),
        "est_delivery_date": None,
    }


def _place(journey: Journey, *, near: bool) -> dict[str, Any]:
    address = journey.destination
    city, state, country, postcode = ORIGIN if not near or address is None else (
        address.city,
        address.province_code,
        address.country_code,
        address.zip,
    )  # fmt: skip
    return {"object": "TrackingLocation", "city": city, "state": state, "country": country, "zip": postcode}
