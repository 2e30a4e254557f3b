"""Taking in one entity: read it into bronze, ask its gate, and read again what the gate withholds.

What belongs here: the order of these three. What does not: each of them (lake/ingest.py, gate.py).
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from retreasure_assets.entities import Connector, Entity, Window
from retreasure_assets.errors import LakeError, RetreasureError
from retreasure_assets.lake.bronze import BatchResult
from retreasure_assets.lake.cursors import CursorStore
from retreasure_assets.lake.helpers import Helpers
from retreasure_assets.lake.ingest import IngestionSummary, ingest
from retreasure_assets.lake.storage import Lake
from retreasure_assets.privacy.vault import Vault
from retreasure_assets.quality.gate import Gates
from retreasure_assets.quality.result import GateResult
from retreasure_assets.quality.verdict import Reading


@dataclass(frozen=True, slots=True)
class Intake:
    """What was read, and what the gate says of it; ``gate`` is None where nothing was there to look at."""

    summary: IngestionSummary
    gate: GateResult | None


def take_in(
    connector: Connector,
    entity: Entity,
    *,
    gates: Gates,
    lake: Lake,
    vault: Vault,
    window: Window,
    run_id: str,
    report: Callable[[BatchResult], None] | None = None,
    attempt: int = 1,
    helpers: Helpers | None = None,
) -> Intake:
    """Read what is new of an entity and ask its gate, also for what came before the source failed.

    A batch that is withheld is read again next time, from where this reading began: what the source has put right by
    then takes the place of the bad, however long ago it was.

    Args:
        gates: all gates; the others are those of ``ingest``.

    Raises:
        SourceError, LakeError, VaultError: as ``ingest``.
        ConfigurationError: the suite cannot be used.
    """
    cursors = CursorStore(lake)
    before = cursors.load(entity)
    records = malformed = 0

    def count(result: BatchResult) -> None:
        nonlocal records, malformed
        records += result.records
        malformed += result.malformed
        if report is not None:
            report(result)

    def ask(reading: Reading | None) -> GateResult | None:
        gate = gates.check(entity, run_id=run_id, reading=reading)
        if gate is not None and gate.closed and window == Window():
            cursors.restore(entity, before)
        return gate

    try:
        summary = ingest(
            connector,
            entity,
            lake=lake,
            vault=vault,
            window=window,
            run_id=run_id,
            report=count,
            attempt=attempt,
            helpers=helpers,
        )
    except RetreasureError:
        # The reading's own failure is what there is to tell; what it left waits for the next one otherwise.
        with suppress(LakeError):
            ask(Reading(records, malformed) if records else None)
        raise
    return Intake(summary, ask(Reading(summary.records, summary.malformed)))
