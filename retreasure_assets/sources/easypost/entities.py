"""What EasyPost's records are: keys, change times and masks.

What belongs here: declarations alone. What does not: how a record is read (connector.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from retreasure_assets.entities import Entity, Mask

#: Trackers can be asked for by the day they were created only, and change until the parcel has arrived or come back;
#: carriers keep a parcel that nobody collects for weeks. So this much of the past is read again at every sync.
TRACKER_OVERLAP = timedelta(days=45)


def tracker_masks(prefix: str = "") -> dict[str, Mask]:
    """What is personal in a tracker: who signed, where the last scans were, and what carriers write as free text.

    A scan keeps its country, region and postcode area. Messages go because carriers put names into them ("left with
    ..."), the public page because it shows all of this to whoever has its address.
    """
    places = (
        "tracking_details[].tracking_location",
        "carrier_detail.origin_tracking_location",
        "carrier_detail.destination_tracking_location",
    )
    masks = {
        "signed_by": Mask.REDACT,
        "public_url": Mask.REDACT,
        "delivery_evidence": Mask.REDACT,
        "tracking_details[].message": Mask.REDACT,
        "tracking_details[].description": Mask.REDACT,
        "carrier_detail.origin_location": Mask.REDACT,
        "carrier_detail.destination_location": Mask.REDACT,
        "carrier_detail.alternate_identifier": Mask.REDACT,
    }
    for place in places:
        masks[f"{place}.city"] = Mask.REDACT
        masks[f"{place}.zip"] = Mask.POSTCODE_AREA
    return {f"{prefix}{path}": mask for path, mask in masks.items()}


TRACKERS = Entity(
    source="easypost",
    name="trackers",
    natural_key=("id",),
    updated_at="updated_at",
    description="EasyPost trackers with every scan of a parcel so far, one record per version seen.",
    masks=tracker_masks(),
    overlap=TRACKER_OVERLAP,
    owner="team:fulfillment",
)

#: All of them, by name.
ENTITIES: Mapping[str, Entity] = {TRACKERS.name: TRACKERS}
