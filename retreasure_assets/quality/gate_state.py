"""What each gate remembers: how far its dataset was let through, and what it found last.

What belongs here: one small JSON file a dataset, replaced in one step. What does not: deciding (gate.py). Without the
file the gate looks at the whole table again and comes to the same end.
"""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec

from retreasure_assets.lake.storage import Lake, explained, write_whole
from retreasure_assets.quality.result import GateResult, Status


class GateState(msgspec.Struct, frozen=True):
    """How a dataset stands at its gate.

    Args:
        admitted_until: the newest ingestion that was let through; None before the first.
        admitted_version: the table's version then, -1 before the first.
        seen_version: the table's version that was evaluated last.
        malformed_until: the newest refused record that is in the quarantine's log.
        suite_version: the suite that was evaluated last.
        last: the last result that tells something, as plain data.
    """

    admitted_until: datetime | None = None
    admitted_version: int = -1
    seen_version: int = -1
    malformed_until: datetime | None = None
    suite_version: str = ""
    last: dict[str, Any] = msgspec.field(default_factory=dict)

    @property
    def closed(self) -> bool:
        """Whether the gate withholds what waits before it."""
        return self.last.get("status") == Status.CLOSED.value


class GateStates:
    """Loads and saves."""

    def __init__(self, lake: Lake) -> None:
        self._folder = lake.state / "gates"

    def load(self, table: str) -> GateState:
        """How a bronze table stands; a new state before the first evaluation, and where the file is damaged."""
        with explained(f"The gate of {table}"):
            try:
                return msgspec.json.decode((self._folder / f"{table}.json").read_bytes(), type=GateState)
            except (FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
                return GateState()

    def save(self, table: str, state: GateState) -> None:
        """Store in one step.

        Raises:
            LakeError: it cannot be written.
        """
        write_whole(self._folder / f"{table}.json", msgspec.json.encode(state))

    def known(self) -> list[str]:
        """Tables with a state, sorted."""
        with explained("The gates"):
            return sorted(path.stem for path in self._folder.glob("*.json"))


def as_plain(result: GateResult) -> dict[str, Any]:
    """A result as JSON has it."""
    plain = asdict(result) | {"sentence": result.sentence}
    plain["evaluated_at"] = result.evaluated_at.isoformat()
    return plain
