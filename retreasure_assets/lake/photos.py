"""What bronze says of listings' photos: the listings that changed, and the photos that are known.

What belongs here: reading the two from Delta tables. What does not: what a payload means (sources.media).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from deltalake import DeltaTable

from retreasure_assets.lake.storage import Lake

if TYPE_CHECKING:
    # Imported when it is used: it has pandas imported, an eighth of what starting the platform takes.
    from pyarrow.dataset import Dataset


def newer_payloads(lake: Lake, table: str, after: str | None) -> Iterator[tuple[str, str]]:
    """The payloads that came into a bronze table after a moment, oldest first.

    Args:
        lake: the lake.
        table: the bronze table.
        after: ISO 8601, UTC; None for all.

    Yields:
        When it came (ISO 8601, UTC) and its payload.
    """
    found = lake.find("bronze", table)
    if found is None:
        return
    dataset, chosen = _since(found, after)
    rows = dataset.to_table(columns=["ingested_at", "payload"], filter=chosen).sort_by("ingested_at")
    for batch in rows.to_batches():
        yield from zip(
            (moment.astimezone(UTC).isoformat() for moment in batch.column("ingested_at").to_pylist()),
            batch.column("payload").to_pylist(),
            strict=True,
        )


def known_photos(lake: Lake, subjects: Collection[str], after: str | None) -> Mapping[str, str]:
    """The newest record of each place among some listings' photos.

    Args:
        lake: the lake.
        subjects: what natural keys begin with: ``shopify|812``.
        after: only records that came after this moment (ISO 8601, UTC), which spares reading all others; None for all.

    Returns:
        Natural key -> payload.
    """
    found = lake.find("bronze", "media_photos")
    if found is None or not subjects:
        return {}
    dataset, chosen = _since(found, after)
    rows = dataset.to_table(columns=["natural_key", "ingested_at", "payload"], filter=chosen)
    owner = pc.replace_substring_regex(rows.column("natural_key"), r"\|[0-9]+$", "")
    wanted = rows.filter(pc.is_in(owner, pa.array(sorted(subjects), pa.string()))).sort_by("ingested_at")
    return dict(zip(wanted.column("natural_key").to_pylist(), wanted.column("payload").to_pylist(), strict=True))


def _since(table: DeltaTable, after: str | None) -> tuple[Dataset, pc.Expression | None]:
    """A table's rows, and the condition for those that came after a moment: of older days no file is read."""
    dataset = table.to_pyarrow_dataset()
    if after is None:
        return dataset, None
    moment = datetime.fromisoformat(after).astimezone(UTC)
    day = pc.field("ingest_date") >= pa.scalar(date.fromisoformat(moment.date().isoformat()))
    return dataset, day & (pc.field("ingested_at") > pa.scalar(moment, type=dataset.schema.field("ingested_at").type))
