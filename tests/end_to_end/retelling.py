"""What a demo's sources told, told again to another home: changed, or in another order.

What belongs here: reading a lake's bronze and writing it anew. What does not: expectations.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from retreasure_assets.entities import RawBatch
from retreasure_assets.lake.bronze import BronzeWriter
from retreasure_assets.lake.storage import Lake
from retreasure_assets.resources.platform import Platform
from retreasure_assets.settings import load_settings
from tests.end_to_end.conftest import Home


@dataclass(frozen=True, slots=True)
class Told:
    """A record of bronze: its payload, and what tells it and its version from others."""

    payload: bytes
    natural_key: str
    changed_at: datetime | None


def demo(home: Home) -> Lake:
    """The lake of a demo of three weeks, run in a home."""
    outcome = home.run("demo", "--seed", "5", "--days", "20", "--scale", "0.4")
    assert outcome.code == 0, outcome.out[-3000:] + outcome.err[-3000:]
    return Lake(home.path / "sandbox" / "lake")


def told(lake: Lake) -> dict[str, list[Told]]:
    """The records of every bronze table, in the order in which they came."""
    columns = ["payload", "natural_key", "source_updated_at"]
    return {
        table: [
            Told(payload.encode(), key, changed_at)
            for payload, key, changed_at in zip(
                *(column.to_pylist() for column in lake.table("bronze", table).to_pyarrow_table(columns=columns)),
                strict=True,
            )
        ]
        for layer, table in lake.tables()
        if layer == "bronze"
    }


def tell(home: Path, tables: Iterable[tuple[str, Sequence[bytes]]], run_id: str = "test") -> None:
    """Write records to a home's bronze, as its sources would."""
    platform = Platform(load_settings().model_copy(update={"home": home}))
    for table, records in tables:
        batch = RawBatch(platform.entities[table], list(records), [f"{run_id}:{n}" for n in range(len(records))])
        BronzeWriter(platform.lake, platform.vault).write(batch, run_id=run_id)
