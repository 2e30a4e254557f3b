"""What exchange rates are as records.

What belongs here: declarations. What does not: reading them (ecb.py, intraday.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from retreasure_assets.entities import Entity

ECB_RATES = Entity(
    source="fx",
    name="ecb_rates",
    natural_key=("date",),
    updated_at="date",
    description="Euro foreign exchange reference rates of the ECB, one record per working day.",
    # Published once; a correction of the latest day is noticed by its values, older ones by reading with --since.
    overlap=timedelta(0),
    owner="team:finance",
)

INTRADAY_RATES = Entity(
    source="fx",
    name="intraday_rates",
    natural_key=("provider", "timestamp"),
    updated_at="timestamp",
    description="Exchange rates of an intraday provider, one record per answer.",
    overlap=timedelta(0),
    owner="team:finance",
)

#: All of them, by name.
ENTITIES: Mapping[str, Entity] = {entity.name: entity for entity in (ECB_RATES, INTRADAY_RATES)}
