"""Which rows of a bronze table models may see.

What belongs here: the words in which gates tell the warehouse. What does not: deciding (the quality package).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

#: The table of rows that were let in after they had been kept out, as they are in bronze but for the time.
REPLAYED = ("quarantine", "replayed")


@dataclass(frozen=True, slots=True)
class Admission:
    """What a gate lets through.

    Args:
        state: tells what is let through now from what was before.
        until: rows ingested later wait; None lets every row through.
        kept_out: records that are not shown where they stand.
        replayed: those of them that are shown with another time of ingestion, and that time.
    """

    state: str
    until: datetime | None = None
    kept_out: frozenset[str] = frozenset()
    replayed: Mapping[str, datetime] = field(default_factory=dict)
