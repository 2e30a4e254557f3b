"""Tracking payloads as bronze holds them: masked, their webhook's wrapper taken off."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bronze_bench import Record

#: (time, provider's status, provider's detail)
Scan = tuple[str, str, str]


def easypost(number: str, scans: Sequence[Scan], updated: str | None = None, **more: Any) -> Record:
    """A tracker of EasyPost's list; its status is its last scan's."""
    last = scans[-1] if scans else ("2026-09-01T00:00:00Z", "unknown", "unknown")
    payload = {
        "id": f"trk_{number}",
        "mode": "production",
        "tracking_code": number,
        "carrier": "AnPost",
        "status": last[1],
        "status_detail": last[2],
        "updated_at": updated or max([last[0], *(at for at, _, _ in scans)]),
        "est_delivery_date": None,
        "tracking_details": [
            {
                "status": status,
                "status_detail": detail,
                "datetime": at,
                "tracking_location": {"country": "IE", "state": None, "zip": "T12", "city": None},
            }
            for at, status, detail in scans
        ],
    }
    return Record("easypost_trackers", payload | more, f"r_{number}")


def aftership(number: str, scans: Sequence[Scan], **more: Any) -> Record:
    """An AfterShip tracking."""
    payload = {
        "id": f"as{number}",
        "tracking_number": number,
        "slug": "an-post",
        "tag": scans[-1][1],
        "subtag": scans[-1][2],
        "updated_at": scans[-1][0],
        "checkpoints": [
            {"checkpoint_time": at, "tag": tag, "subtag": subtag, "country_iso3": "IRL", "state": None, "zip": None}
            for at, tag, subtag in scans
        ],
    }
    return Record("aftership_trackings", payload | more, f"r_{number}")


def shippo(number: str, scans: Sequence[Scan], **more: Any) -> Record:
    """A Shippo track."""
    history = [
        {
            "status": status,
            "substatus": {"code": code} if code else None,
            "status_date": at,
            "location": {"city": None, "state": "CA", "zip": "941", "country": "US"},
        }
        for at, status, code in scans
    ]
    payload = {
        "carrier": "usps",
        "tracking_number": number,
        "tracking_status": history[-1],
        "tracking_history": history,
    }
    return Record("shippo_trackings", payload | more, f"r_{number}")


def seventeentrack(number: str, scans: Sequence[Scan], **more: Any) -> Record:
    """A 17TRACK number; an event names its sub-status alone."""
    payload = {
        "number": number,
        "carrier": 9061,
        "track_info": {
            "latest_status": {"status": scans[-1][1], "sub_status": scans[-1][2]},
            "latest_event": {"time_utc": scans[-1][0]},
            "tracking": {
                "providers": [
                    {
                        "events": [
                            {"time_utc": at, "sub_status": sub or status, "address": {"country": "IE", "state": None}}
                            for at, status, sub in scans
                        ]
                    }
                ]
            },
        },
    }
    return Record("seventeentrack_trackings", payload | more, f"r_{number}")
